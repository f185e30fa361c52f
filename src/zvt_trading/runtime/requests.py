"""From a user's request to the core's command: names to codes, numbers to scaled ints.

Whatever a user may give is checked here; further in, types are what they say they are.
"""

import json
from collections.abc import Iterable

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.risk_limits import LIMIT_NAMES
from zvt_trading.core.state import State
from zvt_trading.errors import CallerError, PortfolioNotFoundError, SymbolNotFoundError
from zvt_trading.messages.codes import GTC, GTD, MARKET, OFFSET_BPS, OFFSET_PRICE
from zvt_trading.messages.commands import AmendOrder, LimitSet, SubmitOrder
from zvt_trading.runtime.codes import code_of
from zvt_trading.runtime.numbers import to_ns, to_scaled
from zvt_trading.types import Number, OrderRequest

METADATA_LENGTH_MAX = 4096
"""Characters of JSON: an order carries a note, not a document."""


def instrument_of(state: State, symbol: str, exchange: str | None) -> Instrument:
    """The instrument, or any venue's when `exchange` is None (scales belong to the symbol).

    Raises SymbolNotFoundError that lists what there is.
    """
    if type(symbol) is str and type(exchange) is str and exchange in state.venues:
        market = state.markets.get(f"{exchange}:{symbol}")
        if market is not None:
            return market.instrument
    check_name("symbol", symbol)
    if exchange is None:
        found = state.symbols.get(symbol)
        if found is not None:
            return found.markets[0].instrument
        raise SymbolNotFoundError(f"no venue lists {symbol!r}; listed: {_all(state.symbols)}")
    check_exchange(state, exchange)
    listed = [name for name in state.symbols if f"{exchange}:{name}" in state.markets]
    raise SymbolNotFoundError(f"{exchange} does not list {symbol!r}; it lists {_all(listed)}")


def check_exchange(state: State, exchange: str) -> None:
    """SymbolNotFoundError lists the connected exchanges when this is none of them."""
    check_name("exchange", exchange)
    if exchange not in state.venues:
        raise SymbolNotFoundError(f"no exchange {exchange!r}; connected: {_all(state.venues)}")


def check_portfolio(state: State, portfolio_id: str) -> None:
    """PortfolioNotFoundError lists the open portfolios when this is none of them."""
    if type(portfolio_id) is str and portfolio_id in state.portfolios:
        return
    check_name("portfolio_id", portfolio_id)
    if portfolio_id not in state.portfolios:
        known = _all(state.portfolios)
        raise PortfolioNotFoundError(f"no portfolio {portfolio_id!r}; open: {known}")


def check_name(field: str, value: str) -> None:
    """CallerError unless it is text that a log, a table and a venue can hold."""
    if not isinstance(value, str):
        raise CallerError(f"{field} must be text, not {type(value).__name__}")
    if not value.isprintable():
        raise CallerError(f"{field} {value!a} has characters that cannot be printed")


def check_limits(limits: LimitSet) -> None:
    """CallerError unless every limit is an int or None; the core judges their values."""
    if not isinstance(limits, LimitSet):
        raise CallerError(f"limits must be a LimitSet, not {type(limits).__name__}")
    check_name("key", limits.key)
    for name in ("scope", *LIMIT_NAMES):
        value: object = getattr(limits, name)
        if (value is None and name != "scope") or type(value) is int:
            continue
        raise CallerError(f"{name} must be an int on its scale, not {type(value).__name__}")


def to_command(state: State, request: OrderRequest) -> SubmitOrder:
    """The command for a request; CallerError names the field that cannot be meant."""
    if not isinstance(request, OrderRequest):
        raise CallerError(f"an order is asked for by an OrderRequest, not {type(request).__name__}")
    check_portfolio(state, request.portfolio_id)
    exchange = request.exchange
    instrument = instrument_of(state, request.symbol, exchange)
    if request.strategy_id != "":
        check_name("strategy_id", request.strategy_id)
    if request.client_order_id != "":
        check_name("client_order_id", request.client_order_id)
    scale = instrument.price_scale
    order_type = code_of("order_type", request.order_type)
    quantity = to_scaled("quantity", request.quantity, instrument.quantity_scale)
    target = instrument.id if exchange is not None else f":{request.symbol}"
    side = code_of("side", request.side)
    if order_type == MARKET and _is_plain(request):
        return SubmitOrder(
            request.portfolio_id, target, side, MARKET, quantity, strategy=request.strategy_id,
            client_tag=request.client_order_id,
        )  # fmt: skip
    offset, unit = _trailing(request, scale)
    return SubmitOrder(
        request.portfolio_id,
        target,
        side,
        order_type,
        quantity,
        positive("price", request.price, scale),
        positive("trigger_price", request.trigger_price, scale),
        code_of("time_in_force", request.time_in_force),
        _expiry(request),
        _flag("post_only", request.post_only),
        _flag("reduce_only", request.reduce_only),
        request.strategy_id,
        request.client_order_id,
        code_of("trigger_by", request.trigger_by),
        offset,
        unit,
        _metadata(request),
    )


def to_amend(
    instrument: Instrument,
    order_id: str,
    price: Number | None,
    quantity: Number | None,
    trigger_price: Number | None,
) -> AmendOrder:
    """The command for new terms of an order; None leaves one as it is."""
    return AmendOrder(
        order_id,
        positive("price", price, instrument.price_scale),
        positive("quantity", quantity, instrument.quantity_scale),
        positive("trigger_price", trigger_price, instrument.price_scale),
    )


def positive(field: str, value: Number | None, scale: int) -> int:
    """An optional number above zero; 0 when not given, which means just that further in."""
    if value is None:
        return 0
    scaled = to_scaled(field, value, scale)
    if scaled <= 0:
        raise CallerError(f"{field} must be > 0, not {value}")
    return scaled


def _is_plain(request: OrderRequest) -> bool:
    """Nothing but the defaults, so that the common market order is converted quickly."""
    return (
        request.price is None
        and request.trigger_price is None
        and request.trailing_offset is None
        and request.trailing_offset_bps is None
        and request.expire_time is None
        and request.metadata is None
        and request.post_only is False
        and request.reduce_only is False
        and code_of("time_in_force", request.time_in_force) == GTC
        and code_of("trigger_by", request.trigger_by) == 0
    )


def _flag(field: str, value: bool) -> bool:
    if value is not True and value is not False:
        raise CallerError(f"{field} must be True or False, not {value!r}")
    return value


def _trailing(request: OrderRequest, scale: int) -> tuple[int, int]:
    if request.trailing_offset is not None and request.trailing_offset_bps is not None:
        raise CallerError("give trailing_offset or trailing_offset_bps, not both")
    if request.trailing_offset_bps is not None:
        return positive("trailing_offset_bps", request.trailing_offset_bps, 0), OFFSET_BPS
    return positive("trailing_offset", request.trailing_offset, scale), OFFSET_PRICE


def _expiry(request: OrderRequest) -> int:
    if request.expire_time is None:
        return 0
    if code_of("time_in_force", request.time_in_force) != GTD:
        raise CallerError("expire_time needs time_in_force gtd")
    return to_ns("expire_time", request.expire_time)


def _metadata(request: OrderRequest) -> str:
    metadata = request.metadata
    if metadata is None:
        return ""
    if not isinstance(metadata, dict) or not all(isinstance(key, str) for key in metadata):
        raise CallerError(f"metadata must be a dict with text keys, not {type(metadata).__name__}")
    try:
        text = json.dumps(metadata, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise CallerError(f"metadata must be plain JSON: {error}") from None
    if len(text) > METADATA_LENGTH_MAX:
        raise CallerError(f"metadata of {len(text)} characters; at most {METADATA_LENGTH_MAX}")
    return text


def _all(names: Iterable[str]) -> str:
    """Names for a message, in order."""
    return ", ".join(sorted(names)) or "none"

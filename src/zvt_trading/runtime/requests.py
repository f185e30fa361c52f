"""From a user's OrderRequest to the core's SubmitOrder: names to codes, numbers to scaled ints."""

import json

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.state import State
from zvt_trading.errors import CallerError, PortfolioNotFoundError, SymbolNotFoundError
from zvt_trading.messages.codes import GTC, GTD, MARKET, OFFSET_BPS, OFFSET_PRICE
from zvt_trading.messages.commands import SubmitOrder
from zvt_trading.runtime.codes import code_of
from zvt_trading.runtime.numbers import to_ns, to_scaled
from zvt_trading.types import Number, OrderRequest

METADATA_LENGTH_MAX = 4096


def instrument_of(state: State, symbol: str, exchange: str | None) -> Instrument:
    """The instrument, or any venue's when `exchange` is None (scales belong to the symbol).

    Raises SymbolNotFoundError that lists what there is.
    """
    if exchange is None:
        found = state.symbols.get(symbol)
        if found is not None:
            return found.markets[0].instrument
        known = ", ".join(sorted(state.symbols)) or "none"
        raise SymbolNotFoundError(f"no venue lists {symbol!r}; listed symbols: {known}")
    market = state.markets.get(f"{exchange}:{symbol}")
    if market is not None:
        return market.instrument
    if exchange not in state.venues:
        venues = ", ".join(sorted(state.venues)) or "none"
        raise SymbolNotFoundError(f"no exchange {exchange!r}; connected: {venues}")
    listed = sorted(s.name for s in state.symbols.values() if f"{exchange}:{s.name}" in state.markets)
    raise SymbolNotFoundError(f"{exchange} does not list {symbol!r}; it lists {', '.join(listed)}")


def to_command(state: State, request: OrderRequest) -> SubmitOrder:
    """The command for a request; CallerError names the field that cannot be meant."""
    if request.portfolio_id not in state.portfolios:
        known = ", ".join(sorted(state.portfolios)) or "none"
        raise PortfolioNotFoundError(f"no portfolio {request.portfolio_id!r}; open: {known}")
    exchange = request.exchange
    instrument = instrument_of(state, request.symbol, exchange)
    scale = instrument.price_scale
    order_type = code_of("order_type", request.order_type)
    quantity = to_scaled("quantity", request.quantity, instrument.quantity_scale)
    target = f"{exchange or ''}:{request.symbol}"
    side = code_of("side", request.side)
    if order_type == MARKET and request.price is None and _is_plain(request):
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
        _price("price", request.price, scale),
        _price("trigger_price", request.trigger_price, scale),
        code_of("time_in_force", request.time_in_force),
        _expiry(request),
        request.post_only,
        request.reduce_only,
        request.strategy_id,
        request.client_order_id,
        code_of("trigger_by", request.trigger_by),
        offset,
        unit,
        _metadata(request),
    )


def _is_plain(request: OrderRequest) -> bool:
    """Nothing but the defaults, so that the common market order is converted quickly."""
    return (
        request.trigger_price is None
        and request.trailing_offset is None
        and request.trailing_offset_bps is None
        and request.expire_time is None
        and request.metadata is None
        and not request.post_only
        and not request.reduce_only
        and code_of("time_in_force", request.time_in_force) == GTC
    )


def _price(field: str, value: Number | None, scale: int) -> int:
    """An optional price; a given one must be positive, since 0 means "not given" further in."""
    if value is None:
        return 0
    scaled = to_scaled(field, value, scale)
    if scaled <= 0:
        raise CallerError(f"{field} must be > 0, not {value}")
    return scaled


def _trailing(request: OrderRequest, scale: int) -> tuple[int, int]:
    if request.trailing_offset is not None and request.trailing_offset_bps is not None:
        raise CallerError("give trailing_offset or trailing_offset_bps, not both")
    if request.trailing_offset_bps is not None:
        return to_scaled("trailing_offset_bps", request.trailing_offset_bps, 0), OFFSET_BPS
    return _price("trailing_offset", request.trailing_offset, scale), OFFSET_PRICE


def _expiry(request: OrderRequest) -> int:
    if request.expire_time is None:
        return 0
    if code_of("time_in_force", request.time_in_force) != GTD:
        raise CallerError("expire_time needs time_in_force gtd")
    return to_ns("expire_time", request.expire_time)


def _metadata(request: OrderRequest) -> str:
    if request.metadata is None:
        return ""
    try:
        text = json.dumps(request.metadata, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise CallerError(f"metadata must be plain JSON: {error}") from None
    if len(text) > METADATA_LENGTH_MAX:
        raise CallerError(f"metadata of {len(text)} characters; at most {METADATA_LENGTH_MAX}")
    return text

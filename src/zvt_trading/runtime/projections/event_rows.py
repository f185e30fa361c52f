"""Rows that one event makes and none changes later."""

from collections.abc import Iterator

from zvt_trading.core.refusal import number_scale
from zvt_trading.core.risk_limits import LIMIT_NAMES
from zvt_trading.core.state import Holding, Order, Portfolio, State
from zvt_trading.core.units import format_scaled
from zvt_trading.messages.codes import SCOPE_PORTFOLIO, SCOPE_SYMBOL, TAKER
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.events import (
    AmendRefused,
    CommandRefused,
    EquitySampled,
    OrderFilled,
    OrderRefused,
    PositionLiquidated,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.store import Row
from zvt_trading.runtime.codes import SCOPES, liquidity_of, reason_of, side_of
from zvt_trading.runtime.projections.rows import asset_scale, first_instrument
from zvt_trading.runtime.projections.values import (
    LIMIT_ID,
    TRADE_ID,
    day_text,
    figure,
    figure_or_none,
    json_text,
    moment,
    number,
    plain,
    row_id,
)

_MONEY = ("order_notional_max", "position_notional_max", "exposure_max", "daily_loss_max")
_QUANTITIES = ("order_quantity_max", "position_quantity_max")


def fill_row(
    state: State, event: OrderFilled, order: Order, realized: int, portfolio_id: str
) -> Row:
    """Of crypto_trade: an execution of an order of ours."""
    instrument = order.instrument
    price_scale = instrument.price_scale
    return (
        row_id(event.ts, event.seq, TRADE_ID),
        event.seq,
        "fill",
        order.id,
        portfolio_id,
        order.strategy.name,
        instrument.venue,
        event.portfolio,
        instrument.symbol,
        side_of(event.side).value,
        plain(event.trade_id),
        number(event.price, price_scale),
        number(event.quantity, instrument.quantity_scale),
        number(instrument.value(event.price, event.quantity), instrument.settle_scale),
        instrument.settle,
        liquidity_of(event.liquidity),
        number(event.fee, asset_scale(state, event.fee_asset)),
        event.fee_asset,
        number(realized, instrument.settle_scale),
        number(0, 0),
        figure_or_none(event.bid, price_scale),
        figure_or_none(event.ask, price_scale),
        moment(event.ts_venue or event.ts),
        moment(event.ts),
        "{}",
    )


def liquidation_row(
    event: PositionLiquidated, holding: Holding, realized: int, portfolio_id: str
) -> Row:
    """Of crypto_trade: the venue closed a position; no order of ours did."""
    instrument = holding.instrument
    scale = instrument.settle_scale
    return (
        row_id(event.ts, event.seq, TRADE_ID),
        event.seq,
        "liquidation",
        None,
        portfolio_id,
        "",
        instrument.venue,
        event.portfolio,
        instrument.symbol,
        side_of(event.side).value,
        plain(event.trade_id),
        number(event.price, instrument.price_scale),
        number(event.quantity, instrument.quantity_scale),
        number(instrument.value(event.price, event.quantity), scale),
        instrument.settle,
        liquidity_of(TAKER),
        number(event.fee, scale),
        instrument.settle,
        number(realized, scale),
        number(event.insurance, scale),
        None,
        None,
        moment(event.ts_venue or event.ts),
        moment(event.ts),
        "{}",
    )


def equity_row(event: EquitySampled, portfolio: Portfolio, portfolio_id: str) -> Row:
    """Of crypto_equity."""
    scale = portfolio.base_scale
    return (
        portfolio_id,
        event.seq,
        figure(event.equity, scale),
        figure(event.peak, scale),
        figure(event.day_start, scale),
        day_text(event.day),
        moment(event.ts),
    )


def refusal_row(state: State, event: OrderRefused | AmendRefused | CommandRefused) -> Row:
    """Of crypto_refusal."""
    order_id = portfolio = strategy = instrument = request = None
    scope, key, text = 0, "", ""
    scale = 0
    if isinstance(event, OrderRefused):
        kind = "order"
        order_id = event.order_id
        portfolio = plain(event.request.portfolio)
        strategy = plain(event.request.strategy)
        instrument = plain(event.request.instrument)
        request = json_text(event.request)
        scale = _scale(state, event)
    elif isinstance(event, AmendRefused):
        kind = "amend"
        order_id = event.order_id if event.order_id in state.orders else None
    else:
        kind = event.command
    if not isinstance(event, CommandRefused):
        scope, key = event.scope, event.key
    if not isinstance(event, AmendRefused):
        text = event.text
    return (
        event.seq,
        kind,
        order_id,
        portfolio,
        strategy,
        instrument,
        reason_of(event.reason),
        format_scaled(event.limit, scale),
        format_scaled(event.value, scale),
        SCOPES[scope].value,
        plain(key),
        plain(text),
        request,
        moment(event.ts),
    )


def limit_rows(
    state: State, ts: int, seq: int, limits: LimitSet, portfolio_id: str | None
) -> Iterator[Row]:
    """Of crypto_risk_limit: a row for each limit that a set states."""
    base_scale = 8
    if limits.scope == SCOPE_PORTFOLIO and limits.key in state.portfolios:
        base_scale = state.portfolios[limits.key].base_scale
    elif state.portfolios:
        base_scale = next(iter(state.portfolios.values())).base_scale
    symbol = first_instrument(state, limits.key) if limits.scope == SCOPE_SYMBOL else None
    for index, name in enumerate(LIMIT_NAMES):
        value: int | None = getattr(limits, name)
        if value is None:
            continue
        unit, scale = _unit(name), 0
        if name in _MONEY:
            scale = base_scale
        elif name in _QUANTITIES:
            scale = symbol.quantity_scale if symbol is not None else 0
        yield (
            SCOPES[limits.scope].value,
            limits.key,
            name,
            row_id(ts, seq, LIMIT_ID + index),
            portfolio_id,
            number(value, scale),
            unit,
            limits.allow_looser,
            moment(ts),
            seq,
            "{}",
        )


def _unit(name: str) -> str:
    """What a limit is counted in."""
    if name in _MONEY:
        return "money"
    if name in _QUANTITIES:
        return "quantity"
    if "_bps" in name:
        return "bps"
    if "_ms" in name:
        return "ms"
    return "leverage" if name == "leverage_max" else "count"


def _scale(state: State, event: OrderRefused) -> int:
    """Decimals of a refusal's two numbers; 0 where what was asked for is not known."""
    request = event.request
    portfolio = state.portfolios.get(request.portfolio)
    instrument = first_instrument(state, request.instrument.partition(":")[2])
    if portfolio is None or instrument is None:
        return 0
    return number_scale(Reason(event.reason), instrument, request.side, portfolio.base_scale)

"""One function a table: a row from the state and from what the projector remembers of a thing."""

from itertools import chain
from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.ledger import Balance, Posting
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.state import Holding, Order, Portfolio, State
from zvt_trading.core.units import div_half_even
from zvt_trading.messages.codes import (
    BUY,
    INVERSE,
    ISOLATED,
    LINEAR,
    OFFSET_BPS,
    PENDING,
    ROLE_ENTRY,
    ROLE_NONE,
    ROLE_OCO_LEG,
    ROLE_STOP_LOSS,
    ROLE_TAKE_PROFIT,
    SELL,
    SPOT,
    STOP,
    STOP_LIMIT,
    TAKE_PROFIT,
    TAKE_PROFIT_LIMIT,
    TRAILING_STOP,
)
from zvt_trading.ports.store import Row
from zvt_trading.runtime.codes import (
    MARGIN_MODES,
    METHODS,
    ORDER_TYPES,
    TIMES_IN_FORCE,
    TRADING_STATES,
    TRIGGERS,
    reason_of,
    side_of,
    status_of,
)
from zvt_trading.runtime.projections.performance import Performance
from zvt_trading.runtime.projections.values import (
    DECIMALS,
    ONE,
    day_text,
    figure_or_none,
    json_text,
    moment,
    moment_or_none,
    number,
    number_or_none,
    plain,
)

KINDS: Final = {SPOT: "spot", LINEAR: "linear", INVERSE: "inverse"}
LIST_TYPES: Final = ("single", "oco", "bracket")
ROLES: Final = {
    ROLE_NONE: None,
    ROLE_OCO_LEG: "oco_leg",
    ROLE_ENTRY: "entry",
    ROLE_TAKE_PROFIT: "take_profit",
    ROLE_STOP_LOSS: "stop_loss",
}
REQUESTS: Final = ("none", "cancel", "amend")
_STOPS: Final = (STOP, STOP_LIMIT, TRAILING_STOP)
_TARGETS: Final = (TAKE_PROFIT, TAKE_PROFIT_LIMIT)


class OrderMemory:
    """What the state does not keep of an order: when things happened (text), and its fees."""

    def __init__(self, created_seq: int) -> None:
        self.created_seq = created_seq
        self.bid = 0
        self.ask = 0
        self.reason_text: str | None = None
        self.submitted: str | None = None
        self.accepted: str | None = None
        self.first_filled: str | None = None
        self.last_filled: str | None = None
        self.closed: str | None = None
        self.fees: dict[str, int] = {}


class PortfolioMemory:
    """A portfolio's id and figures."""

    def __init__(self, portfolio_id: str, created: str) -> None:
        self.id = portfolio_id
        self.created = created
        self.performance = Performance()


Stamp = tuple[int, int]
"""(time, number) of the last event that touched what a row is about."""


def order_row(
    state: State, order: Order, memory: OrderMemory, portfolio_id: str, stamp: Stamp
) -> Row:
    """Of crypto_order."""
    return _order_terms(order, portfolio_id) + _order_progress(state, order, memory, stamp)


def _order_terms(order: Order, portfolio_id: str) -> Row:
    """What was asked for, and how it stands: up to `reduce_only`."""
    instrument = order.instrument
    request = order.request
    parent = None
    if order.list is not None and order.role in (ROLE_TAKE_PROFIT, ROLE_STOP_LOSS):
        parent = order.list.orders[0].id
    return (
        order.id,
        request.client_tag or None,
        plain(order.venue_order_id) or None,
        portfolio_id,
        request.strategy,
        parent,
        order.list.id if order.list is not None else None,
        LIST_TYPES[order.list.kind] if order.list is not None else None,
        ROLES[order.role],
        instrument.venue,
        request.portfolio,
        instrument.symbol,
        side_of(order.side).value,
        ORDER_TYPES[order.type].value,
        TIMES_IN_FORCE[order.tif].value,
        status_of(order).value,
        REQUESTS[order.pending],
        order.life == PENDING,
        order.triggered,
        request.post_only,
        request.reduce_only,
    )


def _order_progress(state: State, order: Order, memory: OrderMemory, stamp: Stamp) -> Row:
    """Quantities, prices, fees and times: from `quantity` on."""
    request = order.request
    price_scale = order.instrument.price_scale
    quantity_scale = order.instrument.quantity_scale
    filled = min(order.filled, order.quantity)
    reserved = order.hold_balance.asset
    fee_asset = next(iter(memory.fees), None)
    trailing = request.trailing_offset
    in_bps = request.trailing_unit == OFFSET_BPS
    return (
        number(order.quantity, quantity_scale),
        number(filled, quantity_scale),
        number(order.filled - filled, quantity_scale),
        number_or_none(order.price, price_scale),
        figure_or_none(order.trigger_price, price_scale),
        TRIGGERS[request.trigger_by].value,
        number_or_none(trailing, 0 if in_bps else price_scale),
        ("bps" if in_bps else "price") if trailing else None,
        figure_or_none(order.worst_price, price_scale),
        _average_price(order),
        number(order.filled_value, price_scale + quantity_scale),
        figure_or_none(memory.bid, price_scale),
        figure_or_none(memory.ask, price_scale),
        number(order.hold, asset_scale(state, reserved)),
        reserved,
        number(memory.fees[fee_asset], asset_scale(state, fee_asset)) if fee_asset else None,
        fee_asset,
        json_text({a: number(fee, asset_scale(state, a)) for a, fee in memory.fees.items()}),
        reason_of(order.reason) or None,
        memory.reason_text,
        moment_or_none(request.expire_ts),
        moment(order.ts),
        memory.submitted,
        memory.accepted,
        memory.first_filled,
        memory.last_filled,
        memory.closed,
        moment(stamp[0]),
        memory.created_seq,
        stamp[1],
        request.metadata or "{}",
    )


def portfolio_row(state: State, portfolio: Portfolio, memory: PortfolioMemory, stamp: Stamp) -> Row:
    """Of crypto_portfolio."""
    figures = memory.performance
    scale = portfolio.base_scale
    pars = portfolio.request.par_assets
    cash = 0
    for balance in portfolio.balances:
        if balance.asset == portfolio.base_asset or balance.asset in pars:
            unit = 10 ** (DECIMALS - asset_scale(state, balance.asset))
            cash += balance.total * unit
    win_rate = figures.win_rate()
    return (
        memory.id,
        portfolio.name,
        portfolio.base_asset,
        METHODS[portfolio.method].value,
        json_text(pars),
        TRADING_STATES[portfolio.trading_state].value,
        number(cash, DECIMALS),
        number(figures.value, scale),
        number(figures.peak, scale),
        number(figures.day_start, scale),
        day_text(figures.day),
        number(figures.daily_return(), DECIMALS),
        number(figures.total_return(), DECIMALS),
        number(figures.drawdown(), DECIMALS),
        number(figures.max_drawdown, DECIMALS),
        figures.sharpe(),
        figures.days,
        number(figures.return_sum, DECIMALS),
        number(figures.square_sum, DECIMALS),
        number(figures.growth, DECIMALS),
        number(win_rate, DECIMALS) if win_rate is not None else None,
        figures.won,
        figures.lost,
        portfolio.open_orders,
        moment_or_none(figures.valued_ts),
        memory.created,
        moment(stamp[0]),
        stamp[1],
        "{}",
    )


def position_row(holding: Holding, position_id: str, portfolio_id: str, stamp: Stamp) -> Row:
    """Of crypto_position."""
    instrument = holding.instrument
    position = holding.position
    scale = instrument.settle_scale
    price_scale = instrument.price_scale
    quantity = position.quantity
    average = None
    numerator, denominator = position.average_price_ratio()
    if numerator:
        average = _rounded(numerator, denominator, price_scale)
    stop, target = _exits(holding)
    return (
        position_id,
        portfolio_id,
        instrument.venue,
        holding.portfolio.name,
        instrument.symbol,
        KINDS[instrument.kind],
        "flat" if quantity == 0 else ("long" if quantity > 0 else "short"),
        number(quantity, instrument.quantity_scale),
        average,
        number(position.cost, scale),
        instrument.settle,
        number(position.realized, scale),
        number(holding.fees, scale),
        number(holding.funding, scale),
        position.leverage,
        MARGIN_MODES[position.margin_mode].value,
        number(position.isolated_margin, scale),
        # CROSS depends on the whole account and on the marks, which no event carries.
        figure_or_none(position.liquidation_price, price_scale)
        if position.margin_mode == ISOLATED
        else None,
        figure_or_none(stop, price_scale),
        figure_or_none(target, price_scale),
        METHODS[position.method].value,
        len(position.lots()),
        moment_or_none(position.opened_ts),
        moment(stamp[0]),
        stamp[1],
        "{}",
    )


def lot_rows(holding: Holding, position_id: str) -> dict[tuple[str, int, str], Row]:
    """Of crypto_position_lot, by (order, when it was opened, price).

    Fills of one order at one moment and price are one row: nothing can tell them apart.
    """
    instrument = holding.instrument
    sums: dict[tuple[str, int, int], tuple[int, int]] = {}
    for lot in holding.position.lots():
        key = (plain(lot.order_id), lot.ts, lot.price)
        quantity, cost = sums.get(key, (0, 0))
        sums[key] = (quantity + lot.quantity, cost + lot.cost)
    rows: dict[tuple[str, int, str], Row] = {}
    for (order_id, ts, price), (quantity, cost) in sums.items():
        shown = number(price, instrument.price_scale)
        rows[order_id, ts, shown] = (
            position_id,
            order_id,
            ts,
            shown,
            number(quantity, instrument.quantity_scale),
            number(cost, instrument.settle_scale),
            moment(ts),
        )
    return rows


def balance_row(state: State, balance: Balance, portfolio_id: str, stamp: Stamp) -> Row:
    """Of crypto_balance."""
    scale = asset_scale(state, balance.asset)
    return (
        portfolio_id,
        balance.venue,
        balance.asset,
        number(balance.total, scale),
        number(balance.held, scale),
        number(balance.margin, scale),
        number(balance.available(), scale),
        moment(stamp[0]),
        stamp[1],
    )


def ledger_row(state: State, line: int, into: Posting, out_of: Posting, portfolio_id: str) -> Row:
    """Of crypto_ledger_entry: one movement between two accounts."""
    kind = out_of.account.rpartition("/")[2]
    return (
        state.seq,
        line,
        portfolio_id,
        into.account,
        out_of.account,
        into.asset,
        number(into.amount, asset_scale(state, into.asset)),
        "transfer" if kind.startswith("@") else kind,
        moment(state.ts),
    )


def asset_scale(state: State, asset: str) -> int:
    """Decimals of an asset's money; of a fee asset that no instrument names, the usual ones."""
    return state.asset_scales.get(asset, 8)


def _average_price(order: Order) -> str | None:
    if not order.filled:
        return None
    return _rounded(order.filled_value, order.filled, order.instrument.price_scale)


def _rounded(numerator: int, denominator: int, scale: int) -> str:
    """A quotient on a scale with all 18 decimals, rounded half-even."""
    return number(div_half_even(numerator * ONE, denominator * 10**scale), DECIMALS)


def _exits(holding: Holding) -> tuple[int, int]:
    """The prices nearest to the market at which working orders would end the position.

    (stop-loss, take-profit); 0 where no order does.
    """
    quantity = holding.position.quantity
    if quantity == 0:
        return 0, 0
    side = SELL if quantity > 0 else BUY
    stops: list[int] = []
    targets: list[int] = []
    for order in chain(holding.market.stops, holding.orders.values()):
        if order.holding is not holding or order.side != side or is_closed(order.life):
            continue
        if order.role == ROLE_STOP_LOSS or (order.type in _STOPS and not order.triggered):
            stops.append(order.trigger_price)
        elif order.role == ROLE_TAKE_PROFIT or order.type in _TARGETS:
            targets.append(order.trigger_price or order.price)
    stops = [price for price in stops if price]
    nearest_stop = max(stops, default=0) if side == SELL else min(stops, default=0)
    nearest_target = min(targets, default=0) if side == SELL else max(targets, default=0)
    return nearest_stop, nearest_target


def first_instrument(state: State, symbol: str) -> Instrument | None:
    """Any venue's instrument of a symbol: scales belong to the symbol."""
    found = state.symbols.get(symbol)
    return found.markets[0].instrument if found is not None else None

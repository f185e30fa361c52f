"""Public views of the core's state: exact Decimals, names instead of codes."""

from decimal import Decimal
from fractions import Fraction

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.ledger import Balance
from zvt_trading.core.margin import cross_wallet, liquidation_price, maintenance_margin
from zvt_trading.core.state import Holding, Order, Portfolio, State
from zvt_trading.core.units import div_half_even
from zvt_trading.core.valuation import base_value
from zvt_trading.messages.codes import ISOLATED, ROLE_STOP_LOSS, ROLE_TAKE_PROFIT
from zvt_trading.messages.events import OrderFilled
from zvt_trading.runtime.codes import (
    MARGIN_MODES,
    METHODS,
    ORDER_TYPES,
    TIMES_IN_FORCE,
    TRADING_STATES,
    liquidity_of,
    reason_of,
    side_of,
    status_of,
)
from zvt_trading.runtime.numbers import to_datetime, to_decimal
from zvt_trading.types import (
    BalanceInfo,
    FillInfo,
    LedgerRow,
    LotInfo,
    OrderInfo,
    PortfolioSummary,
    PositionInfo,
)


def price_or_none(instrument: Instrument, price: int) -> Decimal | None:
    """A price; 0 means there is none."""
    return to_decimal(price, instrument.price_scale) if price else None


def average_price(order: Order) -> Decimal | None:
    """The average fill price, rounded half-even to two digits more than the symbol has."""
    if not order.filled:
        return None
    scale = order.instrument.price_scale + 2
    return to_decimal(div_half_even(order.filled_value * 100, order.filled), scale)


def order_info(order: Order) -> OrderInfo:
    """An order as it stands."""
    instrument = order.instrument
    request = order.request
    scale = instrument.quantity_scale
    return OrderInfo(
        order_id=order.id,
        client_order_id=request.client_tag,
        venue_order_id=order.venue_order_id,
        portfolio_id=request.portfolio,
        strategy_id=request.strategy,
        exchange=instrument.venue,
        symbol=instrument.symbol,
        side=side_of(order.side),
        order_type=ORDER_TYPES[order.type],
        time_in_force=TIMES_IN_FORCE[order.tif],
        status=status_of(order),
        quantity=to_decimal(order.quantity, scale),
        filled_quantity=to_decimal(order.filled, scale),
        price=price_or_none(instrument, order.price),
        trigger_price=price_or_none(instrument, order.trigger_price),
        avg_fill_price=average_price(order),
        post_only=request.post_only,
        reduce_only=request.reduce_only,
        parent_order_id=_parent(order),
        reason=reason_of(order.reason),
        created_at=to_datetime(order.ts),
    )


def _parent(order: Order) -> str:
    """The entry of the bracket that an exit belongs to; "" for all other orders."""
    if order.list is None or order.role not in (ROLE_TAKE_PROFIT, ROLE_STOP_LOSS):
        return ""
    return order.list.orders[0].id


def fill_info(state: State, event: OrderFilled, arrival_twice: int, strategy: str) -> FillInfo:
    """One execution; `arrival_twice` is bid + ask when its order was decided, 0 when unknown.

    Slippage is signed so that a positive number is a cost: side x (price - mid) / mid, in basis
    points, rounded to 4 decimals.
    """
    instrument = state.markets[event.instrument].instrument
    slippage = None
    arrival = None
    if arrival_twice:
        mid = Fraction(arrival_twice, 2)
        ratio = event.side * (event.price - mid) / mid * 100_000_000
        slippage = to_decimal(div_half_even(ratio.numerator, ratio.denominator), 4)
        arrival = to_decimal(arrival_twice * 5, instrument.price_scale + 1)
    return FillInfo(
        order_id=event.order_id,
        trade_id=event.trade_id,
        portfolio_id=event.portfolio,
        strategy_id=strategy,
        exchange=instrument.venue,
        symbol=instrument.symbol,
        side=side_of(event.side),
        price=to_decimal(event.price, instrument.price_scale),
        quantity=to_decimal(event.quantity, instrument.quantity_scale),
        liquidity=liquidity_of(event.liquidity),
        fee=to_decimal(event.fee, state.asset_scales.get(event.fee_asset, 8)),
        fee_asset=event.fee_asset,
        arrival_price=arrival,
        slippage_bps=slippage,
        executed_at=to_datetime(event.ts),
    )


def position_info(holding: Holding) -> PositionInfo:
    """A position with its lots, marked to market."""
    instrument = holding.instrument
    position = holding.position
    portfolio = holding.portfolio
    scale = instrument.settle_scale
    mark = instrument.mark
    numerator, denominator = position.average_price_ratio()
    average = None
    if numerator:
        price = div_half_even(numerator * 100, denominator)
        average = to_decimal(price, instrument.price_scale + 2)
    lots = tuple(
        LotInfo(
            quantity=to_decimal(lot.quantity, instrument.quantity_scale),
            price=to_decimal(lot.price, instrument.price_scale),
            cost=to_decimal(lot.cost, scale),
            opened_at=to_datetime(lot.ts),
            order_id=lot.order_id,
        )
        for lot in position.lots()
    )
    return PositionInfo(
        portfolio_id=portfolio.name,
        exchange=instrument.venue,
        symbol=instrument.symbol,
        quantity=to_decimal(position.quantity, instrument.quantity_scale),
        avg_entry_price=average,
        mark_price=price_or_none(instrument, mark),
        market_value=to_decimal(position.market_value(mark) if mark else 0, scale),
        realized_pnl=to_decimal(position.realized, scale),
        unrealized_pnl=to_decimal(position.unrealized(mark), scale),
        fees=to_decimal(holding.fees, scale),
        funding=to_decimal(holding.funding, scale),
        settle_asset=instrument.settle,
        accounting_method=METHODS[portfolio.method],
        leverage=position.leverage,
        margin_mode=MARGIN_MODES[position.margin_mode],
        margin_used=to_decimal(position.isolated_margin, scale),
        liquidation_price=price_or_none(instrument, liquidation_of(holding)),
        lots=lots,
    )


def liquidation_of(holding: Holding) -> int:
    """The liquidation price now; 0 when there is none (spot, flat, or fully funded)."""
    position = holding.position
    instrument = holding.instrument
    if instrument.is_spot or position.quantity == 0:
        return 0
    if position.margin_mode == ISOLATED:
        return position.liquidation_price
    maintenance = 0
    unrealized = 0
    wallet = holding.settle.total
    for other in holding.portfolio.holdings.values():
        if other.settle is not holding.settle or other.instrument.is_spot or other is holding:
            continue
        if other.position.margin_mode == ISOLATED:
            wallet -= other.position.isolated_margin
        elif other.position.quantity:
            mark = other.instrument.mark
            value = abs(other.position.market_value(mark))
            maintenance += maintenance_margin(value, other.instrument.spec.margin_tiers)
            unrealized += other.position.unrealized(mark)
    return liquidation_price(
        instrument,
        position.quantity,
        position.cost,
        cross_wallet(wallet, maintenance, unrealized),
        instrument.spec.margin_tiers,
    )


def balance_info(state: State, portfolio: Portfolio, balance: Balance) -> BalanceInfo:
    """Cash of one asset on one venue."""
    scale = state.asset_scales.get(balance.asset, portfolio.base_scale)
    value = None if balance.unvalued else to_decimal(balance.value, portfolio.base_scale)
    return BalanceInfo(
        exchange=balance.venue,
        asset=balance.asset,
        total=to_decimal(balance.total, scale),
        reserved=to_decimal(balance.held, scale),
        margin=to_decimal(balance.margin, scale),
        available=to_decimal(balance.available(), scale),
        value=value,
    )


def portfolio_summary(state: State, portfolio: Portfolio) -> PortfolioSummary:
    """A portfolio marked to market, in its base asset."""
    scale = portfolio.base_scale
    realized = unrealized = fees = funding = 0
    for holding in portfolio.holdings.values():
        settle = holding.settle
        position = holding.position
        mark = holding.instrument.mark
        realized += base_value(settle, position.realized)
        unrealized += base_value(settle, position.unrealized(mark))
        fees += base_value(settle, holding.fees)
        funding += base_value(settle, holding.funding)
    cash = sum(b.value for b in portfolio.balances if _is_cash(portfolio, b))
    drawdown = max(0, portfolio.peak_equity - portfolio.equity)
    held = [b for b in portfolio.balances if b.total or b.held or b.margin]
    return PortfolioSummary(
        portfolio_id=portfolio.name,
        base_asset=portfolio.base_asset,
        equity=to_decimal(portfolio.equity, scale),
        cash=to_decimal(cash, scale),
        realized_pnl=to_decimal(realized, scale),
        unrealized_pnl=to_decimal(unrealized, scale),
        fees=to_decimal(fees, scale),
        funding=to_decimal(funding, scale),
        exposure=to_decimal(portfolio.exposure, scale),
        daily_pnl=to_decimal(
            portfolio.equity - portfolio.day_start_equity if portfolio.day >= 0 else 0, scale
        ),
        drawdown=to_decimal(drawdown, scale),
        open_orders=portfolio.open_orders,
        trading_state=TRADING_STATES[max(state.trading_state, portfolio.trading_state)],
        accounting_method=METHODS[portfolio.method],
        balances=tuple(balance_info(state, portfolio, b) for b in held),
        positions=tuple(
            position_info(h) for h in portfolio.holdings.values() if h.position.quantity
        ),
        unvalued_assets=tuple(f"{b.venue}:{b.asset}" for b in held if b.unvalued),
        updated_at=to_datetime(state.ts),
    )


def _is_cash(portfolio: Portfolio, balance: Balance) -> bool:
    """The base asset and its pars; coins are positions."""
    return balance.asset == portfolio.base_asset or balance.asset in portfolio.request.par_assets


def ledger_rows(state: State) -> tuple[LedgerRow, ...]:
    """The books' proof, one row a portfolio and asset."""
    rows = []
    for portfolio in state.portfolios.values():
        for row in state.ledger.proof(portfolio.name):
            scale = state.asset_scales.get(row.asset, portfolio.base_scale)
            rows.append(
                LedgerRow(
                    portfolio_id=portfolio.name,
                    asset=row.asset,
                    deposits=to_decimal(row.deposits, scale),
                    trading=to_decimal(row.trading, scale),
                    fees=to_decimal(row.fees, scale),
                    funding=to_decimal(row.funding, scale),
                    insurance=to_decimal(row.insurance, scale),
                    adjustments=to_decimal(row.adjustment, scale),
                    balance=to_decimal(row.balance, scale),
                    difference=to_decimal(row.difference, scale),
                )
            )
    return tuple(rows)

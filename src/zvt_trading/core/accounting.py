"""What events do to money: every change of a balance is a posting against a named account."""

from zvt_trading.core.ledger import (
    ADJUSTMENT,
    EXTERNAL,
    FEES,
    FUNDING,
    INSURANCE,
    TRADING,
)
from zvt_trading.core.margin import initial_margin, liquidation_price
from zvt_trading.core.state import Holding, State
from zvt_trading.core.valuation import refresh, revalue
from zvt_trading.messages.codes import ISOLATED


def book_fill(
    state: State, holding: Holding, side: int, price: int, quantity: int, ts: int, order_id: str
) -> int:
    """Book a fill's assets and position; returns the PnL realised, settle-asset units."""
    instrument = holding.instrument
    ledger = state.ledger
    if instrument.is_spot:
        value = instrument.value(price, quantity)
        amount = instrument.base_amount(quantity)
        ledger.post(holding.settle, TRADING, -value if side > 0 else value)
        ledger.post(holding.base, TRADING, amount if side > 0 else -amount)
        realized = holding.position.apply_fill(side, price, quantity, ts, order_id)
        revalue(holding.portfolio, holding.base)
    else:
        realized = holding.position.apply_fill(side, price, quantity, ts, order_id)
        ledger.post(holding.settle, TRADING, realized)
        update_margin(holding)
    revalue(holding.portfolio, holding.settle)
    return realized


def book_fee(state: State, holding: Holding, asset: str, fee: int, price: int, ts: int) -> None:
    """Book a fee (negative: a rebate) in the settle asset, the base asset or a third one."""
    if fee == 0:
        return
    portfolio = holding.portfolio
    instrument = holding.instrument
    if asset == instrument.settle:
        state.ledger.post(holding.settle, FEES, -fee)
        holding.fees += fee
        revalue(portfolio, holding.settle)
    elif instrument.is_spot and asset == instrument.base:
        state.ledger.post(holding.base, FEES, -fee)
        holding.position.pay_base_fee(fee, price, ts)
        holding.fees += instrument.value(price, fee) // instrument.base_unit
        revalue(portfolio, holding.base)
    else:
        balance = state.balance(portfolio, instrument.venue, asset)
        state.ledger.post(balance, FEES, -fee)
        revalue(portfolio, balance)


def book_funding(state: State, holding: Holding, amount: int) -> None:
    """Book funding (`amount` > 0 is paid by us)."""
    state.ledger.post(holding.settle, FUNDING, -amount)
    holding.funding += amount
    revalue(holding.portfolio, holding.settle)


def book_external(state: State, portfolio: str, venue: str, asset: str, amount: int) -> None:
    """Book a deposit (> 0) or a withdrawal (< 0)."""
    _book_cash(state, portfolio, venue, asset, EXTERNAL, amount)


def book_adjustment(state: State, portfolio: str, venue: str, asset: str, amount: int) -> None:
    """Book money that came (> 0) or went at the venue by what is neither ours nor a deposit."""
    _book_cash(state, portfolio, venue, asset, ADJUSTMENT, amount)


def book_insurance(state: State, holding: Holding, amount: int) -> None:
    """The venue's insurance fund bears a loss beyond the margin of a liquidated position."""
    state.ledger.post(holding.settle, INSURANCE, amount)
    revalue(holding.portfolio, holding.settle)


def update_margin(holding: Holding) -> None:
    """Tie up what the position needs: its entry value over its leverage (both margin modes).

    The liquidation price is kept for ISOLATED, where it depends on nothing but the position; for
    CROSS it depends on the whole account and is computed when it is asked for.
    """
    position = holding.position
    needed = initial_margin(position.cost, position.leverage) if position.quantity else 0
    change = needed - position.isolated_margin
    if change > 0:
        holding.settle.add_margin(change)
    elif change < 0:
        holding.settle.free_margin(-change)
    position.isolated_margin = needed
    position.liquidation_price = 0
    if position.quantity and position.margin_mode == ISOLATED:
        position.liquidation_price = liquidation_price(
            holding.instrument,
            position.quantity,
            position.cost,
            needed,
            holding.instrument.spec.margin_tiers,
        )


def set_open(holding: Holding, side: int, change: int) -> None:
    """Change the open quantity of a side and the exposure with it."""
    if side > 0:
        holding.open_buy += change
    else:
        holding.open_sell += change
    refresh(holding)


def _book_cash(
    state: State, portfolio: str, venue: str, asset: str, kind: int, amount: int
) -> None:
    owner = state.portfolios[portfolio]
    balance = state.balance(owner, venue, asset)
    state.ledger.post(balance, kind, amount)
    revalue(owner, balance)

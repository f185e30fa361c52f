"""Marking to market: equity, exposure and unrealised PnL in each portfolio's base asset, live.

Everything here is a view of the state through the market's prices. It is kept incrementally, so a
quote costs a few additions whatever the number of instruments; none of it is journalled.
"""

from zvt_trading.core.ledger import Balance
from zvt_trading.core.state import Holding, Market, Portfolio


def base_value(balance: Balance, amount: int) -> int:
    """An amount of the balance's asset in the portfolio's base asset, rounded down."""
    if balance.rate_num == balance.rate_den:
        return amount
    if balance.rate_num == 1:  # another scale of the base asset: compiled, no product of money
        return amount // balance.rate_den
    return amount * balance.rate_num // balance.rate_den


def revalue(portfolio: Portfolio, balance: Balance) -> None:
    """Bring a balance's value, and with it the equity, up to date with its total."""
    value = base_value(balance, balance.total)
    portfolio.equity += value - balance.value
    balance.value = value


def refresh(holding: Holding) -> None:
    """Bring a holding's unrealised PnL and worst-case exposure up to date with its mark."""
    instrument = holding.instrument
    mark = instrument.mark
    settle = holding.settle
    quantity = holding.position.quantity
    portfolio = holding.portfolio
    if not instrument.is_spot:  # spot gains are in the base asset's balance already
        gain = base_value(settle, holding.position.unrealized(mark))
        portfolio.equity += gain - holding.unrealized_value
        holding.unrealized_value = gain
    longest = quantity + holding.open_buy
    shortest = holding.open_sell - quantity
    worst = longest if longest > shortest else shortest
    exposure = 0
    if worst > 0 and mark > 0:
        exposure = base_value(settle, instrument.value(mark, worst))
    portfolio.exposure += exposure - holding.exposure_value
    holding.exposure_value = exposure


def mark_market(market: Market) -> None:
    """After the instrument's mark moved: revalue the balances and holdings that follow it."""
    mark = market.instrument.mark
    for valued in market.valued:
        balance = valued.balance
        balance.rate_num = mark
        balance.rate_den = valued.rate_den
        before = balance.value
        revalue(valued.portfolio, balance)
        if balance.unvalued:
            balance.unvalued = False
            if not balance.had_value:
                valued.portfolio.equity_shift += balance.value - before
        for settled in valued.settled:
            refresh(settled)
    for holding in market.holdings:
        if holding.position.quantity or holding.open_buy or holding.open_sell:
            refresh(holding)


def is_marked(portfolio: Portfolio) -> bool:
    """Whether the equity is whole: after a restart what had a price must first get one again."""
    if not portfolio.unmarked:
        return True
    for balance in portfolio.balances:
        if balance.total and balance.unvalued and balance.had_value:
            return False
    for holding in portfolio.holdings.values():
        instrument = holding.instrument
        if holding.position.quantity and not instrument.is_spot and instrument.mark <= 0:
            return False
    return True


def set_quote(market: Market, bid: int, bid_size: int, ask: int, ask_size: int, ts: int) -> None:
    """Take a new top of book; the mid is the mark where the venue sends no mark price."""
    instrument = market.instrument
    instrument.bid_size = bid_size
    instrument.ask_size = ask_size
    instrument.quote_ts = ts
    if bid == instrument.bid and ask == instrument.ask:
        return
    instrument.bid = bid
    instrument.ask = ask
    if not instrument.has_mark_feed and bid and ask:
        mid = (bid + ask) >> 1
        if mid != instrument.mark:
            instrument.mark = mid
            mark_market(market)


def equity_from_scratch(portfolio: Portfolio) -> int:
    """The equity computed anew from balances and positions: what the incremental one must equal."""
    total = 0
    for balance in portfolio.balances:
        total += balance.total * balance.rate_num // balance.rate_den
    for holding in portfolio.holdings.values():
        if not holding.instrument.is_spot:
            gain = holding.position.unrealized(holding.instrument.mark)
            total += gain * holding.settle.rate_num // holding.settle.rate_den
    return total

"""What a portfolio has made of its money, from the samples of its equity alone.

Definitions (all ratios in units of 1e-18; days are UTC):

- daily return: value / value the day began with - 1; both are net of deposits and withdrawals,
  which move the day's beginning along (EquitySampled);
- total return: the days' returns compounded (time-weighted, GIPS), so that money put in or taken
  out is neither profit nor loss;
- drawdown: how far the value is below its peak, a part of the peak;
- Sharpe ratio: mean of the daily returns over their sample standard deviation, times sqrt(365),
  risk-free rate 0 (Sharpe 1994, "The Sharpe Ratio", https://web.stanford.edu/~wfsharpe/art/sr/sr.htm);
- a figure that the tables cannot hold is the largest that they can (values.within);
- win rate: won trades of all closing trades. One is won when what it realised, less its own fee
  where that is in the same asset, is above zero.
"""

from decimal import Context, Decimal
from typing import Final

from zvt_trading.core.units import div_half_even
from zvt_trading.messages.events import EquitySampled
from zvt_trading.runtime.projections.values import DECIMALS, ONE, WHOLE_MAX, ratio, within

DAYS_A_YEAR: Final = 365
"""Crypto trades every day."""

_CONTEXT: Final = Context(prec=60)
_PLACES: Final = Decimal(1).scaleb(-DECIMALS)
_LARGEST: Final = Decimal(WHOLE_MAX)


class Performance:
    """One portfolio's figures; kept between two writes of its row."""

    def __init__(self) -> None:
        self.value = 0
        self.peak = 0
        self.day_start = 0
        self.day = -1
        self.valued_ts = 0
        self.max_drawdown = 0
        self.days = 0  # that have ended
        self.return_sum = 0
        self.square_sum = 0
        self.growth = ONE  # of one unit of money over the days that have ended
        self.won = 0
        self.lost = 0

    def sampled(self, event: EquitySampled, scale: int = 0) -> None:
        """The equity (on the base asset's `scale`) was marked to market."""
        if event.day != self.day and self.day >= 0 and self.day_start > 0:
            self._end_day(_return(within(event.equity, scale), self.day_start))
        self.value = within(event.equity, scale)
        self.peak = within(event.peak, scale)
        self.day_start = within(event.day_start, scale)
        self.day = event.day
        self.valued_ts = event.ts
        self.max_drawdown = max(self.max_drawdown, self.drawdown())

    def closed(self, gain: int) -> None:
        """A trade closed something, for a gain or a loss."""
        if gain > 0:
            self.won += 1
        else:
            self.lost += 1

    def drawdown(self) -> int:
        """Now, as a part of the peak."""
        return ratio(max(0, self.peak - self.value), self.peak) if self.peak > 0 else 0

    def daily_return(self) -> int:
        """Of the day under way."""
        return _return(self.value, self.day_start) if self.day_start > 0 else 0

    def total_return(self) -> int:
        """Of all days, the one under way included."""
        return within(_grown(self.growth, self.daily_return()) - ONE, DECIMALS)

    def win_rate(self) -> int | None:
        """None before the first closing trade."""
        trades = self.won + self.lost
        return ratio(self.won, trades) if trades else None

    def sharpe(self) -> str | None:
        """With 18 decimals; None before two days have ended, or when all were alike.

        Each square was rounded by up to half a unit: less variance than that is none.
        """
        days = self.days
        scaled_variance = days * self.square_sum * ONE - self.return_sum * self.return_sum
        if days < 2 or scaled_variance <= days * days * ONE // 2:
            return None
        # mean / deviation = (sum / n) / sqrt((n * squares - sum^2) / (n * (n - 1)))
        mean = _CONTEXT.divide(Decimal(self.return_sum), Decimal(days))
        variance = _CONTEXT.divide(Decimal(scaled_variance), Decimal(days * (days - 1)))
        deviation = _CONTEXT.sqrt(variance)
        year = _CONTEXT.sqrt(Decimal(DAYS_A_YEAR))
        found = _CONTEXT.multiply(_CONTEXT.divide(mean, deviation), year)
        held = max(-_LARGEST, min(found, _LARGEST))
        return f"{held.quantize(_PLACES, context=_CONTEXT):f}"

    def _end_day(self, day_return: int) -> None:
        self.days += 1
        self.return_sum = within(self.return_sum + day_return, DECIMALS)
        square = div_half_even(day_return * day_return, ONE)
        self.square_sum = within(self.square_sum + square, DECIMALS)
        self.growth = _grown(self.growth, day_return)


def _return(value: int, before: int) -> int:
    """From one value to another, as a part of it (`before` > 0)."""
    return within(ratio(value, before) - ONE, DECIMALS)


def _grown(growth: int, day_return: int) -> int:
    """After one more day."""
    return within(div_half_even(growth * (ONE + day_return), ONE), DECIMALS)

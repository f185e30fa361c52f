"""The marks that drawdown, daily loss and returns are measured from, and how they are moved."""

from zvt_trading.core.recorder import Recorder
from zvt_trading.core.state import Portfolio
from zvt_trading.core.units import DAY
from zvt_trading.messages.events import EquitySampled


def sample_equity(
    recorder: Recorder, portfolio: Portfolio, peak: int, day_start: int, day: int
) -> None:
    """Record a portfolio's equity with these marks (base asset units; days since 1970)."""
    recorder.record(
        EquitySampled(
            recorder.seq(), recorder.now, portfolio.name, portfolio.equity, peak, day_start, day
        )
    )


def shift_marks(recorder: Recorder, portfolio: Portfolio, change: int) -> None:
    """Cash that came or went, or got its first price, is neither profit nor loss."""
    change += portfolio.equity_shift
    portfolio.equity_shift = 0
    if change == 0:
        return
    peak = portfolio.peak_equity + change
    day_start = portfolio.day_start_equity + change
    day = portfolio.day if portfolio.day >= 0 else recorder.now // DAY
    sample_equity(recorder, portfolio, peak, day_start, day)

"""Recorded market data: what `replay` and backtests read."""

from zvt_trading.adapters.files.book_check import BookChecker
from zvt_trading.adapters.files.feed import RecordedFeed, open_recordings

__all__ = ["BookChecker", "RecordedFeed", "open_recordings"]

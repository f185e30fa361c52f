"""Recorded markets as feeds: Binance recordings, CSV, Parquet and Lean files, merged by time."""

from zvt_trading.adapters.files.book_check import BookChecker
from zvt_trading.adapters.files.merge import RecordedFeed, feed_for, merge, open_recordings

__all__ = ["BookChecker", "RecordedFeed", "feed_for", "merge", "open_recordings"]

"""Strategies: the base class and two examples."""

from zvt_trading.strategies.base import Strategy

__all__ = ["Strategy"]

"""The tables as a function of the journal: see projector.py."""

from zvt_trading.runtime.projections.projector import Projector

__all__ = ["Projector"]

"""Errors by who is at fault. Business refusals are results with a reason code, not exceptions."""


class ZvtTradingError(Exception):
    """Base of all our errors."""


class CallerError(ZvtTradingError, ValueError):
    """The caller gave something that cannot be meant; says what, and what is allowed."""


class OrderNotFoundError(CallerError, LookupError):
    """No order with this id is known."""


class PortfolioNotFoundError(CallerError, LookupError):
    """No portfolio with this id is open."""


class SymbolNotFoundError(CallerError, LookupError):
    """No venue, or not this venue, lists the symbol."""


class DataError(ZvtTradingError):
    """Recorded data cannot be read; the message names the file and the line."""


class VenueError(ZvtTradingError):
    """A venue misbehaved."""


class EngineError(ZvtTradingError):
    """A bug of ours: trading is halted, the journal stays."""

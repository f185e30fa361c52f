"""What can be wrong with settings and keys. No message has a secret in it."""

from zvt_trading.errors import CallerError


class ConfigError(CallerError):
    """The settings cannot be meant; says every key path, what was given and what is allowed."""


class KeyStoreError(CallerError):
    """API keys cannot be read or kept; says where, and what to do."""

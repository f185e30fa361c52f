"""From what a user says of a venue to what its ccxt object is made with."""

import socket
import ssl
from importlib import import_module
from typing import cast

from zvt_trading.adapters.ccxt.client import ApiCredentials, Endpoint
from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.model import VenueSettings


def dialect_of(venue: str) -> Dialect:
    """How an exchange is spoken to; only the ones that are used are loaded."""
    return cast("Dialect", import_module(f"zvt_trading.adapters.ccxt.{venue}").DIALECT)


def credentials_of(keys: Credentials | None) -> ApiCredentials:
    """Keys in the client's form; empty ones ask what needs no keys."""
    if keys is None:
        return ApiCredentials()
    return ApiCredentials(keys.key, keys.secret, keys.password)


def endpoint_of(venue: str, settings: VenueSettings) -> Endpoint | None:
    """The private testnet that the settings name; None for the exchange itself.

    Raises ConfigError when its name or its authority's file is none.
    """
    if settings.endpoint is None:
        return None
    host, _, port = settings.endpoint.rpartition(":")
    ca_file = str(settings.ca_file) if settings.ca_file is not None else ""
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        text = f"venues.{venue}.ca_file = {ca_file!r}: {error.strerror or error}; it must be a PEM"
        raise ConfigError(text) from None
    try:
        # A number: the client's resolver is not asked a second time.
        address = socket.gethostbyname(host)
    except OSError as error:
        text = f"venues.{venue}.endpoint: no IPv4 address of {host!r}: {error.strerror or error}"
        raise ConfigError(text) from None
    return Endpoint(address, int(port), ca_file)

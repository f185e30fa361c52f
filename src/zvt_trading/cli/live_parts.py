"""What `doctor` and `run` need of the engine and its venues: the seam between them.

The commands know only `LiveParts`, so that they can be tried with parts made by hand; a command
takes the ones given as its context's object, or else the engine's.
"""

import asyncio
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Protocol, cast

import typer

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.model import Settings, VenueSettings
from zvt_trading.ports.venue_probe import VenueProbe


class LiveParts(Protocol):
    """Asks venues, and runs the engine on them."""

    def probe(self, venue: str, settings: VenueSettings, keys: Credentials | None) -> VenueProbe:
        """What asks a venue; nothing is sent yet. Called where an event loop runs."""

    async def run(
        self, settings: Settings, keys: Mapping[str, Credentials], stop: asyncio.Event
    ) -> None:
        """Trade until `stop` is set, then stop gracefully and return.

        `keys` are by venue, empty for paper trading. Raises as `live_runs` does.
        """


class EngineParts:
    """The real ones, over ccxt; imported when they are needed."""

    def probe(self, venue: str, settings: VenueSettings, keys: Credentials | None) -> VenueProbe:
        """Ask the exchange itself, or the private testnet that the settings name."""
        module = import_module("zvt_trading.adapters.ccxt.probe")
        return cast("VenueProbe", module.CcxtProbe(venue, settings, keys))

    async def run(
        self, settings: Settings, keys: Mapping[str, Credentials], stop: asyncio.Event
    ) -> None:
        """Run the engine."""
        module = import_module("zvt_trading.live_runs")
        await module.run_live(settings, keys, stop=stop)


def live_parts(context: typer.Context) -> LiveParts:
    """The parts given as the context's object, or else the engine's."""
    given: LiveParts | None = context.obj
    return EngineParts() if given is None else given


def ask_passphrase() -> str | None:
    """The passphrase of the file of keys, typed unseen; None where nobody can type."""
    if not sys.stdin.isatty():
        return None
    typed: str = typer.prompt("Passphrase of the keys' file", hide_input=True, err=True)
    return typed

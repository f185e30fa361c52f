"""A run from its keys to its end: what they may do is asked first, and signals stop it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError
from zvt_trading.adapters.settings.model import Mode, Settings
from zvt_trading.cli.checks import PROBE_SECONDS_MAX, withdraw_problem
from zvt_trading.cli.exits import notice
from zvt_trading.cli.live_parts import LiveParts
from zvt_trading.cli.signals import on_signals
from zvt_trading.errors import VenueError
from zvt_trading.ports.venue_probe import KeyPermissions

_log = structlog.get_logger("zvt_trading.run")


async def trade(
    settings: Settings,
    keys: Mapping[str, Credentials],
    parts: LiveParts,
    *,
    allow_withdraw: bool = False,
) -> None:
    """Trade until a signal comes; a second one stops at once (CancelledError).

    Raises KeyStoreError for keys that cannot trade, or that can withdraw (unless that is allowed),
    VenueError when a venue does not say.
    """
    if settings.mode is Mode.LIVE:
        await _check_permissions(settings, keys, parts, allow_withdraw=allow_withdraw)
    stop = asyncio.Event()
    running = asyncio.ensure_future(parts.run(settings, keys, stop))
    with _stopped_by_signals(stop, running):
        await running


async def _check_permissions(
    settings: Settings,
    keys: Mapping[str, Credentials],
    parts: LiveParts,
    *,
    allow_withdraw: bool,
) -> None:
    """Refuse keys before anything is sent with them that moves money."""
    for name, venue in settings.trading_venues().items():
        probe = parts.probe(name, venue, keys[name])
        try:
            async with asyncio.timeout(PROBE_SECONDS_MAX):
                may = await probe.permissions()
        except TimeoutError:
            text = f"{name} did not say within {PROBE_SECONDS_MAX} s what the keys may do"
            raise VenueError(text) from None
        finally:
            await probe.close()
        _judge(name, venue.account, may, allow_withdraw=allow_withdraw)


def _judge(venue: str, account: str, may: KeyPermissions, *, allow_withdraw: bool) -> None:
    if may.can_trade is False:
        raise KeyStoreError(f"{venue}/{account}: the keys cannot trade; let them, at the venue")
    problem = withdraw_problem(may)
    if problem and not allow_withdraw:
        raise KeyStoreError(
            f"{venue}/{account}: {problem}: whoever gets hold of them can empty the account; make "
            "keys without that permission, or say --allow-withdraw-keys"
        )
    if problem:
        _log.warning("withdraw_keys_allowed", venue=venue, account=account, problem=problem)


@contextmanager
def _stopped_by_signals(stop: asyncio.Event, running: asyncio.Future[None]) -> Iterator[None]:
    """The first signal asks the run to stop, the second one cancels it."""

    def stop_now() -> None:
        if stop.is_set():
            running.cancel()
            return
        notice("stopping; once more stops at once, with orders left open")
        stop.set()

    with on_signals(stop_now):
        yield

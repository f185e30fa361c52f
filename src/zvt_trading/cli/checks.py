"""What `doctor` looks at: config, store, keys, and each venue. Nothing is changed anywhere."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.key_file import KeyFile
from zvt_trading.adapters.settings.keys import KeySource, find_keys
from zvt_trading.adapters.settings.loading import load
from zvt_trading.adapters.settings.model import Mode, Settings, VenueSettings
from zvt_trading.adapters.store.opening import (
    SCHEMA_VERSION,
    default_url,
    is_in_memory,
    open_existing,
    shown_url,
    stored_version,
)
from zvt_trading.cli.live_parts import LiveParts
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.ports.store import StoreError
from zvt_trading.ports.venue_probe import ClockReading, KeyPermissions, VenueProbe
from zvt_trading.runtime.purpose import stored_purpose

CLOCK_OFFSET_MS_MAX: Final = 1_000
"""Binance and Bybit refuse a request from more than 1,000 ms ahead of their clock."""

CLOCK_OFFSET_MS_GOOD: Final = 500
"""A clock that is kept by NTP is a hundred times better."""

PROBE_SECONDS_MAX: Final = 30
"""For all questions to one venue: longer, and it could not be traded there either."""

SYMBOLS_SHOWN: Final = 10


class Status(StrEnum):
    """FAIL: `run` will not work, or must not."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Check(Struct, frozen=True):
    """One finding; `subject` is what was looked at, `facts` the numbers behind the text."""

    subject: str
    status: Status
    text: str
    facts: dict[str, object] = {}


class Found(Struct, frozen=True):
    """What there is to go on with; `keys` are by venue."""

    settings: Settings
    keys: dict[str, Credentials]


def check_config(
    path: Path, env: Mapping[str, str], mode: Mode | None
) -> tuple[Settings | None, list[Check]]:
    """The settings for a mode, None when they cannot be used, and what is to be said of them."""
    try:
        settings = load(path, env).for_mode(mode)
    except ConfigError as error:
        return None, [Check("config", Status.FAIL, str(error))]
    trading = ", ".join(settings.trading_venues())
    checks = [Check("config", Status.OK, f"{path}: {settings.mode} on {trading}")]
    checks += list(_files(path, settings))
    return settings, checks


def _files(path: Path, settings: Settings) -> Iterator[Check]:
    """Files that are not there, or can be read by too many."""
    if os.name == "posix" and path.stat().st_mode & 0o022:
        text = f"{path} can be written by others, who then decide what is traded: chmod 600"
        yield Check("config", Status.WARN, text)
    for name, venue in settings.trading_venues().items():
        if venue.ca_file is not None and not venue.ca_file.is_file():
            yield Check(name, Status.FAIL, f"venues.{name}.ca_file: no file {venue.ca_file}")


def check_store(settings: Settings) -> Check:
    """Whether the store opens, is of our version, for this mode and these venues, and free."""
    from zvt_trading.live_setup import purpose_problem

    url = settings.db_url or default_url()
    try:
        if is_in_memory(url):
            status = Status.FAIL if settings.mode is Mode.LIVE else Status.WARN
            return Check("store", status, "sqlite:///:memory: remembers nothing; name a file")
        name = shown_url(url)
        version = stored_version(url)
        if version is None:
            return Check("store", Status.OK, f"{name}: none yet; it is made at the first start")
        if version != SCHEMA_VERSION:
            text = f"{name}: version {version}, not {SCHEMA_VERSION}; see: zvt-trading db upgrade"
            return Check("store", Status.FAIL, text)
        with closing(open_existing(url)) as store:
            last, lease = store.last(), store.lease()
            problem = purpose_problem(settings, stored_purpose(store))
    except (StoreError, CallerError) as error:
        return Check("store", Status.FAIL, str(error))
    if problem:
        return Check("store", Status.FAIL, f"{name} {problem}")
    entries = last.seq if last is not None else 0
    facts: dict[str, object] = {"entries": entries, "used_by": lease.owner or None}
    if lease.owner:
        text = (
            f"{name}: used by {lease.owner}, last heard of {lease.renewed_at}: one engine a store"
        )
        return Check("store", Status.WARN, text, facts)
    return Check("store", Status.OK, f"{name}: {entries} entries, free", facts)


def check_keys(
    settings: Settings, sources: Sequence[KeySource]
) -> tuple[dict[str, Credentials], list[Check]]:
    """The keys that live trading needs, and what is to be said of them and of their file."""
    checks = []
    for source in sources:
        problem = source.problem() if isinstance(source, KeyFile) else ""
        if problem:
            checks.append(Check("keys", Status.FAIL, problem))
    if settings.mode is Mode.PAPER:
        return {}, [*checks, Check("keys", Status.OK, "none are needed for paper trading")]
    found: dict[str, Credentials] = {}
    for name, venue in settings.trading_venues().items():
        try:
            keys = find_keys(sources, name, venue.account)
        except CallerError as error:
            checks.append(Check(name, Status.FAIL, str(error)))
            continue
        if keys is None:
            text = f"no API keys for {name}/{venue.account}; do: zvt-trading keys set {name}"
            checks.append(Check(name, Status.FAIL, text))
        else:
            found[name] = keys
            text = f"API key {keys.hint} of {name}/{venue.account} from the {keys.source}"
            checks.append(Check(name, Status.OK, text))
    return found, checks


async def check_venues(
    settings: Settings, keys: Mapping[str, Credentials], parts: LiveParts
) -> list[Check]:
    """Every venue that is enabled, all at the same time; in the order of the file."""
    found = await asyncio.gather(
        *(
            _check_venue(name, venue, keys.get(name), parts)
            for name, venue in settings.trading_venues().items()
        )
    )
    return [check for checks in found for check in checks]


async def _check_venue(
    name: str, venue: VenueSettings, keys: Credentials | None, parts: LiveParts
) -> list[Check]:
    """Everything about one venue, up to the question that it does not answer."""
    checks: list[Check] = []
    probe = parts.probe(name, venue, keys)
    try:
        async with asyncio.timeout(PROBE_SECONDS_MAX):
            await _ask(name, venue, keys, probe, checks)
    except TimeoutError:
        text = f"no answer within {PROBE_SECONDS_MAX} s"
        checks.append(Check(name, Status.FAIL, text))
    except (VenueError, CallerError, OSError) as error:
        checks.append(Check(name, Status.FAIL, f"{type(error).__name__}: {error}"))
    finally:
        await probe.close()
    return checks


async def _ask(
    name: str,
    venue: VenueSettings,
    keys: Credentials | None,
    probe: VenueProbe,
    checks: list[Check],
) -> None:
    """Put every answer among the checks as it comes."""
    checks.append(judge_clock(name, await probe.clock()))
    checks.append(judge_symbols(name, venue.symbols, await probe.instruments()))
    if keys is not None:
        checks += judge_permissions(name, await probe.permissions())


def judge_clock(venue: str, reading: ClockReading) -> Check:
    """Whether the venue will take our time stamps."""
    offset, trip = reading.offset_ms, reading.round_trip_ms
    facts: dict[str, object] = {"clock_offset_ms": offset, "round_trip_ms": trip}
    side = "ahead of" if offset >= 0 else "behind"
    text = f"its clock is {abs(offset)} ms {side} ours (round trip {trip} ms)"
    if abs(offset) > CLOCK_OFFSET_MS_MAX:
        text += f", at most {CLOCK_OFFSET_MS_MAX} ms is allowed: set this machine's clock by NTP"
        return Check(venue, Status.FAIL, text, facts)
    status = Status.OK if abs(offset) <= CLOCK_OFFSET_MS_GOOD else Status.WARN
    return Check(venue, status, text, facts)


def judge_symbols(venue: str, wanted: Sequence[str], listed: frozenset[str]) -> Check:
    """Whether all that is to be traded is listed."""
    facts: dict[str, object] = {"instruments": len(listed)}
    missing = [symbol for symbol in wanted if symbol not in listed]
    if missing:
        shown = ", ".join(missing[:SYMBOLS_SHOWN])
        text = f"it does not list {shown}, of venues.{venue}.symbols"
        return Check(venue, Status.FAIL, text, facts | {"missing": missing})
    text = f"it lists all {len(wanted)} symbols that are to be traded"
    return Check(venue, Status.OK, text, facts)


def judge_permissions(venue: str, may: KeyPermissions) -> list[Check]:
    """Keys must be able to trade, must not be able to withdraw, and should be bound to an IP."""
    facts: dict[str, object] = {
        "can_trade": may.can_trade,
        "can_withdraw": may.can_withdraw,
        "is_ip_restricted": may.is_ip_restricted,
    }
    checks = []
    if may.can_trade is False:
        checks.append(Check(venue, Status.FAIL, "the keys cannot trade: let them", facts))
    if may.can_withdraw is not False:
        problem = withdraw_problem(may)
        checks.append(Check(venue, Status.FAIL, f"{problem}: `run` refuses them", facts))
    if may.can_trade is None:
        text = "whether the keys can trade, the venue does not say"
        checks.append(Check(venue, Status.WARN, text, facts))
    if may.is_ip_restricted is False:
        text = "the keys work from any IP address: restrict them to this machine's"
        checks.append(Check(venue, Status.WARN, text, facts))
    if not checks:
        checks.append(Check(venue, Status.OK, "the keys can trade and not withdraw", facts))
    return checks


def withdraw_problem(may: KeyPermissions) -> str:
    """Why keys must not be used; "" when they cannot withdraw."""
    if may.can_withdraw is None:
        return "whether the keys can withdraw, the venue does not say"
    return "the keys can withdraw money" if may.can_withdraw else ""

"""Config files, a keyring in memory, and venues that answer as they are told."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import keyring
import structlog
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.loading import load
from zvt_trading.adapters.settings.model import Settings, VenueSettings
from zvt_trading.ports.venue_probe import ClockReading, KeyPermissions, VenueProbe

KEY: Final = "AKIAvmPUz28KzqQQtTjnh4r"
SECRET: Final = "hunter2/Kx+9=QmVyeVNlY3JldA"  # noqa: S105 - what must not be seen
PASSWORD: Final = "correct horse & battery"  # noqa: S105 - as above
PASSPHRASE: Final = "twelve is enough"  # noqa: S105 - as above
PEM: Final = (
    "-----BEGIN EC PRIVATE KEY-----\n"
    "MHcCAQEEIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeoAoGCCqGSM49\n"
    "AwEHoUQDQgAEfakefakefakefakefake\n"
    "-----END EC PRIVATE KEY-----"
)

SMALL: Final = """
[[portfolio]]
cash = { binance = "10000" }
[venues.binance]
symbols = ["BTC/USDT"]
"""
"""The least there can be, for paper and live."""


def config(folder: Path, text: str = SMALL) -> Path:
    """A config file."""
    path = folder / "config.toml"
    path.write_text(text)
    path.chmod(0o600)
    return path


def settings_of(folder: Path, text: str = SMALL, env: Mapping[str, str] | None = None) -> Settings:
    """What a config file with this text says."""
    return load(config(folder, text), env or {})


class MemoryKeyring(KeyringBackend):
    """A keyring that lasts as long as a test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's has no types
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[(service, username)] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@contextmanager
def system_keyring(backend: KeyringBackend) -> Iterator[KeyringBackend]:
    """Make a backend the system's keyring while the block lasts: no test sees the user's own."""
    before = keyring.get_keyring()
    keyring.set_keyring(backend)
    try:
        yield backend
    finally:
        keyring.set_keyring(before)


@contextmanager
def logging_as_before() -> Iterator[None]:
    """Whatever the block sets up for logging ends with it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    try:
        yield
    finally:
        structlog.reset_defaults()
        root.setLevel(level)
        root.handlers[:] = handlers


Answer = TypeVar("Answer")

ON_TIME: Final = ClockReading(venue_ms=1_000, sent_ms=990, received_ms=1_010)
GOOD: Final = KeyPermissions(can_trade=True, can_withdraw=False, is_ip_restricted=True)


@dataclass
class ScriptedProbe:
    """A venue that answers as it is told; an exception among its answers is raised."""

    clock_is: ClockReading | Exception = ON_TIME
    instruments_are: frozenset[str] | Exception = frozenset({"BTC/USDT"})
    permissions_are: KeyPermissions | Exception = GOOD
    asked: list[str] = field(default_factory=list)

    async def clock(self) -> ClockReading:
        return self._answer("clock", self.clock_is)

    async def instruments(self) -> frozenset[str]:
        return self._answer("instruments", self.instruments_are)

    async def permissions(self) -> KeyPermissions:
        return self._answer("permissions", self.permissions_are)

    async def close(self) -> None:
        self.asked.append("close")

    def _answer(self, question: str, answer: Answer | Exception) -> Answer:
        self.asked.append(question)
        if isinstance(answer, Exception):
            raise answer
        return answer


Running = Callable[[Settings, Mapping[str, Credentials], asyncio.Event], Awaitable[None]]


async def until_stopped(
    _settings: Settings, _keys: Mapping[str, Credentials], stop: asyncio.Event
) -> None:
    """A run that stops when it is asked to, here at once."""
    stop.set()
    await stop.wait()


@dataclass
class ScriptedParts:
    """Parts of the engine made by hand; remembers what it was asked for."""

    probes: dict[str, ScriptedProbe] = field(default_factory=dict)
    running: Running = until_stopped
    probed: list[tuple[str, VenueSettings, Credentials | None]] = field(default_factory=list)
    ran: list[tuple[Settings, dict[str, Credentials]]] = field(default_factory=list)

    def probe(self, venue: str, settings: VenueSettings, keys: Credentials | None) -> VenueProbe:
        self.probed.append((venue, settings, keys))
        return self.probes.setdefault(venue, ScriptedProbe())

    async def run(
        self, settings: Settings, keys: Mapping[str, Credentials], stop: asyncio.Event
    ) -> None:
        self.ran.append((settings, dict(keys)))
        await self.running(settings, keys, stop)

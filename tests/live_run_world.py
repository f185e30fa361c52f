"""An emulator on a loop of its own, and runs of `live_runs` on it."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from settings_world import settings_of
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.model import Mode, Settings
from zvt_trading.bootstrap import stored_memory
from zvt_trading.emulator.emulator import Emulator
from zvt_trading.live_runs import RunStatus, run_live
from zvt_trading.runtime.loop_thread import LoopThread
from zvt_trading.runtime.numbers import to_decimal

DEADLINE_S = 60


class World:
    """The emulated exchanges, a folder for the store, and how a run is told what to do."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.url = f"sqlite:///{folder / 'run.db'}"
        self._folder = folder

    def settings(
        self, mode: Mode, more: str = "", *, venue: str = "", portfolio: str = ""
    ) -> Settings:
        """A config file of all exchanges with these lines of each, of the portfolio, and behind."""
        given = portfolio or '[[portfolio]]\ncash = { okx = "5000" }\n'
        text = f'mode = "{mode}"\n{given}'
        for name in self.emulator.ports:
            text += (
                f'[venues.{name}]\nsymbols = ["BTC/USDT", "BTC/USDT:USDT"]\n'
                f'endpoint = "127.0.0.1:{self.emulator.tls_port}"\n'
                f'ca_file = "{self.emulator.authority.ca_file}"\n{venue}\n'
            )
        return settings_of(self._folder, text + more, {"ZVT_TRADING_DB_URL": self.url})

    def keys(self) -> dict[str, Credentials]:
        """Those of every exchange."""
        return {
            name: Credentials(name, "default", key.key, key.secret, key.passphrase)
            for name, key in self.emulator.keys.items()
        }

    def run(
        self, settings: Settings, until: Callable[[RunStatus], bool] | None = None
    ) -> list[RunStatus]:
        """Run until a status says so (the first one by default), and stop gracefully."""
        keys = self.keys() if settings.mode is Mode.LIVE else {}
        return asyncio.run(_until(settings, keys, until or (lambda _: True)))

    def at_venue(self, name: str) -> dict[str, Decimal]:
        """What the account there has, by its own word."""
        balances = self.emulator.houses[name].balances("default")
        return {one.asset: to_decimal(one.total, 8) for one in balances if one.total}

    def in_store(self, portfolio: str = "default") -> dict[str, Decimal]:
        """What the store says that the portfolio has."""
        memory = stored_memory(self.url)
        try:
            state = memory.core.state
            return {
                one.asset: to_decimal(one.total, state.asset_scales[one.asset])
                for one in state.portfolios[portfolio].balances
                if one.total
            }
        finally:
            memory.close()


async def _until(
    settings: Settings, keys: Mapping[str, Credentials], until: Callable[[RunStatus], bool]
) -> list[RunStatus]:
    stop = asyncio.Event()
    seen: list[RunStatus] = []

    def on_status(status: RunStatus) -> None:
        seen.append(status)
        if until(status):
            stop.set()

    async with asyncio.timeout(DEADLINE_S):
        await run_live(settings, keys, stop=stop, on_status=on_status)
    return seen


@contextmanager
def live_run_world(folder: Path, *exchanges: str) -> Iterator[World]:
    """Exchanges that last as long as the block."""
    loop = LoopThread("emulator")
    emulator = Emulator(exchanges, folder=folder / "emulator")
    try:
        loop.run(emulator.start())
        yield World(emulator, folder)
    finally:
        loop.run(emulator.stop())
        loop.stop()

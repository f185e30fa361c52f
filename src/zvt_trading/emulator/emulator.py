"""The emulator: houses on one market, their wire protocols, listening on loopback."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Self

from aiohttp import web

from zvt_trading.core.units import DAY, MINUTE
from zvt_trading.emulator.admin import Admin
from zvt_trading.emulator.ca import Authority
from zvt_trading.emulator.clock import Clock
from zvt_trading.emulator.feed import TRADES_KEPT, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey, new_key
from zvt_trading.emulator.wire import Wire
from zvt_trading.messages.market import VenueStatus
from zvt_trading.sim.generated import GeneratedMarket

EXCHANGES: Final = ("binance", "okx", "bybit", "coinbase")
LOOPBACK: Final = "127.0.0.1"
STEP_S: Final = 0.01
"""The market moves on this often."""
HISTORY_MINUTES_MAX: Final = 1_440
"""A day takes some minutes to make, and a gigabyte to keep."""
TRADES_A_MINUTE: Final = 1_500
"""More than the busiest market makes, so that its whole history is kept."""
FUNDS: Final = (("USDT", 1_000_000 * 10**8), ("BTC", 10 * 10**8), ("ETH", 100 * 10**8))
"""What the account of a new key has, on scale 8."""


class Emulator:
    """Use as `async with Emulator(("binance",)) as emulator:`.

    `is_quiet`: the books stand still but for what our side and `House.crowd` do. `tls_port` and
    `ports` are those asked for, 0 for any, and after the start those that are used. `folder` keeps
    certificates and the record (EXCHANGE.jsonl); without one they are gone at the end. Requests are
    allowed `limit_factor` times as often as by the real exchange. The market has been running for
    `history_minutes` already: there are candles and trades to download.
    """

    def __init__(
        self,
        exchanges: Sequence[str] = EXCHANGES,
        *,
        seed: int = 7,
        is_quiet: bool = False,
        folder: Path | None = None,
        tls_port: int = 0,
        ports: dict[str, int] | None = None,
        admin_port: int = 0,
        limit_factor: int = 1,
        history_minutes: int = 0,
    ) -> None:
        for name in exchanges:
            if name not in EXCHANGES:
                raise ValueError(f"no exchange {name!r}; there are {', '.join(EXCHANGES)}")
        if not 0 <= history_minutes <= HISTORY_MINUTES_MAX:
            raise ValueError(
                f"history_minutes {history_minutes} must be from 0 to {HISTORY_MINUTES_MAX}"
            )
        self.is_quiet = is_quiet
        self.houses: dict[str, House] = {}
        self.wires: dict[str, Wire] = {}
        self.keys: dict[str, ApiKey] = {}
        self.tls_port = tls_port
        self.admin_port = admin_port
        self.ports = dict.fromkeys(exchanges, 0) | (ports or {})
        self._temporary: TemporaryDirectory[str] | None = None
        if folder is None:
            self._temporary = TemporaryDirectory()
            folder = Path(self._temporary.name)
        self.folder: Final = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self._clock: Final = Clock()
        self._made_ns: Final = self._clock.true_ns()
        start = self._made_ns - history_minutes * MINUTE
        self.market: Final = GeneratedMarket(seed, 3_650 * DAY, start)
        self._limit_factor: Final = limit_factor
        self._trades_kept: Final = TRADES_KEPT + history_minutes * TRADES_A_MINUTE
        self._runners: list[web.AppRunner] = []
        self._mover: asyncio.Task[None] | None = None
        for name in exchanges:
            self._add(name, seed)
        hosts = [host for wire in self.wires.values() for host in wire.hosts]
        self.authority: Final = Authority(self.folder, ["localhost", *hosts])
        for at in range(start, self._made_ns, MINUTE):
            self._move_to(at)  # minute by minute: all of it at once would fill the memory
        self._move()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen."""
        by_host = web.Application()
        for name, wire in self.wires.items():
            for host in wire.hosts:
                by_host.add_domain(host, wire.make_app())
            for budget in self.houses[name].limits.budgets.values():
                budget.limit *= self._limit_factor  # all are known once there are routes
            self.ports[name] = await self._listen(wire.make_app(), self.ports[name])
        context = self.authority.server_context()
        self.tls_port = await self._listen(by_host, self.tls_port, context)
        admin = Admin(self.wires, self.ports)
        self.admin_port = await self._listen(admin.make_app(), self.admin_port)
        self._mover = asyncio.create_task(self._keep_moving())

    async def stop(self) -> None:
        """Hang up on everybody."""
        if self._mover is not None:
            self._mover.cancel()
            with suppress(asyncio.CancelledError):
                await self._mover
        for wire in self.wires.values():
            await wire.disconnect_all()
        for runner in self._runners:
            await runner.cleanup()
        for house in self.houses.values():
            house.record.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def add_key(self, exchange: str, account: str = "default", *, funds: bool = True) -> ApiKey:
        """A new key; its account has FUNDS unless told."""
        key = new_key(exchange, account)
        house = self.houses[exchange]
        house.add_key(key)
        if funds:
            for asset, amount in FUNDS:
                house.deposit(account, asset, amount)
            house.transfers.clear()  # they were there before anybody looked
        return key

    def _add(self, name: str, seed: int) -> None:
        # Each exchange has a clock of its own, to be wrong by itself.
        house = House(name, Clock(), record_path=self.folder / f"{name}.jsonl", seed=seed)
        feed = Feed(self._trades_kept)
        for spec in self.market.specs():
            if spec.venue == name:
                market = self.market.market(f"{spec.venue}:{spec.symbol}")
                feed.add(house.list_instrument(spec, market))
        self.houses[name] = house
        wires = import_module(f"zvt_trading.emulator.{name}.wire")
        self.wires[name] = wires.make_wire(house, feed)
        self.keys[name] = self.add_key(name)

    async def _listen(self, app: web.Application, port: int, context: object | None = None) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runners.append(runner)
        site = web.TCPSite(runner, LOOPBACK, port, ssl_context=context)  # type: ignore[arg-type]  # an SSLContext or None
        await site.start()
        return int(runner.addresses[0][1])

    async def _keep_moving(self) -> None:
        while True:
            await asyncio.sleep(STEP_S)
            self._move()

    def _move(self) -> None:
        """The market up to now; a quiet one only shows what changed its books."""
        self._move_to(self._made_ns if self.is_quiet else self._clock.true_ns())
        for house in self.houses.values():
            house.on_time()

    def _move_to(self, now: int) -> None:
        for message in self.market.step(now):
            if isinstance(message, VenueStatus):
                continue
            venue, _, symbol = message.instrument.partition(":")
            house = self.houses.get(venue)
            if house is not None:
                house.on_market(message)
                self.wires[venue].feed.on_market(symbol, message)

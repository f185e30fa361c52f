"""Four exchanges' book streams from one process that plays made-up frames, as fast as it is told.

Only what an adapter needs to keep books: a WebSocket that sends each exchange's own frames with its
own sequencing (OKX's checksums too), and Binance's snapshots by REST. The size of the first bid of
a frame is when it was sent: microseconds of the monotonic clock, modulo CLOCK_US.
"""

import asyncio
import time
import zlib
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.ca import Authority

SYMBOLS: Final = 50
LEVELS: Final = 5
"""Changed on each side in a frame."""
DEPTHS: Final = {"binance": 1_000, "okx": 400, "bybit": 50, "coinbase": 500}
"""Levels of a snapshot's side."""
CLOCK_US: Final = 10**9
MIDDLE: Final = 1_000_000
TOP: Final = 25  # OKX's checksum covers them
HOSTS: Final = {
    "api.binance.com": "binance",
    "stream.binance.com": "binance",
    "ws.okx.com": "okx",
    "stream.bybit.com": "bybit",
    "advanced-trade-ws.coinbase.com": "coinbase",
}

Level = tuple[str, str]
Json = dict[str, object]


def native(venue: str, number: int) -> str:
    """The exchange's name of the symbol C00/USDT and so on."""
    return f"C{number:02}{'-' if venue in {'okx', 'coinbase'} else ''}USDT"


def now_us() -> int:
    """What a frame's first size is."""
    return time.monotonic_ns() // 1_000 % CLOCK_US


class Book:
    """One symbol: prices stand, sizes change in turn among the best levels."""

    def __init__(self, venue: str, number: int) -> None:
        self.name: Final = native(venue, number)
        self.last = 1
        self.changes = number
        self.bids = [(format_scaled(MIDDLE - at, 2), "1.5") for at in range(DEPTHS[venue])]
        self.asks = [(format_scaled(MIDDLE + at, 2), "1.5") for at in range(1, DEPTHS[venue] + 1)]

    def change(self) -> tuple[list[Level], list[Level]]:
        """New sizes of some levels of both sides."""
        self.changes += 1
        first = self.changes * LEVELS % TOP
        size = format_scaled(now_us(), 6)
        for side in (self.bids, self.asks):
            for at in range(first, first + LEVELS):
                side[at] = (side[at][0], size)
        return self.bids[first : first + LEVELS], self.asks[first : first + LEVELS]

    def checksum(self) -> int:
        """OKX's, of the best levels."""
        pairs = zip(self.bids[:TOP], self.asks[:TOP], strict=True)
        text = ":".join(f"{bid[0]}:{bid[1]}:{ask[0]}:{ask[1]}" for bid, ask in pairs)
        value = zlib.crc32(text.encode())
        return value - (1 << 32) if value >= 1 << 31 else value


def _binance(book: Book, bids: list[Level], asks: list[Level], ms: int, _: int) -> Json:
    first, book.last = book.last + 1, book.last + 7
    data = {"e": "depthUpdate", "E": ms, "s": book.name, "U": first, "u": book.last}
    return {"stream": f"{book.name.lower()}@depth@100ms", "data": {**data, "b": bids, "a": asks}}


def _okx(book: Book, bids: list[Level], asks: list[Level], ms: int, _: int) -> Json:
    before, book.last = book.last, book.last + 3
    is_first = len(bids) > LEVELS
    return {
        "arg": {"channel": "books", "instId": book.name},
        "action": "snapshot" if is_first else "update",
        "data": [{
            "asks": [(*level, "0", "1") for level in asks],
            "bids": [(*level, "0", "1") for level in bids],
            "ts": str(ms), "checksum": book.checksum(), "seqId": book.last,
            "prevSeqId": -1 if is_first else before,
        }],
    }  # fmt: skip


def _bybit(book: Book, bids: list[Level], asks: list[Level], ms: int, number: int) -> Json:
    book.last += 1
    kind = "snapshot" if len(bids) > LEVELS else "delta"
    data = {"s": book.name, "b": bids, "a": asks, "u": book.last, "seq": number}
    return {"topic": f"orderbook.50.{book.name}", "type": kind, "ts": ms, "data": data, "cts": ms}


def _coinbase(book: Book, bids: list[Level], asks: list[Level], ms: int, number: int) -> Json:
    when = f"2026-01-01T00:00:{ms // 1000 % 60:02}.{ms % 1000:03}000Z"
    updates = [
        {"side": side, "event_time": when, "price_level": price, "new_quantity": size}
        for side, levels in (("bid", bids), ("offer", asks))
        for price, size in levels
    ]
    kind = "snapshot" if len(bids) > LEVELS else "update"
    return {
        "channel": "l2_data", "client_id": "", "timestamp": when, "sequence_num": number,
        "events": [{"type": kind, "product_id": book.name, "updates": updates}],
    }  # fmt: skip


Maker = Callable[[Book, list[Level], list[Level], int, int], Json]
_MAKERS: Final[dict[str, Maker]] = {
    "binance": _binance, "okx": _okx, "bybit": _bybit, "coinbase": _coinbase,
}  # fmt: skip


class Player:
    """One exchange's frames, to one connection."""

    def __init__(self, venue: str) -> None:
        self.venue: Final = venue
        self.books: Final = {
            native(venue, number): Book(venue, number) for number in range(SYMBOLS)
        }
        self.per_second = 0
        self.burst = 0
        self.ready = asyncio.Event()
        self._number = -1
        self._turn = 0
        self._order: Final = list(self.books.values())

    def text(self, book: Book, bids: list[Level], asks: list[Level]) -> str:
        """A frame."""
        self._number += 1
        frame = _MAKERS[self.venue](book, bids, asks, time.time_ns() // 10**6, self._number)
        return msgspec.json.encode(frame).decode()

    async def play(self, socket: web.WebSocketResponse) -> None:
        """Snapshots, then so many frames a second, and bursts as fast as they are taken."""
        if self.venue != "binance":
            for book in self._order:
                await socket.send_str(self.text(book, book.bids, book.asks))
        due = time.monotonic()
        while not socket.closed:
            if self.burst:
                self.burst -= 1
            elif not self.per_second:
                await asyncio.sleep(0.01)
                due = time.monotonic()
                continue
            else:
                due += 1 / self.per_second
                wait = due - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
            book = self._order[self._turn % SYMBOLS]
            self._turn += 1
            await socket.send_str(self.text(book, *book.change()))


class Server:
    """All four, by the host's name."""

    def __init__(self) -> None:
        self.players: Final = {venue: Player(venue) for venue in DEPTHS}

    async def stream(self, request: web.Request) -> web.WebSocketResponse:
        """Plays from the first message on; pings are answered."""
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        player = self.players[HOSTS[request.host.partition(":")[0]]]
        task: asyncio.Task[None] | None = None
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            if message.data == "ping":
                await socket.send_str("pong")
            elif '"ping"' in message.data:
                await socket.send_str('{"op": "ping", "ret_msg": "pong", "success": true}')
            elif task is None:
                task = asyncio.create_task(player.play(socket))
        if task is not None:
            task.cancel()
        return socket

    async def depth(self, request: web.Request) -> web.Response:
        """A snapshot of Binance."""
        book = self.players["binance"].books[request.query["symbol"]]
        shown = {"lastUpdateId": book.last, "bids": book.bids, "asks": book.asks}
        return web.json_response(body=msgspec.json.encode(shown))

    def command(self, wanted: tuple[str, int]) -> None:
        """("per_second" or "burst", frames of all exchanges together)."""
        for player in self.players.values():
            setattr(player, wanted[0], wanted[1] // len(self.players))


def serve(says: Connection) -> None:
    """Until the other end is gone."""
    asyncio.run(_serve(says))


async def _serve(says: Connection) -> None:
    server = Server()
    app = web.Application()
    app.router.add_get("/api/v3/depth", server.depth)
    app.router.add_get("/{any:.*}", server.stream)
    gone = asyncio.Event()

    def listen() -> None:
        try:
            server.command(says.recv())
        except EOFError:
            asyncio.get_running_loop().remove_reader(says.fileno())
            gone.set()

    with TemporaryDirectory() as folder:
        authority = Authority(Path(folder), list(HOSTS))
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context())
        await site.start()
        says.send((int(runner.addresses[0][1]), str(authority.ca_file)))
        asyncio.get_running_loop().add_reader(says.fileno(), listen)
        await gone.wait()
        await runner.cleanup()

"""What the four wire protocols have in common: routes with limits and faults, stream sessions.

A wire protocol is a subclass of `Wire`: it declares its routes (`Route`), answers them from its
`House`, and makes frames of what it hears as a listener of house and feed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web
from multidict import CIMultiDict

from zvt_trading.emulator import faults
from zvt_trading.emulator.faults import Fault
from zvt_trading.emulator.feed import BookUpdate, Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Change
from zvt_trading.messages.market import MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reports import FundingPaid
from zvt_trading.sim.accounts import Seat

NEVER_S: Final = 120
"""How long a request that is never answered is held: longer than any client waits."""

Json = dict[str, Any] | list[Any] | str | int | None
Headers = Mapping[str, str]


class Reply(Exception):  # noqa: N818 - an answer, raised from wherever it is known
    """An answer: a status, a JSON body, headers."""

    def __init__(self, body: Json, status: int = 200, headers: Headers | None = None) -> None:
        super().__init__(status)
        self.body: Final = body
        self.status: Final = status
        self.headers: Final = headers or {}


class Call:
    """One request as a handler sees it: `query` and `form` keep the order they came in."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.request: Final = request
        self.body: Final = body
        self.method: Final = request.method
        self.path: Final = request.path
        self.query_text: Final = request.rel_url.raw_query_string
        self.headers: Final = request.headers
        self.query: Final = dict(request.rel_url.query)
        self.parts: Final = request.match_info

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; {} when it is none."""
        try:
            value = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return {}
        return value if isinstance(value, dict) else {}


Handler = Callable[[Call], Json]


class Route:
    """One endpoint: `endpoint` says for faults what it is for, `costs` what it spends of limits."""

    def __init__(
        self,
        method: str,
        path: str,
        handler: Handler,
        endpoint: str = faults.OTHER,
        costs: dict[str, int] | None = None,
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        self.handler: Final = handler
        self.endpoint: Final = endpoint
        self.costs: Final = costs or {}


class Wire:
    """See the module. A subclass overrides what it needs of the listeners' methods."""

    hosts: tuple[str, ...] = ()
    """The names that clients know it by."""

    def __init__(self, house: House, feed: Feed) -> None:
        self.house: Final = house
        self.feed: Final = feed
        self.sessions: list[Session] = []
        house.listeners.append(self)
        feed.listeners.append(self)

    # To be overridden.

    def routes(self) -> Sequence[Route]:
        """All REST endpoints."""
        raise NotImplementedError

    def sockets(self) -> Sequence[str]:
        """Paths that are upgraded to a WebSocket."""
        raise NotImplementedError

    async def opened(self, session: "Session") -> None:
        """A WebSocket was opened (`session.path`, `session.query`)."""

    async def received(self, session: "Session", text: str) -> None:
        """A text frame came."""
        raise NotImplementedError

    def limited(self, wait_ms: int, *, is_banned: bool) -> Reply:
        """The exchange's answer to one request too many."""
        raise NotImplementedError

    def unavailable(self) -> Reply:
        """The exchange's 5xx."""
        return Reply({"message": "Service Unavailable"}, 503)

    def answer_headers(self) -> Headers:
        """Of every answer, e.g. how much of a limit is used."""
        return {}

    def order_changed(self, change: Change) -> None:
        """See house.Listener."""

    def balances_changed(self, account: str, assets: tuple[str, ...], ts: int) -> None:
        """See house.Listener."""

    def position_changed(self, seat: Seat, ts: int) -> None:
        """See house.Listener."""

    def funding_paid(self, report: FundingPaid) -> None:
        """See house.Listener."""

    def book_changed(self, update: BookUpdate) -> None:
        """See feed.PublicListener."""

    def traded(self, symbol: str, trade: TradeTick) -> None:
        """See feed.PublicListener."""

    def quoted(self, symbol: str, quote: QuoteTick) -> None:
        """See feed.PublicListener."""

    def marked(self, symbol: str, mark: MarkPrice) -> None:
        """See feed.PublicListener."""

    # The web side.

    def make_app(self) -> web.Application:
        """A web application of it; one for each listening port."""
        app = web.Application(client_max_size=1 << 20)
        for route in self.routes():
            app.router.add_route(route.method, route.path, self._answering(route))
        for path in self.sockets():
            app.router.add_get(path, self._socket)
        return app

    def _answering(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            call = Call(request, await request.read())
            return await self._answer(route, call)

        return answer

    async def _answer(self, route: Route, call: Call) -> web.StreamResponse:
        limits = self.house.limits
        was_banned = limits.ban_left_ms() > 0
        wait_ms = limits.take(route.costs)
        if wait_ms:
            is_banned = was_banned or limits.ban_left_ms() > 0
            return _response(self.limited(wait_ms, is_banned=is_banned), {})
        fault = self.house.faults.of_request(route.endpoint)
        if fault is not None and fault.kind in faults.NOT_EXECUTED:
            return await self._not_executed(call, fault)
        if fault is not None and fault.kind == faults.HIDE:
            self.house.hide_next_ns = fault.ms * 1_000_000
        reply = self._executed(route, call)
        response = _response(reply, self.answer_headers())
        return response if fault is None else await self._spoilt(call, response, fault)

    def _executed(self, route: Route, call: Call) -> Reply:
        try:
            return Reply(route.handler(call))
        except Reply as reply:
            return reply

    async def _not_executed(self, call: Call, fault: Fault) -> web.StreamResponse:
        if fault.kind == faults.TIMEOUT_BEFORE:
            await asyncio.sleep(NEVER_S)
        if fault.kind == faults.BAN:
            self.house.limits.ban(fault.ms or 2_000)
            return _response(self.limited(fault.ms or 2_000, is_banned=True), {})
        if fault.kind == faults.RATE_LIMIT:
            return _response(self.limited(fault.ms or 1_000, is_banned=False), {})
        if fault.kind == faults.ERROR_BEFORE:
            return _response(self.unavailable(), {})
        return _hang_up(call.request)

    async def _spoilt(self, call: Call, response: web.Response, fault: Fault) -> web.StreamResponse:
        """It was executed; this is what arrives of the answer."""
        if fault.kind == faults.DELAY:
            await asyncio.sleep(fault.ms / 1000)
            return response
        if fault.kind == faults.TIMEOUT_AFTER:
            await asyncio.sleep(NEVER_S)
        if fault.kind == faults.ERROR_AFTER:
            return _response(self.unavailable(), {})
        if fault.kind == faults.JUNK:
            return web.Response(text="<html>not json</html>", content_type="application/json")
        if fault.kind == faults.EMPTY:
            return web.Response(text="", content_type="application/json")
        if fault.kind == faults.TRUNCATE:
            return await _truncated(call.request, response)
        if fault.kind == faults.HIDE:
            return response
        return _hang_up(call.request)

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(autoping=True, compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        session = Session(self, request, socket)
        self.sessions.append(session)
        writer = asyncio.create_task(session.write())
        try:
            await self.opened(session)
            async for message in socket:
                if message.type == WSMsgType.TEXT:
                    await self.received(session, message.data)
        finally:
            self.sessions.remove(session)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        return socket

    async def disconnect_all(self) -> None:
        """Close every stream."""
        for session in tuple(self.sessions):
            await session.close()


class Session:
    """One WebSocket. `account` once it has logged in; `topics` are the wire protocol's."""

    def __init__(self, wire: Wire, request: web.Request, socket: web.WebSocketResponse) -> None:
        self.path: Final = request.path
        self.host: Final = request.host.partition(":")[0]
        self.query: Final = dict(request.query)
        self.account = ""
        self.topics: dict[str, Any] = {}
        self.sequence = 0
        self._faults: Final = wire.house.faults
        self._socket: Final = socket
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._silent_until = 0.0

    def say(self, frame: Json) -> None:
        """An answer to the client: never spoilt."""
        self._queue.put_nowait(("", _text(frame)))

    def push(self, frame: Json, stream: str) -> None:
        """Data of a faults.PRIVATE or faults.PUBLIC stream."""
        self._queue.put_nowait((stream, _text(frame)))

    async def close(self) -> None:
        """Hang up."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def write(self) -> None:
        """Send what is queued, as the faults let it through."""
        held = ""
        loop = asyncio.get_running_loop()
        with suppress(ConnectionError):
            while not self._socket.closed:
                stream, text = await self._queue.get()
                fault = self._faults.of_frame(stream) if stream else None
                kind = fault.kind if fault is not None else ""
                if kind == faults.FRAME_SILENCE and fault is not None:
                    self._silent_until = loop.time() + fault.ms / 1000
                if stream and loop.time() < self._silent_until:
                    continue
                if kind == faults.FRAME_DISCONNECT:
                    await self.close()
                    return
                if kind == faults.FRAME_DELAY and fault is not None:
                    await asyncio.sleep(fault.ms / 1000)
                if kind == faults.FRAME_REORDER and not held:
                    held = text
                    continue
                if kind != faults.FRAME_DROP:
                    await self._socket.send_str(text)
                if kind == faults.FRAME_DUPLICATE:
                    await self._socket.send_str(text)
                if held:
                    await self._socket.send_str(held)
                    held = ""


def _text(frame: Json) -> str:
    return frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()


def _response(reply: Reply, headers: Headers) -> web.Response:
    merged: CIMultiDict[str] = CIMultiDict(headers)
    merged.update(reply.headers)
    return web.Response(
        body=msgspec.json.encode(reply.body),
        status=reply.status,
        headers=merged,
        content_type="application/json",
    )


def _hang_up(request: web.Request) -> web.StreamResponse:
    """Close the connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _truncated(request: web.Request, response: web.Response) -> web.StreamResponse:
    """Half of the body that the length promises, then the connection is closed."""
    body = response.body if isinstance(response.body, bytes) else b""
    half = web.StreamResponse(headers={"Content-Length": str(len(body))})
    half.content_type = "application/json"
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    return _hang_up(request)

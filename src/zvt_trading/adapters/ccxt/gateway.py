"""One account at one exchange as a venue of ours: ports.venue.VenueGateway over ccxt."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import structlog

from zvt_trading.adapters.ccxt.budget import CANCEL, ORDER, QUERY
from zvt_trading.adapters.ccxt.client import (
    TIMEOUT_MS,
    ApiCredentials,
    Client,
    Endpoint,
    SentMark,
)
from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.ccxt.listings import listing_of
from zvt_trading.adapters.ccxt.market_stream import MarketStream
from zvt_trading.adapters.ccxt.outcomes import error_code, refusal, told
from zvt_trading.adapters.ccxt.ownership import Ownership
from zvt_trading.adapters.ccxt.reader import Reader
from zvt_trading.adapters.ccxt.streams import StreamGroup
from zvt_trading.adapters.ccxt.translate import NS_A_MS, Translator
from zvt_trading.adapters.ccxt.venue_time import venue_time_ms
from zvt_trading.adapters.ccxt.views import AmendView, BookView, FillView, OrderView, View
from zvt_trading.core.units import UnitError
from zvt_trading.errors import VenueError
from zvt_trading.messages.market import InstrumentSpec, VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    AmendFailed,
    OutcomeUnknown,
    Report,
    SendFailed,
    VenueAmended,
    VenueRejected,
)
from zvt_trading.ports.venue import Listing, NewOrder, Opening, OrderRef, QueryFailedError, Sink
from zvt_trading.sim.venue_api import Answer, History

CLOCK_OFFSET_MS_MAX: Final = 1_000
"""A clock further from the venue's takes no new orders: signatures and times would be refused."""
MISSED_AFTER_MS: Final = 3_000
"""A fill that a stream has not told by then, it has lost."""
CHANNELS: Final = ("quotes", "trades", "marks")

_log = structlog.get_logger("zvt_trading.venue")


class CcxtGateway:
    """See the module. `account` is the portfolio that the keys' account belongs to.

    `private=False`: only the market is heard. No private stream is opened and no account is read,
    so it needs no keys; it is healthy when the market is heard.
    """

    def __init__(
        self,
        dialect: Dialect,
        credentials: ApiCredentials,
        clock: Callable[[], int],
        *,
        account: str = "default",
        endpoint: Endpoint | None = None,
        timeout_ms: int = TIMEOUT_MS,
        channels: Sequence[str] = CHANNELS,
        private: bool = True,
    ) -> None:
        self.venue: Final = dialect.profile.name
        self.dialect: Final = dialect
        self.clock_offset_ms = 0
        self.missed_fills = 0
        self._credentials: Final = credentials
        self._account: Final = account
        self._endpoint: Final = endpoint
        self._timeout_ms: Final = timeout_ms
        self._channels: Final = channels
        self._has_account: Final = private
        self._clock: Final = clock
        self._client: Client | None = None
        self._private: StreamGroup | None = None
        self._streams: list[StreamGroup] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    # Beginning and end.

    async def listings(self, symbols: Sequence[str]) -> list[Listing]:
        """See ports.venue."""
        exchange = self._made().exchange
        try:
            markets = await exchange.load_markets()
            await self._measure_clock()
        except Exception as error:
            text = f"{self.venue} does not say what it lists: {told(error)}"
            raise VenueError(text) from error
        return [listing_of(self.venue, symbol, markets) for symbol in symbols]

    async def opening(self, specs: Sequence[InstrumentSpec]) -> Opening:
        """See ports.venue."""
        translator = Translator(self.venue, specs, self.dialect.profile.refusals)
        return await self._reader_of(translator, Ownership(self._account, translator)).opening()

    async def open(self, specs: Sequence[InstrumentSpec], sink: Sink) -> None:
        """See ports.venue."""
        client = self._made()
        self._sink = sink
        self._translator = Translator(self.venue, specs, self.dialect.profile.refusals)
        self._ownership = Ownership(self._account, self._translator, sink)
        self._reader = self._reader_of(self._translator, self._ownership)
        symbols = tuple(self._translator.specs)
        self._market = MarketStream(
            self._translator,
            sink.market,
            self._local_ns,
            self._snapshot,
            self._resubscribe,
            symbols if "book" in self._channels else (),
        )
        if self._has_account:
            self._private = StreamGroup(
                client.exchange, self.dialect, "private",
                lambda: self.dialect.private(client.exchange, symbols), self._private_changed,
            )  # fmt: skip
            self._streams.append(self._private)
        self._public = StreamGroup(
            client.exchange, self.dialect, "public", lambda: self._public_subscriptions(symbols),
            self._public_changed,
        )  # fmt: skip
        self._streams.append(self._public)
        client.exchange.hear = self._hear
        self._tell_health()
        for stream in self._streams:
            stream.start()

    async def close(self) -> None:
        """See ports.venue."""
        for stream in self._streams:
            await stream.close()
        if self._streams:
            self._market.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.close()
            self._client = None

    # Requests.

    async def submit(self, order: NewOrder) -> list[Report]:
        """See ports.venue: sent once, whatever becomes of it."""
        client = self._made()
        wanted = self._translator.wanted(order)
        with SentMark() as mark:
            try:
                create = self.dialect.create(wanted, client.exchange.market(wanted.symbol))
                await client.budget.enter(ORDER)
                answer = await client.exchange.create_order(
                    create.symbol, create.type, create.side, create.amount, create.price,
                    create.params,
                )  # fmt: skip
                reports = self._reports(self.dialect.created(answer, wanted))
            except Exception as error:  # noqa: BLE001 - unknown unless proven otherwise
                return [self._outcome(order.order_id, error, was_sent=bool(mark.sent))]
        if not reports:
            return [OutcomeUnknown(order.order_id, "the answer proves nothing", self._clock())]
        return reports

    async def cancel(self, order: OrderRef) -> list[Report]:
        """See ports.venue: its result comes by the stream, or from a question."""
        client = self._made()
        symbol = self._translator.symbol(order.instrument)
        try:
            await client.budget.enter(CANCEL)
            await self.dialect.cancel(client.exchange, symbol, order.order_id, order.venue_order_id)
        except Exception as error:  # noqa: BLE001 - it is repeated until its result is known
            found = error_code(error)
            if found.code not in self.dialect.profile.refusals.order_gone:
                _log.warning("a cancel failed", venue=self.venue, code=found.code, why=found.text)
                return []
        return await self._asked(order)

    async def amend(self, order: OrderRef, price: int, quantity: int) -> list[Report]:
        """See ports.venue."""
        client = self._made()
        symbol = self._translator.symbol(order.instrument)
        with SentMark() as mark:
            try:
                await client.budget.enter(ORDER)
                view = await self._view_of(order, symbol)
                views = await self.dialect.amend(
                    client.exchange,
                    view,
                    self._translator.price_text(symbol, price),
                    self._translator.quantity_text(symbol, quantity),
                )
            except Exception as error:  # noqa: BLE001 - unknown unless proven otherwise
                if not mark.sent:
                    text = error_code(error).text
                    reason = int(Reason.NOT_SENT)
                    return [AmendFailed(order.order_id, reason, text, self._clock())]
                return await self._not_amended(order, error, price, quantity)
        return self._reports(views)

    async def set_leverage(self, instrument: str, leverage: int, mode: int) -> None:
        """See ports.venue."""
        client = self._made()
        await client.budget.enter(ORDER)
        symbol = self._translator.symbol(instrument)
        try:
            await self.dialect.set_leverage(client.exchange, symbol, leverage, mode)
        except Exception as error:
            found = error_code(error)
            raise VenueError(f"{self.venue} set no leverage: {found.code} {found.text}") from error

    # Questions.

    async def ask(self, order: OrderRef) -> Answer:
        """See ports.venue."""
        return await self._reader.ask(order)

    async def history(self, cursor: int) -> History:
        """See ports.venue."""
        await self.read_clock()
        history, fills = await self._reader.history(cursor)
        await self._cancel_orphans()
        self._look_for_missed(fills)
        return history

    async def read_clock(self) -> None:
        """Measure `clock_offset_ms` again; QueryFailedError."""
        try:
            await self._measure_clock()
        except Exception as error:
            raise QueryFailedError(f"{self.venue} does not tell its time") from error

    @property
    def market_reconnects(self) -> int:
        """How often the market's streams had to be opened again."""
        return self._public.reconnects if self._streams else 0

    # Inside.

    def _made(self) -> Client:
        """Ccxt's object, made at first need: it belongs to the event loop."""
        if self._client is None:
            self._client = Client(self.dialect, self._credentials, self._endpoint, self._timeout_ms)
        return self._client

    def _reader_of(self, translator: Translator, ownership: Ownership) -> Reader:
        client = self._made()
        return Reader(
            client.exchange, self.dialect, client.budget, translator, ownership, self._account,
            self._venue_ms,
        )  # fmt: skip

    def _outcome(self, order_id: str, error: Exception, *, was_sent: bool) -> Report:
        """What an exception of a send means."""
        now = self._clock()
        found = error_code(error)
        if not was_sent:
            return SendFailed(order_id, f"{type(error).__name__}: {found.text}", now)
        reason = refusal(found, self.dialect.profile.refusals)
        if reason is not None:
            return VenueRejected(order_id, int(reason), f"{found.code} {found.text}", now)
        return OutcomeUnknown(order_id, told(error), now)

    async def _not_amended(
        self, order: OrderRef, error: Exception, price: int, quantity: int
    ) -> list[Report]:
        """What an exception of an amend means; [] when that is not known: it is asked for later.

        A refusal is not believed before the order was looked at: aiohttp repeats a PUT (Binance)
        whose connection broke, and what was done the first time is refused the second time.
        """
        found = error_code(error)
        refusals = self.dialect.profile.refusals
        reason = refusal(found, refusals)
        if found.code in refusals.order_gone:
            reason = Reason.VENUE_UNKNOWN_ORDER
        if reason is None:
            return []
        now = self._clock()
        failed = AmendFailed(order.order_id, int(reason), found.text, now)
        try:
            answer = await self._reader.ask(order)
        except QueryFailedError as why:
            _log.warning("no answer about an order", venue=self.venue, why=str(why))
            return []
        if (answer.price, answer.quantity) == (price, quantity):
            return [*answer.reports, VenueAmended(order.order_id, price, quantity, now)]
        return [failed, *answer.reports]

    async def _asked(self, order: OrderRef) -> list[Report]:
        """What the venue says of an order now; [] when it does not answer: it is asked again."""
        try:
            return (await self._reader.ask(order)).reports
        except QueryFailedError as error:
            _log.warning("no answer about an order", venue=self.venue, why=str(error))
            return []

    async def _view_of(self, order: OrderRef, symbol: str) -> OrderView:
        view = await self.dialect.find(
            self._made().exchange, symbol, order.order_id, order.venue_order_id
        )
        if view is None:
            raise VenueError(f"{self.venue} has no order {order.order_id}")
        return view

    def _reports(self, views: Sequence[View]) -> list[Report]:
        """Reports of views of own orders; UnitError when a number is not on our scales."""
        reports: list[Report] = []
        for view in views:
            if isinstance(view, OrderView):
                reports.extend(self._ownership.of_order(view))
            elif isinstance(view, FillView):
                reports.extend(self._ownership.of_fill(view))
            elif isinstance(view, AmendView):
                reports.append(self._translator.amended(view))
        return reports

    def _hear(self, url: str, message: Any) -> bool:
        """A raw frame; whether ccxt must see it."""
        try:
            frame = self.dialect.frames(self._made().exchange, url, message)
        except Exception as error:  # noqa: BLE001 - a frame must not end the reading
            _log.error("a frame cannot be read", venue=self.venue, why=repr(error)[:200])
            return False
        for view in frame.views:
            if isinstance(view, OrderView | FillView | AmendView):
                self._hear_own(view)
            else:
                self._market.take(view)
        for name in frame.ask_order:
            self._spawn(self._ask_for(name))
        if frame.problem:
            self._group_of(url).restart(frame.problem)
        return frame.is_control

    def _hear_own(self, view: OrderView | FillView | AmendView) -> None:
        if not isinstance(view, AmendView) and not self._ownership.client_id(view):
            self._spawn(self._hear_nameless(view))
            return
        try:
            reports = self._reports([view])
        except (UnitError, KeyError) as error:
            _log.error("a frame of ours that cannot be taken", venue=self.venue, why=str(error))
            return  # the next reading of the history has it
        for report in reports:
            self._sink.reported(self.venue, report)

    async def _hear_nameless(self, view: OrderView | FillView) -> None:
        """Of an order that we know by its venue's id only, or not at all."""
        try:
            await self._reader.learn_name(view)
        except QueryFailedError:
            return  # the next reading of the history has it
        for report in self._reports([view]):
            self._sink.reported(self.venue, report)

    async def _ask_for(self, name: str) -> None:
        """A frame told too little of an order."""
        is_theirs = name.startswith("#")
        venue_id = name[1:] if is_theirs else ""
        order_id = self._ownership.name_of(venue_id) if is_theirs else name
        ref = self._sink.ref(order_id, venue_id)
        if ref is not None:
            for report in await self._asked(ref):
                self._sink.reported(self.venue, report)

    def _group_of(self, url: str) -> StreamGroup:
        if self._private is not None and self._private.has(url):
            return self._private
        return self._public

    def _resubscribe(self, why: str) -> None:
        self._public.restart(why)

    async def _snapshot(self, symbol: str) -> BookView | None:
        client = self._made()
        await client.budget.enter(QUERY)
        return await self.dialect.book(client.exchange, symbol)

    async def _public_subscriptions(self, symbols: Sequence[str]) -> Any:
        self._market.begin()
        return self.dialect.public(self._made().exchange, symbols, self._channels)

    def _private_changed(self, is_up: bool) -> None:
        self._tell_health()
        if is_up:
            self._sink.stream_opened(self.venue)

    def _public_changed(self, is_up: bool) -> None:
        if is_up:
            self._market.opened()
        else:
            self._market.closed()
        self._tell_health()

    def _tell_health(self) -> None:
        """Whether new orders may go there."""
        reasons = [
            text
            for text, is_wrong in (
                ("the private stream is down", not self._is_private_up()),
                ("the public stream is down", not self._public.is_up),
                ("the clocks differ", abs(self.clock_offset_ms) > CLOCK_OFFSET_MS_MAX),
            )
            if is_wrong
        ]
        status = VenueStatus(self.venue, not reasons, self._clock(), ", ".join(reasons))
        self._sink.market(status)

    def _is_private_up(self) -> bool:
        """Whether own orders are told; there are none without an account."""
        return self._private is None or self._private.is_up

    def _look_for_missed(self, fills: Sequence[FillView]) -> None:
        """Fills that the stream should have told: it has lost some, so it is made anew."""
        now = self._venue_ms()
        missed = 0
        for fill in fills:
            key = (fill.symbol, fill.trade_id)
            if key not in self._ownership.told_trades and now - fill.ts > MISSED_AFTER_MS:
                self._ownership.told_trades.put(key)
                missed += 1
        private = self._private
        if missed and private is not None and private.up_for() * 1000 > 2 * MISSED_AFTER_MS:
            self.missed_fills += missed
            private.restart(f"{missed} fills were not told")

    async def _cancel_orphans(self) -> None:
        """Open orders with our mark that the engine never recorded are taken back."""
        orphans, self._ownership.orphans = self._ownership.orphans, []
        for view in orphans:
            try:
                await self._made().budget.enter(CANCEL)
                await self.dialect.cancel(
                    self._made().exchange, view.symbol, view.order_id, view.venue_order_id
                )
            except Exception as error:  # noqa: BLE001 - it is tried again at the next reading
                found = error_code(error)
                _log.warning("an orphan was not cancelled", venue=self.venue, why=found.text)

    async def _measure_clock(self) -> None:
        client = self._made()
        await client.budget.enter(QUERY)
        before = self._clock()
        theirs = await venue_time_ms(client.exchange)
        middle_ms = (before + self._clock()) // 2 // NS_A_MS
        was_right = abs(self.clock_offset_ms) <= CLOCK_OFFSET_MS_MAX
        self.clock_offset_ms = theirs - middle_ms
        is_right = abs(self.clock_offset_ms) <= CLOCK_OFFSET_MS_MAX
        if was_right != is_right and self._streams:
            self._tell_health()

    def _venue_ms(self) -> int:
        """The venue's time now."""
        return self._clock() // NS_A_MS + self.clock_offset_ms

    def _local_ns(self, venue_ms: int) -> int:
        """Our time of something that a venue dates; now when it does not, never later than now."""
        now = self._clock()
        if venue_ms == 0:
            return now
        return min(now, (venue_ms - self.clock_offset_ms) * NS_A_MS)

    def _spawn(self, work: Coroutine[Any, Any, object]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

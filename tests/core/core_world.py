"""A whole core driven by hand: commands, venue reports and market messages; no venue needed.

One venue "x" with BTC/USD (spot), BTC/USD:USD (linear) and BTC/USD:BTC (inverse), each quoted
99.99 / 100.01; portfolio "main" with 1,000,000 USD and 100 BTC; limits that nothing meets. After
every step all invariants hold, and a second core that only replays the events has the same digest.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from risk_world import (
    BTC,
    DEPOSIT_BTC,
    INVERSE_ID,
    LINEAR_ID,
    LOOSE,
    MILLION,
    NOW,
    ONE,
    SPOT_ID,
    spec,
)

from zvt_trading.core.invariants import problems
from zvt_trading.core.ledger import Balance
from zvt_trading.core.restore import restore, snapshot_head, snapshot_parts
from zvt_trading.core.snapshot import digest
from zvt_trading.core.state import Holding, Order, Portfolio
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codec import decode_snapshot, encode_part
from zvt_trading.messages.codes import BRACKET, BUY, INVERSE, LIMIT, LINEAR, MARKET, OCO, TAKER
from zvt_trading.messages.commands import (
    AmendOrder,
    CancelOrder,
    Command,
    Deposit,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLimits,
    SubmitOrder,
    SubmitOrderList,
)
from zvt_trading.messages.events import Event
from zvt_trading.messages.market import InstrumentSpec, MarketData, MarkPrice, QuoteTick, TradeTick
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    Fill,
    Report,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueRejected,
)

THREE = (spec(), spec("BTC/USD:USD", LINEAR), spec("BTC/USD:BTC", INVERSE))
SIZE = 10 * ONE

E = TypeVar("E")

__all__ = [
    "BTC", "DEPOSIT_BTC", "INVERSE_ID", "LINEAR_ID", "LOOSE", "MILLION", "NOW", "ONE", "SPOT_ID",
    "CoreWorld", "loose", "spec",
]  # fmt: skip


def loose(**changes: Any) -> LimitSet:
    """Limits that nothing meets, but for the given ones."""
    return msgspec.structs.replace(LOOSE, **changes)


class CoreWorld:
    """A core, the events it made, and short ways to feed it."""

    def __init__(
        self,
        specs: Sequence[InstrumentSpec] = THREE,
        limits: LimitSet | None = LOOSE,
        usd: int = MILLION,
        btc: int = DEPOSIT_BTC,
        **portfolio: Any,
    ) -> None:
        self.core = TradingCore()
        self.twin = TradingCore()
        self.state = self.core.state
        self.now = NOW
        self.journal: list[Event] = []
        self.last: list[Event] = []
        self.trades = 0
        for one in specs:
            self.do(ListInstrument(one))
        if limits is not None:
            self.do(SetLimits(limits))
        self.do(OpenPortfolio("main", "USD", 8, **portfolio))
        for one in specs:
            self.quote(9_999, 10_001, f"{one.venue}:{one.symbol}")
        venue = specs[0].venue if specs else "x"
        for asset, amount in (("USD", usd), ("BTC", btc)):
            if amount:
                self.do(Deposit("main", venue, asset, amount))
        self.last = []

    # Inputs.

    def do(self, command: Command) -> str:
        """Any command, now."""
        result = self.core.command(self.now, command)
        self.step()
        return result

    def report(self, report: Report) -> list[Event]:
        """A venue's report, now; returns the events it made."""
        self.core.report(self.now, report)
        return self.step()

    def market(self, message: MarketData) -> list[Event]:
        """A market data message."""
        self.core.market(message)
        return self.step()

    def time(self, seconds: int = 0) -> list[Event]:
        """Let seconds pass, then tell the time."""
        self.now += seconds * SECOND
        self.core.on_time(self.now)
        return self.step()

    def wait(self, nanoseconds: int) -> None:
        """Let time pass without telling."""
        self.now += nanoseconds

    def step(self) -> list[Event]:
        """Take the events; nothing may be broken, and a replay must know the same."""
        self.last = self.core.take()
        self.journal.extend(self.last)
        for event in self.last:
            self.twin.replay(event)
        assert problems(self.core.state) == []
        assert self.digest() == digest(self.twin.state, self.twin.risk)
        assert self.digest() == self.digest_of_snapshot()
        return self.last

    def digest(self) -> str:
        """Of the core's state."""
        return digest(self.core.state, self.core.risk)

    def digest_of_snapshot(self) -> str:
        """Of a core restored from a snapshot of this one that went through its stored form."""
        lines = [encode_part(snapshot_head(self.state, self.core.risk, self.digest()))]
        lines.extend(encode_part(part) for part in snapshot_parts(self.state))
        head, parts = decode_snapshot(b"".join(lines))
        other = TradingCore()
        restore(other, head, parts)
        assert problems(other.state) == []
        return digest(other.state, other.risk)

    # Market data.

    def quote(self, bid: int, ask: int, instrument: str = SPOT_ID, size: int = SIZE) -> list[Event]:
        """A new top of book, now."""
        return self.market(QuoteTick(instrument, bid, size, ask, size, self.now))

    def at(self, price: int, instrument: str = SPOT_ID) -> list[Event]:
        """A market of one cent either side of a price, now."""
        return self.quote(price - 1, price + 1, instrument)

    def trade(self, price: int, instrument: str = SPOT_ID) -> list[Event]:
        """Others trade."""
        return self.market(TradeTick(instrument, price, ONE, 0, self.now))

    def mark(self, price: int, instrument: str = LINEAR_ID) -> list[Event]:
        """A mark price."""
        return self.market(MarkPrice(instrument, price, self.now))

    # Orders.

    def request(
        self,
        side: int = BUY,
        quantity: int = ONE,
        price: int = 0,
        kind: int | None = None,
        **changes: Any,
    ) -> SubmitOrder:
        """A request: a limit order with a price, a market order without."""
        fields: dict[str, Any] = {
            "portfolio": "main",
            "instrument": SPOT_ID,
            "side": side,
            "type": kind if kind is not None else (LIMIT if price else MARKET),
            "quantity": quantity,
            "price": price,
        }
        fields.update(changes)
        return SubmitOrder(**fields)

    def submit(self, *args: Any, **changes: Any) -> str:
        """Place an order; returns its id, accepted or refused."""
        return self.do(self.request(*args, **changes))

    def oco(self, *orders: SubmitOrder) -> list[str]:
        """Place two orders as an OCO list; returns their ids."""
        return self._list(SubmitOrderList(OCO, orders))

    def bracket(self, *orders: SubmitOrder) -> list[str]:
        """Place entry, take-profit and stop-loss; returns their ids."""
        return self._list(SubmitOrderList(BRACKET, orders))

    def open(self, *args: Any, **changes: Any) -> str:
        """Place an order that the venue accepts."""
        order_id = self.submit(*args, **changes)
        self.accept(order_id)
        return order_id

    def trade_now(self, *args: Any, at: int = 10_000, **changes: Any) -> str:
        """Place an order that fills at once, without a fee."""
        order_id = self.open(*args, **changes)
        self.fill(order_id, at)
        return order_id

    def cancel(self, order_id: str, reason: int = 0) -> list[Event]:
        """Ask for an order back."""
        self.do(CancelOrder(order_id, reason))
        return self.last

    def amend(
        self, order_id: str, price: int = 0, quantity: int = 0, trigger_price: int = 0
    ) -> list[Event]:
        """Ask for other terms."""
        self.do(AmendOrder(order_id, price, quantity, trigger_price))
        return self.last

    # The venue's answers.

    def accept(self, order_id: str) -> list[Event]:
        """The venue has it."""
        return self.report(VenueAccepted(order_id, f"v{order_id[-4:]}", self.now))

    def reject(self, order_id: str, reason: int = Reason.VENUE_REJECTED) -> list[Event]:
        """The venue refused it."""
        return self.report(VenueRejected(order_id, int(reason), "no", self.now))

    def fill(
        self,
        order_id: str,
        price: int = 10_000,
        quantity: int = 0,
        fee: int = 0,
        asset: str = "USD",
        trade_id: str = "",
        liquidity: int = TAKER,
    ) -> list[Event]:
        """A fill of what is left, or of `quantity`; returns the events."""
        self.trades += 1
        quantity = quantity or self.order(order_id).leaves()
        trade_id = trade_id or f"t{self.trades}"
        return self.report(
            Fill(order_id, trade_id, price, quantity, liquidity, asset, fee, self.now)
        )

    def cancelled(
        self, order_id: str, filled: int = -1, reason: int = Reason.VENUE_CANCELLED
    ) -> list[Event]:
        """The venue no longer works it."""
        return self.report(VenueCancelled(order_id, int(reason), self.now, filled))

    def amended(self, order_id: str, price: int, quantity: int, ts: int = -1) -> list[Event]:
        """The venue changed it."""
        return self.report(VenueAmended(order_id, price, quantity, self.now if ts < 0 else ts))

    # What came of it.

    def order(self, order_id: str) -> Order:
        """An order of the state."""
        return self.state.orders[order_id]

    @property
    def portfolio(self) -> Portfolio:
        """The portfolio "main"."""
        return self.state.portfolios["main"]

    def holding(self, instrument: str = SPOT_ID) -> Holding:
        """Main's holding."""
        return self.state.holding(self.portfolio, self.state.markets[instrument])

    def position(self, instrument: str = SPOT_ID) -> int:
        """Main's position."""
        return self.holding(instrument).position.quantity

    def balance(self, asset: str = "USD", venue: str = "x") -> Balance:
        """Main's cash."""
        return self.state.balance(self.portfolio, venue, asset)

    def names(self) -> list[str]:
        """The kinds of the last step's events, in order."""
        return [type(event).__name__ for event in self.last]

    def only(self, kind: type[E]) -> E:
        """The one event of a kind in the last step."""
        found = [event for event in self.last if isinstance(event, kind)]
        assert len(found) == 1, self.names()
        return found[0]

    def why(self) -> Reason:
        """The reason of the last step's one refusal (of an order, an amend or a command)."""
        found = [event for event in self.last if type(event).__name__.endswith("Refused")]
        assert len(found) == 1, self.names()
        refused: Any = found[0]
        return Reason(refused.reason)

    def _list(self, command: SubmitOrderList) -> list[str]:
        self.do(command)
        return [event.order_id for event in self.last if type(event).__name__ == "OrderPlaced"]  # type: ignore[union-attr]  # checked by name

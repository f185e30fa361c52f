"""An engine whose store fails, told in few words; and what must hold when it is over."""

from collections import Counter
from contextlib import closing
from typing import Final, Protocol

import msgspec
from fake_store import until
from store_world import digest_of

from zvt_trading.adapters.store.opening import open_store
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.events import EngineResumed, Event
from zvt_trading.runtime.maintenance.verify import verify
from zvt_trading.runtime.memory import StoredMemory
from zvt_trading.runtime.recovery import recover
from zvt_trading.sim.record import ROW_ACCEPTED, ROW_CANCELLED
from zvt_trading.types import OrderRequest, OrderResult

SYMBOL: Final = "BTC/USDT"
EXCHANGE: Final = "binance"
LOW: Final = 30_000
"""A price that nobody sells at here: an order to buy at it rests."""


_CHANGES: Final = 5
"""How often what is said of one fault may change before it stays so."""


class AtVenue(msgspec.Struct, frozen=True):
    """Ids of orders in the venues' own records."""

    accepted: list[str]
    cancelled: list[str]


class Trader(Protocol):
    """An engine on a store, in this process or in another one."""

    def buy(self) -> OrderResult: ...

    def rest(self) -> OrderResult: ...

    def cancel(self, order_id: str) -> bool: ...

    def at_venue(self) -> AtVenue: ...

    def is_up(self) -> bool: ...

    def problem(self) -> str: ...

    def resumptions(self) -> int: ...

    def wait(self) -> None: ...

    def close(self) -> str: ...


class EngineTrader:
    """`CryptoTradingEngine(db_url=...)` of this process."""

    def __init__(self, url: str) -> None:
        self.engine = CryptoTradingEngine(db_url=url)
        memory = self.engine.world.memory
        assert isinstance(memory, StoredMemory)
        self.keeper = memory.keeper
        self._resumptions = 0
        self.engine.subscribe(self._on_event)

    def buy(self) -> OrderResult:
        """At market, filled at once."""
        return self.engine.place_order(
            OrderRequest(symbol=SYMBOL, side="buy", quantity="0.01", exchange=EXCHANGE)
        )

    def rest(self) -> OrderResult:
        """An order that stays open."""
        return self.engine.place_order(
            OrderRequest(
                symbol=SYMBOL,
                side="buy",
                quantity="0.01",
                exchange=EXCHANGE,
                order_type="limit",
                price=LOW,
            )
        )

    def cancel(self, order_id: str) -> bool:
        """Whether the venue has taken it back."""
        return self.engine.cancel_order(order_id)

    def at_venue(self) -> AtVenue:
        """What the venues say, whatever the engine believes."""
        rows = [
            row
            for port in self.engine.world.simulation.ports.values()
            for row in port.exchange.record.rows  # type: ignore[attr-defined]  # simulated ones
        ]
        return AtVenue(
            [row.order_id for row in rows if row.kind == ROW_ACCEPTED],
            [row.order_id for row in rows if row.kind == ROW_CANCELLED],
        )

    def is_up(self) -> bool:
        """Whether everything is durable."""
        return self.keeper.is_up()

    def problem(self) -> str:
        """Why it is not."""
        return self.keeper.problem()

    def resumptions(self) -> int:
        """How often it went on after an outage."""
        return self._resumptions

    def wait(self) -> None:
        """A little of the market's time passes, and nothing else is asked of the engine."""
        self.engine.advance("0.2")

    def close(self) -> str:
        """The digest of what it believed in the end."""
        self.engine.close()
        return digest_of(self.engine.world.simulation.core)

    def _on_event(self, event: Event) -> None:
        self._resumptions += isinstance(event, EngineResumed)


def assert_stands_still(trader: Trader, resting: str, advice: str) -> None:
    """The store is away: no new risk, with a word on what to do; what rests can be taken back."""
    known = trader.at_venue().accepted
    first = trader.buy()  # it may be the one that finds out
    refused = _refused(trader, advice)
    assert not first.success
    assert first.reason in ("not_sent", "store_unavailable")
    assert (False, "store_unavailable") == (refused.success, refused.reason)
    assert advice in refused.message
    assert not trader.is_up()
    assert trader.cancel(resting)
    assert resting in trader.at_venue().cancelled
    assert known == trader.at_venue().accepted


def _refused(trader: Trader, advice: str) -> OrderResult:
    """An order after the one that found out.

    What is wrong with a connection is known first, what is wrong with the server when it was tried
    again.
    """
    for _ in range(_CHANGES):
        until(lambda: advice in trader.problem())
        refused = trader.rest()
        if advice in refused.message:
            break
    return refused


def assert_goes_on(trader: Trader) -> None:
    """The fault is gone: by itself, as soon as the store has everything."""
    before = trader.resumptions()
    until(trader.is_up)
    trader.wait()
    assert before + 1 == trader.resumptions()
    assert trader.buy().success


def assert_nothing_is_lost(trader: Trader, url: str) -> None:
    """Closes it. Venue, journal and tables agree, each order is there once; it can be reopened."""
    accepted = trader.at_venue().accepted
    believed = trader.close()
    assert_sound(url, accepted, believed)
    again = EngineTrader(url)
    assert again.buy().success
    again.close()
    assert_sound(url, [*accepted, *again.at_venue().accepted])


def assert_sound(url: str, accepted: list[str], believed: str = "") -> None:
    """What a store must be after its engine has closed in order."""
    with closing(open_store(url)) as store:
        verified = verify(store)
        rows = store.read("crypto_order", ("id", "exchange_order_id"), None)
        recovered = recover(store, "proof:1")
        store.release()
    assert [] == verified.problems
    assert verified.entries == verified.tables_seq
    assert digest_of(recovered.core) == verified.digest
    assert believed in ("", verified.digest)
    sent = Counter(str(order_id) for order_id, venue_id in rows if venue_id)
    assert Counter(set(accepted)) == sent
    assert {1} == set(Counter(accepted).values())

"""A snapshot's state in a new core: all of it, or an error; prices come anew and are no gain."""

import pytest
from core_world import NOW, ONE, SPOT_ID, CoreWorld

from zvt_trading.core.restore import (
    RestoreError,
    forget_prices,
    restore,
    snapshot_head,
    snapshot_parts,
)
from zvt_trading.core.snapshot import digest
from zvt_trading.core.state import Portfolio
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.codec import decode_snapshot, encode_part
from zvt_trading.messages.codes import BUY, SELL, STOP
from zvt_trading.messages.market import QuoteTick
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity
from zvt_trading.messages.snapshot import SnapshotHead, SnapshotPart


def busy() -> CoreWorld:
    """Coins, a resting order, a stop, a tag, money and an order that are not of our doing."""
    world = CoreWorld()
    world.fill(world.open(BUY, ONE, 10_000, client_tag="mine"), fee=5)
    world.open(BUY, ONE, 9_900)
    world.submit(SELL, ONE, kind=STOP, trigger_price=9_000)
    world.report(CashMoved("main", "x", "USD", 5, int(Reason.UNEXPLAINED), "r", "", 0))
    world.report(ForeignActivity("x", "alien", int(Reason.FOREIGN_ORDER), "", 0))
    world.at(10_000)
    world.time(5)
    return world


def taken(core: TradingCore) -> tuple[SnapshotHead, list[SnapshotPart]]:
    """A snapshot."""
    head = snapshot_head(core.state, core.risk, digest(core.state, core.risk))
    return head, list(snapshot_parts(core.state))


def restored(core: TradingCore) -> TradingCore:
    """A new core with the same state."""
    new = TradingCore(epoch=core.state.epoch)
    restore(new, *taken(core))
    return new


def test_it_is_the_same_state() -> None:
    core = busy().core
    assert digest(core.state, core.risk) == digest((new := restored(core)).state, new.risk)


def test_what_was_booked_and_told_is_known() -> None:
    """Neither money that moved without us nor a foreign order is taken a second time."""
    new = restored(busy().core)
    seq = new.state.seq
    new.report(NOW, CashMoved("main", "x", "USD", 5, int(Reason.UNEXPLAINED), "r", "", 0))
    new.report(NOW, ForeignActivity("x", "alien", int(Reason.FOREIGN_ORDER), "", 0))
    assert seq == new.state.seq


def test_a_snapshot_of_a_program_that_quarantined_nothing_is_read() -> None:
    """Its head does not say how much of that there is."""
    world = CoreWorld()
    head, parts = taken(world.core)
    stored = encode_part(head).replace(b',"quarantined":0', b"")
    assert b"quarantined" not in stored
    old, no_parts = decode_snapshot(stored)
    assert (head, []) == (old, no_parts)
    restore(new := TradingCore(epoch=world.state.epoch), old, parts)
    assert world.digest() == digest(new.state, new.risk)


def test_only_a_new_core_can_be_restored() -> None:
    """What a core has lived through is not written over."""
    core = busy().core
    before = digest(core.state, core.risk)
    with pytest.raises(RestoreError, match="only a new core can be restored; this one is at event"):
        restore(core, *taken(core))
    assert before == digest(core.state, core.risk)


@pytest.mark.parametrize("kept", [slice(1, None), slice(None, -1), slice(0)])
def test_a_snapshot_that_is_not_all_there_is_an_error(kept: slice) -> None:
    head, parts = taken(busy().core)
    core = TradingCore()
    with pytest.raises(RestoreError, match=f"parts in a snapshot of {len(parts)}"):
        restore(core, head, parts[kept])
    assert 0 == core.state.seq


def test_a_part_that_is_there_twice_is_an_error() -> None:
    head, parts = taken(busy().core)
    with pytest.raises(RestoreError, match=f"{len(parts) + 1} parts in a snapshot of {len(parts)}"):
        restore(TradingCore(), head, [*parts, parts[0]])


class TestPrices:
    """They are not remembered: the market goes on while nobody looks."""

    @pytest.fixture
    def portfolio(self) -> Portfolio:
        """One with a coin, restarted."""
        core = restored(busy().core)
        forget_prices(core.state)
        self.core = core
        self.ts = core.state.ts
        return core.state.portfolios["main"]

    def at(self, price: int) -> None:
        """The market is here, and the clock has seen it."""
        self.ts += 2 * SECOND
        for name in self.core.state.markets:
            self.core.quote(QuoteTick(name, price, 10 * ONE, price, 10 * ONE, self.ts))
        self.core.on_time(self.ts)

    def test_without_a_price_nothing_is_judged(self, portfolio: Portfolio) -> None:
        """The coin is worth nothing then: that is no loss."""
        day_start, peak = portfolio.day_start_equity, portfolio.peak_equity
        self.core.on_time(self.ts + 2 * SECOND)
        assert (day_start, peak) == (portfolio.day_start_equity, portfolio.peak_equity)
        assert 0 == portfolio.trading_state

    def test_the_first_price_is_no_gain(self, portfolio: Portfolio) -> None:
        """The day began with what it began with."""
        before = busy()
        live = before.core.state.portfolios["main"]
        self.at(10_000)
        assert live.day_start_equity == portfolio.day_start_equity
        assert live.equity == portfolio.equity

    def test_a_price_that_fell_meanwhile_is_a_loss(self, portfolio: Portfolio) -> None:
        """Of each of the hundred coins it had, and of the one it bought."""
        day_start = portfolio.day_start_equity
        self.at(10_000)
        equity = portfolio.equity
        self.at(9_500)
        assert day_start == portfolio.day_start_equity
        market = self.core.state.markets[SPOT_ID].instrument
        assert market.value(500, 101 * ONE) == equity - portfolio.equity

"""An engine with a store goes on where it stopped, whichever way that was; the public interface."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import pytest
from store_world import expire_lease, path_of, query

from engine_life import SPOT, killed, limit, live, order, said, slow_engine, trade
from engine_world import CLOSE, PERPETUAL, SPECS, ListFeed, engine_of, quote, world_of
from journals import ListJournal
from zvt_trading.adapters.store import postgres_store
from zvt_trading.bootstrap import NO_LATENCY, build_world, stored_memory
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, EngineError
from zvt_trading.messages.commands import LimitSet
from zvt_trading.ports.store import (
    FencedError,
    LeaseTakenError,
    StoreError,
    StoreUnavailableError,
)
from zvt_trading.ports.tables import COLUMNS
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.outage import REFUSALS_WAITING_MAX
from zvt_trading.types import OrderStatus, PositionInfo, TradingState

pytest_plugins = ("store_fixtures",)

MONEY: Final = 10**8
HOUR_MS: Final = 3_600_000
SECRET: Final = "hunter2"  # noqa: S105 - what must not be seen
"""In the URLs below."""


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A living engine's lock is asked for once, not for two seconds."""
    monkeypatch.setattr(postgres_store, "LOCK_TRIES", 1)


def positions_of(url: str) -> list[PositionInfo]:
    """What the next engine says that there is."""
    with CryptoTradingEngine(db_url=url) as engine:
        return engine.get_positions()


TABLES: Final = (*COLUMNS, "event_journal", "engine_snapshot", "engine_store", "alembic_version")


def everything(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a store but the lease's."""
    return {
        table: sorted(query(url, f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - our own
        for table in TABLES
    }


class TestGoingOn:
    """Positions, lots, orders, balances, books, states: what was said is said again."""

    def test_after_a_life_that_ended_in_order(self, store_url: str) -> None:
        before = live(store_url)
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert before == said(engine)

    def test_after_a_kill(self, store_url: str) -> None:
        """The tables were behind, no snapshot was saved, the lease not given back."""
        before = killed("die", store_url)
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert before == said(engine)

    def test_after_a_kill_the_engine_is_what_one_without_a_store_would_be(
        self, store_url: str
    ) -> None:
        with CryptoTradingEngine() as forgetful:
            trade(forgetful)
            told = said(forgetful)
        before = killed("die", store_url)
        for name in ("balances", "positions", "summaries", "ledger"):
            assert _without_ids(told[name]) == _without_ids(before[name])

    def test_orders_of_earlier_lives_are_cancelled_amended_and_filled(self, store_url: str) -> None:
        """And what they held is free again; the venue's limit order is taken by the market."""
        live(store_url)
        with CryptoTradingEngine(db_url=store_url) as engine:
            mine = [row for row in engine.get_orders(open_only=True) if row.strategy_id == "mine"]
            assert ["51000"] == [f"{row.price:.0f}" for row in mine]
            assert engine.cancel_order(mine[0].order_id)
            (dear,) = [
                row for row in engine.get_orders("second", open_only=True) if row.side == "sell"
            ]
            assert engine.amend_order(dear.order_id, price="59000").success
            assert OrderStatus.FILLED == engine.get_order(dear.order_id).status
            engine.cancel_all()
            assert [] == engine.get_orders(open_only=True)
            balances = engine.get_portfolio_summary().balances
            assert {0} == {balance.reserved for balance in balances}
            assert {0} == {row.difference for row in engine.ledger()}
            told = said(engine)
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert told == said(engine)

    def test_an_id_is_never_given_twice(self, store_url: str) -> None:
        """Not even when a life ends as soon as it has begun."""
        ids: list[str] = []
        for _ in range(3):
            with CryptoTradingEngine(db_url=store_url) as engine:
                ids.append(engine.place_order(limit("buy", "0.01", "50000")).order_id)
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert ids == [row.order_id for row in engine.get_orders()]
        assert 3 == len(set(ids))

    def test_time_goes_on(self, store_url: str) -> None:
        """Nothing of a later life is older than what an earlier one did."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.advance(30)
            engine.place_order(limit("buy", "0.01", "50000"))
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.place_order(limit("buy", "0.01", "50000"))
            first, second = engine.get_orders()
        assert first.created_at < second.created_at

    def test_an_engine_without_a_store_remembers_nothing(self) -> None:
        with CryptoTradingEngine() as engine:
            engine.place_order(order("buy", "0.05"))
        with CryptoTradingEngine() as engine:
            assert [] == engine.get_orders()


def _without_ids(value: Any) -> Any:
    """Orders of two engines have other ids and begin at other times."""
    if isinstance(value, dict):
        return {
            name: _without_ids(part)
            for name, part in value.items()
            if name not in {"order_id", "opened_at"}
        }
    return [_without_ids(part) for part in value] if isinstance(value, list) else value


class TestUnanswered:
    """What had no answer when the engine died."""

    def test_an_order_that_never_arrived_has_an_end_and_holds_nothing(self, store_url: str) -> None:
        """Its venue died with the engine: no copy of it can still arrive."""
        order_id = killed("die_sending", store_url)["order_id"]
        with CryptoTradingEngine(db_url=store_url) as engine:
            lost = engine.get_order(order_id)
            assert (OrderStatus.REJECTED, "absence_proven") == (lost.status, lost.reason)
            summary = engine.get_portfolio_summary()
            assert 0 == summary.open_orders
            assert {0} == {balance.reserved for balance in summary.balances}
            assert engine.place_order(order("buy", "0.05")).success

    def test_no_new_risk_before_the_venues_have_said_what_they_have(self, store_url: str) -> None:
        """Five seconds there and five back; cancels go all the same."""
        live(store_url)
        engine = slow_engine(store_url)
        early = engine.place_order(order("buy", "0.01"))
        assert (False, "recovering") == (early.success, early.reason)
        assert "may pass later" in early.message
        assert engine.cancel_all(symbol=SPOT) > 0
        engine.advance(30)
        assert engine.place_order(order("buy", "0.01")).success
        engine.close()

    def test_a_new_store_has_nothing_to_find_out(self, store_url: str) -> None:
        engine = slow_engine(store_url)
        assert engine.place_order(order("buy", "0.01")).success
        engine.close()


class TestRisk:
    """What keeps an engine from trading keeps the next one from it."""

    def test_the_kill_switch_stays_pulled(self, store_url: str) -> None:
        """Until a person re-arms it."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.place_order(limit("buy", "0.05", "50000"))
            engine.kill_switch(reason="the test says so")
        for _ in range(2):
            with CryptoTradingEngine(db_url=store_url) as engine:
                assert [] == engine.get_orders(open_only=True)
                assert "trading_halted" == engine.place_order(order("buy", "0.05")).reason
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.set_trading_state("active")
            assert engine.place_order(order("buy", "0.05")).success

    def test_a_kill_switch_that_flattens_goes_on_closing(self, store_url: str) -> None:
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.place_order(order("buy", "0.05"))
            engine.kill_switch(flatten=True)
            assert [] == engine.get_positions()
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert [] == engine.get_positions()
            assert "trading_halted" == engine.place_order(order("buy", "0.05")).reason

    @pytest.mark.parametrize(
        ("scope", "key", "reason"),
        [
            ("venue", "binance", "trading_halted"),
            ("symbol", SPOT, "trading_halted"),
            ("portfolio", "default", "trading_halted"),
            ("strategy", "mine", "trading_halted"),
        ],
    )
    def test_a_halt_of_any_scope(self, sqlite_url: str, scope: str, key: str, reason: str) -> None:
        with CryptoTradingEngine(db_url=sqlite_url) as engine:
            engine.set_trading_state("halted", scope, key)
        with CryptoTradingEngine(db_url=sqlite_url) as engine:
            assert reason == engine.place_order(order("buy", "0.05", strategy_id="mine")).reason
            other = engine.place_order(order("buy", "0.05", symbol="ETH/USDT", exchange="okx"))
            assert (key == "default") == (not other.success)

    def test_limits(self, store_url: str) -> None:
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.set_limits(LimitSet(scope=0, order_notional_max=100 * MONEY))
        with CryptoTradingEngine(db_url=store_url) as engine:
            refused = engine.place_order(order("buy", "0.05"))
            assert "max_order_notional" == refused.reason
            assert 100 == refused.limit

    def test_the_day_s_loss(self, store_url: str) -> None:
        """It counts from where the day began, not from where the engine did."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            _lose(engine)
            lost = engine.get_portfolio_summary().daily_pnl
            assert lost < -5
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert lost == engine.get_portfolio_summary().daily_pnl
            engine.set_limits(LimitSet(scope=0, daily_loss_max=5 * MONEY))
            engine.advance(5)
            assert TradingState.REDUCING == engine.get_portfolio_summary().trading_state
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert "trading_reducing" == engine.place_order(order("buy", "0.05")).reason

    def test_the_rest_after_a_loss(self, store_url: str) -> None:
        """For as long as it was to last; the engine's being away counts as time that passed."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.set_limits(LimitSet(scope=0, cool_down_ms=60_000))
            _lose(engine)
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert "cool_down" == engine.place_order(order("buy", "0.05")).reason
            engine.advance(60)
            assert engine.place_order(order("buy", "0.05")).success

    def test_how_often_it_traded_lately(self, store_url: str) -> None:
        """A program that starts again and again is no way round the limits of pace."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            engine.set_limits(LimitSet(scope=0, orders_per_hour_max=2))
            engine.place_order(limit("buy", "0.01", "50000"))
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert engine.place_order(limit("buy", "0.01", "51000")).success
        with CryptoTradingEngine(db_url=store_url) as engine:
            assert "rate_hour" == engine.place_order(limit("buy", "0.01", "52000")).reason


def _lose(engine: CryptoTradingEngine) -> None:
    """Spread and fees of a round trip: some 6 USDT."""
    for side in ("buy", "sell"):
        assert engine.place_order(order(side, "0.05")).success


class TestWithoutStore:
    """An engine whose store has failed says so to whoever calls; see tests/sim/test_outage.py."""

    @pytest.fixture
    def failing(self) -> Iterator[CryptoTradingEngine]:
        """A world of a test, with a journal that keeps nothing."""
        with engine_of() as engine:
            journal = ListJournal()
            journal.is_broken = True
            engine.world.simulation.journal = journal
            yield engine

    def test_an_order_was_not_sent_and_the_next_is_refused(
        self, failing: CryptoTradingEngine
    ) -> None:
        first, second = (
            failing.place_order(order("buy", quantity, exchange="alpha"))
            for quantity in ("0.1", "0.2")
        )
        assert (False, "not_sent") == (first.success, first.reason)
        assert (False, "store_unavailable") == (second.success, second.reason)
        assert [] == failing.get_positions()

    def test_a_refused_command_is_an_error_that_says_what_to_do(
        self, failing: CryptoTradingEngine
    ) -> None:
        failing.place_order(order("buy", "0.1", exchange="alpha"))
        with pytest.raises(StoreUnavailableError, match="Deposit: the disk is full: make room"):
            failing.deposit("default", "alpha", "USDT", 1)
        with pytest.raises(StoreUnavailableError, match="Withdraw: the disk is full: make room"):
            failing.withdraw("default", "alpha", "USDT", 1)

    def test_when_too_much_waits_nothing_is_taken_down_at_all(
        self, failing: CryptoTradingEngine
    ) -> None:
        """Not even that it was refused; the kill switch works all the same."""
        failing.place_order(order("buy", "0.1", exchange="alpha"))
        journal = failing.world.simulation.journal
        assert isinstance(journal, ListJournal)
        journal.backlog.extend(journal.backlog[:1] * (REFUSALS_WAITING_MAX + 1))
        with pytest.raises(StoreUnavailableError, match="the disk is full: make room"):
            failing.place_order(order("buy", "0.2", exchange="alpha"))
        with pytest.raises(StoreUnavailableError, match="the disk is full: make room"):
            failing.deposit("default", "alpha", "USDT", 1)
        failing.kill_switch()
        assert TradingState.HALTED == failing.get_portfolio_summary().trading_state


class TestTakenOver:
    """An engine that was taken for dead, and is not."""

    @pytest.mark.usefixtures("impatient")
    def test_it_stops_and_the_heir_trades(self, store_url: str) -> None:
        """Its next order is not sent, whatever it believes; closing it harms nobody."""
        hung = CryptoTradingEngine(db_url=store_url)
        hung.place_order(order("buy", "0.05"))
        expire_lease(store_url)
        with CryptoTradingEngine(db_url=store_url) as heir:
            with pytest.raises(FencedError, match=r"taken over .* this engine must stop"):
                hung.place_order(order("buy", "0.01"))
            with pytest.raises(EngineError, match="taken over"):
                hung.place_order(order("buy", "0.01"))
            hung.close()
            assert heir.place_order(order("buy", "0.05")).success
        assert Decimal("0.1") == positions_of(store_url)[0].quantity


class TestRefused:
    """A store that an engine cannot have, or is not one, is left as it is."""

    @pytest.mark.usefixtures("impatient")
    def test_a_second_engine_is_told_what_to_do(self, store_url: str) -> None:
        """The first one trades on, and the second may start when it has stopped."""
        with CryptoTradingEngine(db_url=store_url) as engine:
            for _ in range(2):
                with pytest.raises(LeaseTakenError, match=r"one engine a store\. Stop it, or give"):
                    CryptoTradingEngine(db_url=store_url)
            assert engine.place_order(order("buy", "0.05")).success
            before = engine.get_positions()
        assert before[0].quantity == positions_of(store_url)[0].quantity

    @pytest.mark.parametrize(
        ("version", "advice"),
        [
            ("0001", "is of version 0001, .* run `zvt-trading db upgrade`"),
            ("9999", "newer than the .* use the program that made it, or a newer one"),
        ],
    )
    def test_another_version(self, bare_url: str, version: str, advice: str) -> None:
        live(bare_url)
        query(bare_url, f"UPDATE alembic_version SET version_num = '{version}'")  # noqa: S608 - a table
        before = everything(bare_url)
        with pytest.raises(StoreError, match=advice):
            CryptoTradingEngine(db_url=bare_url)
        assert before == everything(bare_url)

    def test_somebody_else_s_database(self, bare_url: str) -> None:
        query(bare_url, "CREATE TABLE crypto_order (mine INTEGER)")
        query(bare_url, "INSERT INTO crypto_order VALUES (7)")
        with pytest.raises(StoreError, match="give the engine a database of its own"):
            CryptoTradingEngine(db_url=bare_url)
        assert [(7,)] == query(bare_url, "SELECT * FROM crypto_order")
        if bare_url.startswith("sqlite"):
            assert [path_of(bare_url)] == sorted(path_of(bare_url).parent.iterdir())

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        path = tmp_path / "notes.db"
        path.write_text("dear diary, " * 100)
        with pytest.raises(StoreError, match="file is not a database"):
            CryptoTradingEngine(db_url=f"sqlite:///{path}")
        assert "dear diary, " * 100 == path.read_text()

    @pytest.mark.parametrize(
        "url",
        [
            f"mysql://me:{SECRET}@host/db",
            f"postgresql://me:{SECRET}@host:port/db",
            f"me:{SECRET}@host",
            "trading.db",
            "",
        ],
    )
    def test_a_url_that_names_no_store(self, url: str) -> None:
        """It says which ones there are, and nothing of a password."""
        with pytest.raises(CallerError, match="sqlite:///PATH or postgresql://") as refused:
            CryptoTradingEngine(db_url=url)
        assert SECRET not in str(refused.value)

    def test_a_server_that_is_not_there(self) -> None:
        """The password is not in what is said of it."""
        with pytest.raises(StoreUnavailableError) as refused:
            CryptoTradingEngine(db_url=f"postgresql://me:{SECRET}@127.0.0.1:1/db")
        assert "127.0.0.1:1" in str(refused.value)
        assert SECRET not in str(refused.value)

    def test_a_world_has_its_own_memory(self, sqlite_url: str) -> None:
        """Two answers to where things are remembered contradict each other."""
        with pytest.raises(CallerError, match="give a world or a db_url"):
            CryptoTradingEngine(world_of(), db_url=sqlite_url)


class TestOtherVenues:
    """A store that was used with the venues of a test, not with the engine's own."""

    @pytest.fixture
    def elsewhere(self, store_url: str) -> str:
        """Where 0.1 BTC were bought on alpha."""
        with by_hand(store_url) as engine:
            assert engine.place_order(order("buy", "0.1", exchange="alpha")).success
        return store_url

    def test_it_is_refused_and_the_store_is_free_again(self, elsewhere: str) -> None:
        """No other venue may take over what is alpha's."""
        before = everything(elsewhere)
        for _ in range(2):
            with pytest.raises(CallerError, match="the store knows alpha:BTC/USDT, which no venue"):
                CryptoTradingEngine(db_url=elsewhere)
        assert before == everything(elsewhere)

    def test_the_venues_it_knows_take_it_over(self, elsewhere: str) -> None:
        """With the position; the first start's portfolios are not funded again."""
        with by_hand(elsewhere, after=60) as engine:
            (position,) = engine.get_positions()
            assert ("alpha", Decimal("0.1")) == (position.exchange, position.quantity)
            assert 200_000 > engine.get_portfolio_summary().equity > 199_990
            assert engine.place_order(order("sell", "0.1", exchange="alpha")).success
            assert [] == engine.get_positions()


def by_hand(url: str, after: float = 0) -> CryptoTradingEngine:
    """Two venues that are quoted once, so many seconds from the start."""
    memory = stored_memory(url)
    names = ("alpha:BTC/USDT", "beta:BTC/USDT", f"alpha:{PERPETUAL}")
    quotes = [quote(name, "59999", "60001", after=after) for name in names]
    try:
        world = build_world(
            SPECS,
            ListFeed([*quotes, CLOSE]),
            lambda listed: RecordedMarket(listed.tick),
            outward=NO_LATENCY,
            inward=NO_LATENCY,
            memory=memory,
        )
    except BaseException:
        memory.close()
        raise
    engine = CryptoTradingEngine(world)
    engine.advance("0.001")
    return engine

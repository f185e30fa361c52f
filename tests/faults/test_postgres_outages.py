"""The engine on a real PostgreSQL server that is killed, hangs, is read-only or has no room."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

import psycopg
import pytest
from fake_store import PATIENCE, until
from fault_world import (
    EngineTrader,
    assert_goes_on,
    assert_nothing_is_lost,
    assert_sound,
    assert_stands_still,
)
from postgres_cluster import Served, answers
from store_world import query
from wire_proxy import Proxy

from zvt_trading.runtime import keeper as keeper_module

pytest_plugins = ("fault_fixtures",)
pytestmark = pytest.mark.usefixtures("impatient")

FULL: Final = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END
$$;
CREATE TRIGGER full_disk BEFORE INSERT ON event_journal EXECUTE FUNCTION full_disk()
"""
ROOM: Final = "DROP FUNCTION full_disk CASCADE"

Fault = Callable[[Served], AbstractContextManager[None]]


@pytest.fixture
def resources() -> Iterator[ExitStack]:
    """What is given back when a test is over, also one that failed."""
    with ExitStack() as stack:
        yield stack


def open_engine(resources: ExitStack, url: str) -> tuple[EngineTrader, str]:
    """One that has traded, and an order of its that rests."""
    trader = EngineTrader(url)
    resources.callback(trader.engine.close)
    assert trader.buy().success
    return trader, trader.rest().order_id


@contextmanager
def killed(served: Served) -> Iterator[None]:
    """The whole server is gone; then it is started again."""
    served.cluster.kill()
    assert not answers(served.url)
    try:
        yield
    finally:
        served.cluster.start()


@contextmanager
def read_only(served: Served) -> Iterator[None]:
    """As after a failover to a standby: new connections may only read."""
    alter = f"ALTER DATABASE {served.database}"
    query(served.url, f"{alter} SET default_transaction_read_only = on")
    cut_engines(served)
    try:
        yield
    finally:
        query(served.cluster.url("postgres"), f"{alter} RESET default_transaction_read_only")


@contextmanager
def full(served: Served) -> Iterator[None]:
    """No entry fits any more."""
    query(served.url, FULL)
    try:
        yield
    finally:
        query(served.url, ROOM)


@contextmanager
def stopped(served: Served) -> Iterator[None]:
    """The process that serves the engine stands still, whatever it was doing."""
    (process,) = served.engines()
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:  # the server waits for it whatever becomes of the test
        os.kill(process, signal.SIGCONT)


def cut_engines(served: Served) -> None:
    """The server ends the engine's connection, and has done so when this returns."""
    query(
        served.url,
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE application_name = 'zvt-trading' AND datname = current_database()",
    )


@pytest.mark.parametrize(
    ("fault", "advice"),
    [
        (killed, "check that the server runs and can be reached; the engine goes on by itself"),
        (read_only, "the database is read-only (a standby?): use the primary"),
        (full, "the server's disk is full: make room, the engine goes on by itself"),
        (stopped, "check its load"),
    ],
)
def test_a_server_that_does_not_keep_anything(
    served: Served, resources: ExitStack, fault: Fault, advice: str
) -> None:
    """No new risk while it lasts; cancels go; then on by itself, with everything."""
    trader, resting = open_engine(resources, served.url)
    with fault(served):
        assert_stands_still(trader, resting, advice)
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, served.url)


def test_a_wire_that_hangs(served: Served, resources: ExitStack) -> None:
    """Nothing comes back and nothing breaks: a commit is waited for for a while, no longer."""
    proxy = resources.enter_context(Proxy(served.cluster.port))
    trader, resting = open_engine(resources, served.cluster.url(served.database, proxy.port))
    proxy.hang()
    assert_stands_still(trader, resting, "")
    proxy.flow()
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, served.url)


def test_a_wire_that_hangs_for_good_when_another_would_not(
    served: Served, resources: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that hangs in an outage, when nobody waits for it: the next is tried."""
    monkeypatch.setattr(keeper_module, "HANG_SECONDS", 1)
    proxy = resources.enter_context(Proxy(served.cluster.port))
    trader, _ = open_engine(resources, served.cluster.url(served.database, proxy.port))
    with killed(served):
        assert not trader.buy().success
        proxy.deafen_next()
    assert proxy.is_deaf.wait(PATIENCE)
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, served.url)


def test_a_wire_that_hangs_when_the_engine_is_closed(
    served: Served, resources: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends all the same, and what was durable is what the next one goes on with."""
    monkeypatch.setattr(keeper_module, "HANG_SECONDS", 1)
    proxy = resources.enter_context(Proxy(served.cluster.port))
    trader, _ = open_engine(resources, served.cluster.url(served.database, proxy.port))
    accepted = trader.at_venue().accepted
    proxy.deafen_next()
    proxy.drop()
    assert not trader.buy().success
    assert proxy.is_deaf.wait(PATIENCE)
    trader.close()
    again = EngineTrader(served.url)
    assert again.buy().success
    new = again.at_venue().accepted
    again.close()
    assert_sound(served.url, [*accepted, *new])


def test_the_process_that_serves_the_engine_is_ended(served: Served, resources: ExitStack) -> None:
    """By an administrator: at most one order finds out, and then the engine is connected anew."""
    trader, resting = open_engine(resources, served.url)
    cut_engines(served)
    trader.buy()
    assert trader.cancel(resting)
    until(trader.is_up)
    assert trader.buy().success
    assert_nothing_is_lost(trader, served.url)


def test_the_process_that_serves_the_engine_is_killed(served: Served, resources: ExitStack) -> None:
    """It takes all others with it, and the server goes through its own recovery."""
    trader, resting = open_engine(resources, served.url)
    (process,) = served.engines()
    with psycopg.connect(served.url) as witness:
        os.kill(process, signal.SIGKILL)
        until(lambda: is_broken(witness))
    assert not trader.buy().success
    assert trader.cancel(resting)
    until(lambda: answers(served.url))
    assert_goes_on(trader)
    assert_nothing_is_lost(trader, served.url)


def is_broken(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has let go of it."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False

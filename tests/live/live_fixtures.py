"""Exchanges and engines of the acceptance cards: `pytest_plugins = ("live.live_fixtures",)`."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from live.live_trader import Trader, trading
from live.live_world import Account, Exchanges


@pytest.fixture(scope="module")
def exchanges() -> Iterator[Exchanges]:
    """All of them, for one module."""
    with Exchanges() as exchanges:
        yield exchanges


@pytest.fixture(scope="module")
def desks(
    exchanges: Exchanges, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Trader]]:
    """One engine an exchange for all tests of a module, opened when it is first needed."""
    opened: dict[str, Trader] = {}

    def trader_at(name: str) -> Trader:
        if name not in opened:
            folder = tmp_path_factory.mktemp(name)
            opened[name] = trading(exchanges.account(name, f"sqlite:///{folder / 'engine.db'}"))
        return opened[name]

    yield trader_at
    for trader in opened.values():
        trader.engine.close()


@pytest.fixture
def account(exchanges: Exchanges, venue: str, tmp_path: Path) -> Iterator[Account]:
    """A new account at one of them; `venue` is what a test is parametrised with."""
    account = exchanges.account(venue, f"sqlite:///{tmp_path / 'engine.db'}")
    yield account
    account.clean()


@pytest.fixture
def trader(account: Account) -> Iterator[Trader]:
    """An engine that trades there."""
    with trading(account) as trader:
        yield trader


@pytest.fixture
def shared(desks: Callable[[str], Trader], venue: str) -> Iterator[Trader]:
    """The module's engine at one of them; each card leaves it without open orders."""
    trader = desks(venue)
    trader.begin()
    yield trader
    trader.end()

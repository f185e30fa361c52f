"""A server for the tests that break one: `pytest_plugins = ("fault_fixtures",)`.

Where its programs are not installed these tests are skipped, on CI they fail.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from postgres_cluster import Cluster, Served, program

from conftest import on_ci
from zvt_trading import bootstrap
from zvt_trading.runtime.keeper import Keeper


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """One for all tests of this process; each leaves it running and willing."""
    if program("initdb") is None:
        if on_ci():
            pytest.fail("initdb of PostgreSQL is not installed")
        pytest.skip("initdb of PostgreSQL is not installed")
    with Cluster() as cluster:
        yield cluster


@pytest.fixture
def served(cluster: Cluster) -> Iterator[Served]:
    """A new one for each test."""
    with cluster.database() as database:
        yield Served(cluster, database)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines wait one second for a commit, and try again at once."""
    monkeypatch.setattr(bootstrap, "Keeper", partial(Keeper, commit_seconds=1, retry_ms=1))

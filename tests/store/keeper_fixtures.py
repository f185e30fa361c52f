"""Keepers for tests: a module that says `pytest_plugins = ("keeper_fixtures",)` may use these.

Whoever says so says it for the whole run: no name here may be one of `store_fixtures`.
"""

from collections.abc import Iterator

import pytest
from fake_store import FakeStore
from keeper_world import Rigs, making_rigs


@pytest.fixture
def rigs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rigs]:
    """Makes rigs, and closes them in the end."""
    with making_rigs(monkeypatch) as make:
        yield make


@pytest.fixture(params=[False, True], ids=["elsewhere", "at hand"])
def scripted(request: pytest.FixtureRequest) -> FakeStore:
    """On another machine, or a file of this one."""
    return FakeStore(is_at_hand=request.param)

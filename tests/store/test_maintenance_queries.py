"""The queries of docs/data-model.md run as they stand there, on both databases."""

import re
from typing import Final

import pytest
from maintenance_world import lived
from store_world import query

from conftest import ROOT

pytest_plugins = ("store_fixtures",)

PAGE: Final = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
SEEDS: Final = (1, 2, 5)


def queries(heading: str) -> list[str]:
    """The SQL under a heading."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sql\n(.*?);?\n```", section, re.DOTALL)


def test_there_are_queries() -> None:
    """All that the page has are in one of the two sections."""
    found = (len(queries("What must hold")), len(queries("Asking")))
    assert (7, 8, PAGE.count("```sql")) == (*found, sum(found))


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    """A journal."""
    found: int = request.param
    return found


def test_what_must_hold_holds(store_url: str, seed: int) -> None:
    """No row, that is."""
    lived(store_url, seed)
    for sql in queries("What must hold"):
        assert [] == query(store_url, sql), sql


# What would have to be wrong for each query to give a row, in the page's order.
WRONG: Final = (
    "DELETE FROM event_journal WHERE seq = 7",
    "UPDATE engine_store SET projected_seq = 3",
    "UPDATE crypto_order SET filled_quantity = '0.000000000000000000'",
    "DELETE FROM crypto_position_lot",
    "UPDATE crypto_balance SET available = '1.000000000000000000'",
    "DELETE FROM crypto_ledger_entry WHERE kind = 'fees'",
    "UPDATE crypto_portfolio SET open_orders = 99",
)


@pytest.mark.parametrize("index", range(len(WRONG)))
def test_what_does_not_hold_is_found(store_url: str, index: int) -> None:
    """A query that can give no row proves nothing."""
    lived(store_url, 5)
    query(store_url, WRONG[index])
    assert query(store_url, queries("What must hold")[index])


def test_what_is_asked_is_answered(store_url: str) -> None:
    """With at least a row each, where there was something to ask for."""
    lived(store_url, 5)
    assert [] == [sql for sql in queries("Asking") if not query(store_url, sql)]

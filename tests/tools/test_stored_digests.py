"""What the digest of a store sees, and what it does not: tests/stored_digests.py."""

from typing import Final

import pytest
from store_world import query

from stored_digests import journal, live, stored_digest

pytest_plugins = ("store_fixtures",)

# A change of one value in each table that the journal fills.
CHANGES: Final = (
    "UPDATE crypto_portfolio SET win_rate = '0.5' WHERE name = 'main'",
    "UPDATE crypto_order SET reason_text = reason || 'x' WHERE reason IS NOT NULL",
    "UPDATE crypto_trade SET trade_id = trade_id || 'x'",
    "UPDATE crypto_position SET lot_count = lot_count + 1",
    "UPDATE crypto_position_lot SET opened_ns = opened_ns + 1",
    "DELETE FROM crypto_balance WHERE asset = 'BTC'",
    "UPDATE crypto_ledger_entry SET amount = '7.000000000000000000' WHERE line = 0",
    "DELETE FROM crypto_equity",
    "UPDATE crypto_risk_limit SET set_seq = set_seq + 1",
    "UPDATE crypto_refusal SET text = text || 'x'",
    "UPDATE engine_store SET projected_seq = projected_seq - 1",
    "DELETE FROM engine_snapshot",
)  # fmt: skip


@pytest.fixture
def lived(sqlite_url: str) -> str:
    """A store with something in every table."""
    live(sqlite_url, journal(1))
    return sqlite_url


def test_it_is_the_same_whenever_it_is_looked_at(lived: str) -> None:
    """Looking takes the lease, which is not a part of it."""
    assert stored_digest(lived) == stored_digest(lived)


def test_what_is_a_store_s_own_is_left_out(lived: str) -> None:
    """Its id, its tag, and when it was made."""
    before = stored_digest(lived)
    query(
        lived,
        "UPDATE engine_store SET engine_tag = 7, created_at = '2001-01-01T00:00:00+00:00', "
        "store_id = '00000000000000000000000000000001'",
    )
    assert before == stored_digest(lived)


@pytest.mark.parametrize(
    "change", CHANGES, ids=[change.split()[1 + (change[0] == "D")] for change in CHANGES]
)
def test_it_sees_every_table(lived: str, change: str) -> None:
    """A changed value or a missing row is another digest."""
    before = stored_digest(lived)
    query(lived, change)
    assert before != stored_digest(lived)


def test_another_journal_has_another_digest(lived: str, pg_url: str) -> None:
    """On whichever store."""
    live(pg_url, journal(2))
    assert stored_digest(lived) != stored_digest(pg_url)


def test_the_same_journal_has_the_same_digest_on_both(lived: str, pg_url: str) -> None:
    """Rows, snapshots, entries, state."""
    live(pg_url, journal(1))
    assert stored_digest(lived) == stored_digest(pg_url)

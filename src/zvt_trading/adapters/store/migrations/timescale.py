"""On a server with TimescaleDB the two tables that only grow are hypertables.

A hypertable's unique keys must contain the column it is partitioned by
(https://docs.timescale.com/use-timescale/latest/hypertables/hypertables-and-unique-indexes/). The
journal's is its number; a trade's key gets the venue's time of the trade, which a report that comes
twice has as well.
"""

from typing import Final

import sqlalchemy as sa

ENTRIES_A_CHUNK: Final = 1_000_000
_KEY: Final = "uq_crypto_trade_venue_account_symbol_trade_id_side"
_COLUMNS: Final = "venue, account, symbol, trade_id, side"
_STATEMENTS: Final = (
    f"SELECT create_hypertable('event_journal', 'seq', chunk_time_interval => {ENTRIES_A_CHUNK})",
    "ALTER TABLE crypto_trade DROP CONSTRAINT pk_crypto_trade",
    "ALTER TABLE crypto_trade ADD CONSTRAINT pk_crypto_trade PRIMARY KEY (id, executed_at)",
    f"ALTER TABLE crypto_trade DROP CONSTRAINT {_KEY}",
    f"ALTER TABLE crypto_trade ADD CONSTRAINT {_KEY} UNIQUE ({_COLUMNS}, executed_at)",
    "SELECT create_hypertable('crypto_trade', 'executed_at')",
)


def make_hypertables(connection: sa.Connection) -> None:
    """Where the extension is, in this database; elsewhere nothing."""
    if connection.dialect.name != "postgresql":
        return
    found = "SELECT 1 FROM pg_extension WHERE extname = 'timescaledb'"
    if connection.execute(sa.text(found)).first() is None:
        return
    for statement in _STATEMENTS:
        connection.execute(sa.text(statement))

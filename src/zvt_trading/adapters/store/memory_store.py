"""A store in this process's memory: the same tables and queries, gone with it."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from zvt_trading.adapters.store.sqlite_store import SqliteStore
from zvt_trading.ports.store import Lease

IN_MEMORY: Final = ":memory:"
"""What SQLite calls it, as the path of a URL: sqlite:///:memory:"""


class MemoryStore(SqliteStore):
    """One connection, which whoever made the schema hands over; nothing beside it on any disk."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._given = connection
        super().__init__(Path(IN_MEMORY))

    def acquire(self, owner: str) -> Lease:
        """Nobody else can see it."""
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        with self.transaction() as cursor:
            return self.take_lease(cursor, owner, now, None)

    def renew(self) -> None:
        """It does not run out."""

    def release(self) -> None:
        """It ends with the process."""

    def rest(self) -> None:
        """There is no log."""

    def reopen(self) -> None:
        """There is nothing to open it from; what failed is undone, and it is as it was."""

    def _open(self) -> sqlite3.Connection:
        self._given.execute("PRAGMA foreign_keys = ON")
        return self._given

    def _tell_torn(self) -> None:
        """Nothing is torn in memory."""

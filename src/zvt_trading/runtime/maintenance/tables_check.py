"""What the tables hold against what the journal gives, row by row."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from zvt_trading.ports.store import Changes, Row, Store
from zvt_trading.ports.tables import COLUMNS, KEYS

SHOWN: Final = 5
"""Differences of a table that are told in full; of the others there is the number."""

_KEYS_AT: Final = {
    table: tuple(COLUMNS[table].index(column) for column in key) for table, key in KEYS.items()
}
_pack: Final = msgspec.json.Encoder().encode


class TablesCheck:
    """Takes the changes that a projector makes of the journal, and knows what is different.

    The stored rows are in memory, packed: about a kilobyte for an order and its trade.
    """

    def __init__(self, store: Store) -> None:
        """Read the tables as they are at one moment, `seq`."""
        self._stored: dict[str, dict[Row, bytes]] = {table: {} for table in COLUMNS}
        self._known: dict[str, set[Row]] = {table: set() for table in COLUMNS}
        self._different: dict[str, dict[Row, Row]] = {table: {} for table in COLUMNS}
        with store.tables() as tables:
            self.seq = tables.projected_seq
            for table, row in tables.rows:
                self._stored[table][_key(table, row)] = _packed(row)

    @property
    def rows(self) -> int:
        """How many the tables hold."""
        return sum(len(rows) for rows in self._stored.values())

    def take(self, changes: Changes) -> None:
        """What the next events of the journal did."""
        for table, keys in changes.deletes.items():
            for key in keys:
                self._known[table].discard(key)
                self._different[table].pop(key, None)
        for table, rows in changes.upserts.items():
            stored = self._stored[table]
            known = self._known[table]
            different = self._different[table]
            for row in rows:
                key = _key(table, row)
                known.add(key)
                if stored.get(key) == _packed(row):
                    different.pop(key, None)
                else:
                    different[key] = row

    def problems(self) -> Iterator[str]:
        """After the last event that the tables are of."""
        for table in COLUMNS:
            different = self._different[table]
            extra = [key for key in self._stored[table] if key not in self._known[table]]
            for key in list(different)[:SHOWN]:
                yield self._difference(table, key, different[key])
            for key in extra[:SHOWN]:
                yield f"{_name(table, key)} is in the table, but not of the journal"
            untold = max(0, len(different) - SHOWN) + max(0, len(extra) - SHOWN)
            if untold:
                yield f"{table}: {untold} more rows are not what the journal gives"

    def _difference(self, table: str, key: Row, row: Row) -> str:
        packed = self._stored[table].get(key)
        if packed is None:
            return f"{_name(table, key)} is missing"
        stored: list[Any] = msgspec.json.decode(packed)
        pairs = zip(COLUMNS[table], stored, _plain(row), strict=True)
        unequal = [
            f"{column} is {found!r}, the journal gives {given!r}"
            for column, found, given in pairs
            if found != given
        ]
        return f"{_name(table, key)}: {'; '.join(unequal)}"


def _key(table: str, row: Row) -> Row:
    return tuple([row[at] for at in _KEYS_AT[table]])


def _packed(row: Row) -> bytes:
    return _pack(_plain(row))


def _plain(row: Row) -> list[Any]:
    """One database has booleans, the other 0 and 1."""
    return [int(value) if value is True or value is False else value for value in row]


def _name(table: str, key: Row) -> str:
    return f"{table} {'/'.join(str(part) for part in key)}"

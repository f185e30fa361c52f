"""The judge: what really happened at an emulated exchange, one JSON line each, append-only.

A line is {"seq", "ts", "kind", "account", ...}: the rows of the simulated exchange, and of every
order that was taken the client order id and the fields of its request. Numbers are exact texts.
"""

from pathlib import Path
from typing import Final

import msgspec

from zvt_trading.core.units import format_scaled
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.record import (
    ROW_ACCEPTED,
    ROW_AMENDED,
    ROW_CANCELLED,
    ROW_CREDIT,
    ROW_DEBIT,
    ROW_EXPIRED,
    ROW_FILL,
    ROW_FUNDING,
    ROW_LIQUIDATION,
    ROW_REJECTED,
    ROW_TRIGGERED,
    Row,
)

KINDS: Final = {
    ROW_CREDIT: "credit",
    ROW_DEBIT: "debit",
    ROW_ACCEPTED: "accepted",
    ROW_REJECTED: "rejected",
    ROW_TRIGGERED: "triggered",
    ROW_FILL: "fill",
    ROW_AMENDED: "amended",
    ROW_CANCELLED: "cancelled",
    ROW_EXPIRED: "expired",
    ROW_FUNDING: "funding",
    ROW_LIQUIDATION: "liquidation",
}

Line = dict[str, str | int]


class RecordFile:
    """Rows of one exchange as they come; kept in memory too, since tests ask for them."""

    def __init__(self, exchange: SimExchange, path: Path | None = None) -> None:
        self.lines: list[Line] = []
        self._exchange = exchange
        self._seen = 0
        self._file = path.open("ab", buffering=0) if path is not None else None

    def write(self, client_ids: dict[str, str]) -> None:
        """Take down the rows since the last time; `client_ids` by the exchange's order id."""
        record = self._exchange.record
        for row in record.since(self._seen):
            line = self._line(row, client_ids)
            self.lines.append(line)
            if self._file is not None:
                self._file.write(msgspec.json.encode(line) + b"\n")
        self._seen = record.seq

    def close(self) -> None:
        """No more rows."""
        if self._file is not None:
            self._file.close()

    def _line(self, row: Row, client_ids: dict[str, str]) -> Line:
        line: Line = {
            "seq": row.seq,
            "ts": row.ts,
            "kind": KINDS[row.kind],
            "account": row.account,
        }
        listing = self._exchange.desk.listings.get(row.instrument)
        if listing is not None:
            instrument = listing.instrument
            line["instrument"] = row.instrument
            line["price"] = format_scaled(row.price, instrument.price_scale)
            line["quantity"] = format_scaled(row.quantity, instrument.quantity_scale)
        if row.order_id:
            line["order_id"] = row.order_id
            line["client_id"] = client_ids.get(row.order_id, "")
        if row.asset:
            line["asset"] = row.asset
            line["amount"] = format_scaled(row.amount, 8)
        for name in ("side", "liquidity", "trade_id", "rate", "insurance", "reason"):
            value = getattr(row, name)
            if value:
                line[name] = value
        return line

"""The append-only record of a simulated venue: what really happened there, whoever was told."""

from typing import Final, final

from zvt_trading.messages.reports import (
    Fill,
    FundingPaid,
    Liquidated,
    Report,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
)

# Kinds of rows in a venue's record.
ROW_CREDIT: Final = 1
ROW_DEBIT: Final = 2
ROW_ACCEPTED: Final = 3
ROW_REJECTED: Final = 4
ROW_TRIGGERED: Final = 5
ROW_FILL: Final = 6
ROW_AMENDED: Final = 7
ROW_CANCELLED: Final = 8
ROW_EXPIRED: Final = 9
ROW_FUNDING: Final = 10
ROW_LIQUIDATION: Final = 11


@final
class Row:
    """One line of the venue's record; fields that do not apply keep 0 or "".

    `amount` is money on `asset`'s scale: the credit or debit, the fee of a fill or liquidation
    (> 0 is paid by the account), the funding paid. `reason` is a Reason. The `trade_id` of an
    accepted order is the venue's own id of it.
    """

    def __init__(self, seq: int, ts: int, kind: int, account: str) -> None:
        self.seq: Final = seq
        self.ts: Final = ts
        self.kind: Final = kind
        self.account: Final = account
        self.instrument = ""
        self.order_id = ""
        self.side = 0
        self.price = 0
        self.quantity = 0
        self.liquidity = 0
        self.trade_id = ""
        self.asset = ""
        self.amount = 0
        self.rate = 0
        self.insurance = 0
        self.reason = 0


@final
class Record:
    """All rows in order; `seq` is the last number given, gapless from 1.

    With `kept` > 0 only about that many of the newest rows stay in memory (at most twice as many).
    """

    def __init__(self, kept: int) -> None:
        self.kept: Final = kept
        self.rows: list[Row] = []
        self.seq = 0

    def add(self, ts: int, kind: int, account: str) -> Row:
        """Append a row; the caller fills in what applies."""
        self.seq += 1
        row = Row(self.seq, ts, kind, account)
        self.rows.append(row)
        if self.kept and len(self.rows) > 2 * self.kept:
            del self.rows[: self.kept]
        return row

    def since(self, seq: int) -> list[Row]:
        """The rows after `seq` that are still kept."""
        skipped = max(0, seq - (self.seq - len(self.rows)))
        return self.rows[skipped:]


def fill_report(row: Row) -> Fill:
    """The fill of a ROW_FILL row as the venue reports it."""
    return Fill(
        row.order_id, row.trade_id, row.price, row.quantity, row.liquidity, row.asset, row.amount,
        row.ts,
    )  # fmt: skip


def history_report(row: Row) -> Report | None:
    """A row of the venue's history as a report; None where it says nothing about an outcome.

    Refusals are not in it: as on the real venues, a rejected order has no history.
    """
    kind = row.kind
    if kind == ROW_FILL:
        return fill_report(row)
    if kind == ROW_ACCEPTED:
        return VenueAccepted(row.order_id, row.trade_id, row.ts)
    if kind == ROW_AMENDED:
        return VenueAmended(row.order_id, row.price, row.quantity, row.ts)
    if kind == ROW_CANCELLED:
        return VenueCancelled(row.order_id, row.reason, row.ts, row.quantity)
    if kind == ROW_EXPIRED:
        return VenueExpired(row.order_id, row.ts, row.quantity)
    if kind == ROW_FUNDING:
        return FundingPaid(row.account, row.instrument, row.rate, row.amount, row.trade_id, row.ts)
    if kind == ROW_LIQUIDATION:
        return Liquidated(
            row.account, row.instrument, row.side, row.price, row.quantity, row.amount,
            row.insurance, row.trade_id, row.ts,
        )  # fmt: skip
    return None

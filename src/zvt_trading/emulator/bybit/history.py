"""What Bybit keeps of an account: its executions, and the log of what moved its wallet."""

from collections.abc import Mapping
from typing import Final

from zvt_trading.core.units import RATE_SCALE, format_scaled
from zvt_trading.emulator.bybit.shapes import (
    Execution,
    Row,
    fill_row,
    funding_row,
    money,
    ms,
)
from zvt_trading.emulator.bybit.symbols import LINEAR, category_of
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.feed import Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Change
from zvt_trading.messages.reports import Fill, FundingPaid

LogLine = tuple[int, int, str, Row]  # sequence, time (ns), account, row
_IN: Final = "TRANSFER_IN"
_OUT: Final = "TRANSFER_OUT"
_DISORDER_MS: Final = 60_000
"""Times may go back by so much from one row to the next."""


class History:
    """Both lists, in the order in which things happened."""

    def __init__(self, house: House, feed: Feed) -> None:
        self.executions: list[Execution] = []
        self._of_order: dict[tuple[str, str], list[Execution]] = {}  # by (key, either id)
        self.log: list[LogLine] = []
        self._house: Final = house
        self._feed: Final = feed
        self._totals: dict[tuple[str, str], int] = {}
        self._last_transfer = 0

    def filled(self, change: Change, fill: Fill) -> Execution:
        """Take down a fill."""
        order = change.order
        seq = len(self.executions) + 1
        mark = self._feed.symbols[order.instrument.symbol].mark
        category = category_of(order.instrument)
        row = fill_row(order, fill, seq, mark)
        execution = Execution(seq, order.account, category, row, fill.ts)
        self.executions.append(execution)
        for key in ("orderId", "orderLinkId"):
            self._of_order.setdefault((key, row[key]), []).append(execution)
        instrument = order.instrument
        is_spot = instrument.is_spot
        for asset in (instrument.base, instrument.quote) if is_spot else (instrument.settle,):
            self._moved(order.account, asset, "TRADE", row, category, fill.ts)
        return execution

    def funded(self, report: FundingPaid) -> Execution:
        """Take down a settlement of funding."""
        instrument = self._house.exchange.desk.listings[report.instrument].instrument
        seat = self._house.exchange.seat(report.portfolio, report.instrument)
        quantity = seat.quantity if seat is not None else 0
        seq = len(self.executions) + 1
        row = funding_row(
            instrument, quantity, report.rate, report.amount, report.ts, instrument.mark,
            report.funding_id,
        )  # fmt: skip
        execution = Execution(seq, report.portfolio, LINEAR, row, report.ts)
        self.executions.append(execution)
        self._moved(report.portfolio, instrument.settle, "SETTLEMENT", row, LINEAR, report.ts)
        return execution

    def balance_changed(self) -> None:
        """Perhaps by a transfer: those have a line of their own."""
        for transfer in self._house.transfers:
            if int(transfer.id) > self._last_transfer:
                self._last_transfer = int(transfer.id)
                key = transfer.account, transfer.asset
                self._totals[key] = self._totals.get(key, 0) + transfer.amount
                kind = _IN if transfer.amount > 0 else _OUT
                row: Row = {"symbol": "", "side": "None", "execId": transfer.id, "orderId": ""}
                self._line(transfer.account, transfer.asset, kind, row, "", transfer.ts)
                self.log[-1][3]["change"] = money(transfer.amount)

    def asked_for(self, query: Mapping[str, str], start_ms: int) -> list[Execution]:
        """Those of the order that is named, else all since then; perhaps a few more."""
        for key in ("orderId", "orderLinkId"):
            if query.get(key):
                return self._of_order.get((key, query[key]), [])
        first = len(self.executions)
        while first and self.executions[first - 1].ts_ms >= start_ms - _DISORDER_MS:
            first -= 1
        return self.executions[first:]

    def lines(self, account: str, start_ms: int) -> list[LogLine]:
        """The log of an account since then, perhaps a few more lines.

        Without the money that was there before anybody looked.
        """
        known = {transfer.id for transfer in self._house.transfers}
        first = len(self.log)
        while first and self.log[first - 1][1] // NS_A_MS >= start_ms - _DISORDER_MS:
            first -= 1
        return [
            line
            for line in self.log[first:]
            if line[2] == account
            and (line[3]["type"] not in {_IN, _OUT} or line[3]["tradeId"] in known)
        ]

    def _moved(self, account: str, asset: str, kind: str, row: Row, category: str, ts: int) -> None:
        """A line whose change is what the wallet gained since the last one."""
        before = self._totals.get((account, asset), 0)
        after = self._house.exchange.account(account).balance(asset).total
        self._totals[account, asset] = after
        self._line(account, asset, kind, row, category, ts)
        self.log[-1][3]["change"] = money(after - before)

    def _line(self, account: str, asset: str, kind: str, row: Row, category: str, ts: int) -> None:
        seq = len(self.log) + 1
        self.log.append(
            (
                seq,
                ts,
                account,
                {
                    "id": f"{seq}_{asset}_{row['execId']}",
                    "symbol": row["symbol"],
                    "category": category,
                    "side": row["side"],
                    "transactionTime": ms(ts),
                    "type": kind,
                    "transSubType": "",
                    "qty": row.get("execQty", "0"),
                    "size": "0",
                    "currency": asset,
                    "tradePrice": row.get("execPrice", ""),
                    "funding": row["execFee"] if kind == "SETTLEMENT" else "",
                    "fee": row["execFee"] if kind == "TRADE" else "0",
                    "cashFlow": "0",
                    "change": "0",
                    "cashBalance": money(self._totals.get((account, asset), 0)),
                    "feeRate": row.get("feeRate", format_scaled(0, RATE_SCALE)),
                    "bonusChange": "",
                    "tradeId": row["execId"],
                    "orderId": row["orderId"],
                    "orderLinkId": row.get("orderLinkId", ""),
                },
            )
        )

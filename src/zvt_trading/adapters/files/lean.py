"""QuantConnect/Lean's zipped bars of crypto markets.

One zip has one CSV a day, "20221213_btcusdt_minute_trade.csv", without a header; the first column
is milliseconds since midnight UTC. Trades: open, high, low, close, volume. Quotes: open, high, low
and close of the bid, its last size, then the same of the ask. Crypto prices are plain decimals.
"""

import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from zvt_trading.adapters.files.fields import TimeField
from zvt_trading.adapters.files.lines import READ_ERRORS, open_file
from zvt_trading.adapters.files.rows import BARS, QUOTES, Columns, Message, RowParser
from zvt_trading.core.units import MINUTE, SECOND, UnitError
from zvt_trading.errors import DataError
from zvt_trading.messages.market import InstrumentSpec

_NAME = re.compile(r"(\d{8})_\w+_(minute|second)_(trade|quote)\.csv")
_INTERVALS = {"minute": MINUTE, "second": SECOND}
_TRADE_COLUMNS = ("time", "open", "high", "low", "close", "volume")
_QUOTE_COLUMNS = (
    "time", "bid_open", "bid_high", "bid_low", "bid", "bid_size",
    "ask_open", "ask_high", "ask_low", "ask", "ask_size",
)  # fmt: skip


class LeanFeed:
    """A Lean zip: trade bars as Bar, quote bars as a QuoteTick each, of the bar's close.

    Raises DataError naming the zip, the file in it and the line.
    """

    def __init__(self, path: str | Path, spec: InstrumentSpec) -> None:
        self.path = Path(path)
        self.spec = spec
        self._done = 0
        open_file(self.path).close()
        try:
            with zipfile.ZipFile(self.path) as archive:
                self._entries = sorted(archive.namelist())
                self._total = sum(entry.file_size for entry in archive.infolist())
        except zipfile.BadZipFile as error:
            raise DataError(f"{self.path}: not a zip file: {error}") from error
        for entry in self._entries:
            try:
                _midnight(_parts(entry)[0])
            except (DataError, ValueError) as error:
                raise DataError(f"{self.path}: {error}") from error

    def __iter__(self) -> Iterator[Message]:
        """The messages, day by day; `ts` is when the bar closed."""
        self._done = 0
        with zipfile.ZipFile(self.path) as archive:
            for entry in self._entries:
                yield from self._day(archive, entry)

    def progress(self) -> tuple[int, int]:
        """(bytes read, bytes in the zip), unpacked."""
        return self._done, self._total

    def _day(self, archive: zipfile.ZipFile, entry: str) -> Iterator[Message]:
        day, step, kind = _parts(entry)
        is_trade = kind == "trade"
        names, known = (_TRADE_COLUMNS, BARS) if is_trade else (_QUOTE_COLUMNS, QUOTES)
        parser = RowParser(Columns(names, known), self.spec, TimeField("ns"))
        midnight, interval = _midnight(day), _INTERVALS[step]
        number = 0
        try:
            with archive.open(entry) as file:
                for line in file:
                    number += 1
                    self._done += len(line)
                    row = _fields(line, len(names))
                    opened = midnight + _milliseconds(row[0]) * 1_000_000
                    row[0] = str(opened if is_trade else opened + interval)
                    yield parser.bar(row, interval) if is_trade else parser.quote(row)
        except (UnitError, UnicodeDecodeError) as error:
            raise DataError(f"{self.path}/{entry}:{number}: {error}") from error
        except (zipfile.BadZipFile, *READ_ERRORS) as error:
            raise DataError(f"{self.path}/{entry}:{number + 1}: damaged: {error}") from error


def _parts(entry: str) -> tuple[str, str, str]:
    """(day, step, kind) of an entry's name, e.g. ("20221213", "minute", "trade")."""
    found = _NAME.fullmatch(entry)
    if found is None:
        raise DataError(f"{entry} is not named like 20221213_btcusdt_minute_trade.csv")
    return found[1], found[2], found[3]


def _fields(line: bytes, width: int) -> list[str]:
    row = line.decode("ascii").strip().split(",")
    if len(row) != width:
        raise UnitError(f"{len(row)} fields, not {width}")
    return row


def _midnight(day: str) -> int:
    moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int(moment.timestamp()) * SECOND


def _milliseconds(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise UnitError(f"{text!r} is not a number of milliseconds")
    return int(text)

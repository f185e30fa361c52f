"""Rows of text fields with a header, to trades, quotes or bars."""

from collections.abc import Callable, Sequence

from zvt_trading.adapters.files.fields import TimeField, identifier, maker_side, number, side
from zvt_trading.core.units import UnitError
from zvt_trading.errors import CallerError
from zvt_trading.messages.market import Bar, InstrumentSpec, QuoteTick, TradeTick

TRADES, QUOTES, BARS = "trades", "quotes", "bars"

Row = Sequence[str]
Message = TradeTick | QuoteTick | Bar
RowReader = Callable[[Row], Message]

# Names in order of preference, compared in lower case with "_" for blanks and dashes.
_NAMES = {
    "time": (
        "ts", "time", "timestamp", "datetime", "date", "ts_event", "event_time", "trade_time",
        "transact_time", "exchange_timestamp", "open_time", "ts_open",
    ),
    "close_time": ("close_time", "ts_close"),
    "price": ("price", "p", "trade_price"),
    "size": ("size", "qty", "quantity", "amount", "volume", "q", "base_qty"),
    "side": ("side", "aggressor", "aggressor_side", "taker_side"),
    "maker": ("is_buyer_maker", "isbuyermaker", "buyer_maker", "buyer_is_maker", "m"),
    "id": ("trade_id", "id", "tradeid", "agg_trade_id", "update_id", "u"),
    "bid": ("bid", "bid_price", "best_bid", "best_bid_price", "bid_px"),
    "bid_size": ("bid_size", "bid_qty", "bid_quantity", "bid_amount", "best_bid_qty", "bid_sz"),
    "ask": ("ask", "ask_price", "best_ask", "best_ask_price", "ask_px"),
    "ask_size": ("ask_size", "ask_qty", "ask_quantity", "ask_amount", "best_ask_qty", "ask_sz"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "vol", "v", "base_volume"),
}  # fmt: skip
_NEEDED = {
    BARS: ("time", "open", "high", "low", "close", "volume"),
    QUOTES: ("time", "bid", "bid_size", "ask", "ask_size"),
    TRADES: ("time", "price", "size"),
}


class Columns:
    """Which column of a header holds what; `kind` is TRADES, QUOTES or BARS.

    Raises CallerError when the header has no kind's columns, or not those of the kind asked for.
    """

    def __init__(self, header: Sequence[str], kind: str | None = None) -> None:
        self.width = len(header)
        names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]
        self._at: dict[str, int] = {}
        for field, known in _NAMES.items():
            found = next((name for name in known if name in names), None)
            if found is not None:
                self._at[field] = names.index(found)
        if kind is not None and kind not in _NEEDED:
            raise CallerError(f"kind {kind!r} must be one of {', '.join(_NEEDED)}")
        kinds = [kind] if kind else list(_NEEDED)
        fits = [k for k in kinds if all(field in self._at for field in _NEEDED[k])]
        if not fits:
            wanted = "; ".join(f"{k} need {', '.join(_NEEDED[k])}" for k in kinds)
            raise CallerError(f"the columns {', '.join(header)} do not suffice: {wanted}")
        self.kind = fits[0]

    def at(self, field: str) -> int:
        """The column of a field that is needed, or is known to be there."""
        return self._at[field]

    def find(self, field: str) -> int:
        """The column of a field, -1 when there is none."""
        return self._at.get(field, -1)


class RowParser:
    """Turns rows into messages of one instrument; UnitError says what is wrong with a row."""

    def __init__(self, columns: Columns, spec: InstrumentSpec, time: TimeField) -> None:
        self._instrument = f"{spec.venue}:{spec.symbol}"
        self._price_scale = spec.price_scale
        self._quantity_scale = spec.quantity_scale
        self._columns = columns
        self._time = time
        self._id = columns.find("id")
        self._side = columns.find("side")
        self._maker = columns.find("maker")

    def time_of(self, row: Row) -> int:
        """The row's own time."""
        return self._time.read(row[self._columns.at("time")])

    def trade(self, row: Row) -> TradeTick:
        """A trade; without a side column the aggressor is unknown."""
        aggressor = 0
        if self._side >= 0:
            aggressor = side(row[self._side])
        elif self._maker >= 0:
            aggressor = maker_side(row[self._maker])
        return TradeTick(
            self._instrument,
            self._price(row, "price"),
            self._size(row, "size"),
            aggressor,
            self.time_of(row),
            self._identifier(row),
        )

    def quote(self, row: Row) -> QuoteTick:
        """A quote; an empty price is a missing side."""
        bid, bid_size = self._quote_side(row, "bid", "bid_size")
        ask, ask_size = self._quote_side(row, "ask", "ask_size")
        return QuoteTick(
            self._instrument, bid, bid_size, ask, ask_size, self.time_of(row), self._identifier(row)
        )

    def bar(self, row: Row, interval_ns: int) -> Bar:
        """A candle; it closes at its close time, or an interval after it opened."""
        ts_open = self.time_of(row)
        close_column = self._columns.find("close_time")
        ts = ts_open + interval_ns if close_column < 0 else self._time.read(row[close_column])
        prices = [self._price(row, field) for field in ("open", "high", "low", "close")]
        opened, high, low, close = prices
        if high != max(prices) or low != min(prices):
            raise UnitError("high and low do not enclose open and close")
        if ts <= ts_open:
            raise UnitError("the bar closes before it opens")
        return Bar(
            self._instrument, opened, high, low, close, self._size(row, "volume"), ts_open, ts
        )

    def _price(self, row: Row, field: str) -> int:
        return number(row[self._columns.at(field)], self._price_scale, least=1)

    def _size(self, row: Row, field: str) -> int:
        return number(row[self._columns.at(field)], self._quantity_scale)

    def _quote_side(self, row: Row, price: str, size: str) -> tuple[int, int]:
        if not row[self._columns.at(price)].strip():
            return 0, 0
        return self._price(row, price), self._size(row, size)

    def _identifier(self, row: Row) -> int:
        return identifier(row[self._id]) if self._id >= 0 else 0

"""Candles of OKX, made of the public trades that are kept."""

from typing import Final

from zvt_trading.emulator.okx.names import NS_A_MS, Listing
from zvt_trading.messages.market import TradeTick

_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
BARS: Final = {
    "1s": 1_000,
    "1m": _MINUTE,
    "3m": 3 * _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1H": _HOUR,
    "2H": 2 * _HOUR,
    "4H": 4 * _HOUR,
    "6Hutc": 6 * _HOUR,
    "12Hutc": 12 * _HOUR,
    "1Dutc": 24 * _HOUR,
}
"""Milliseconds of a `bar`."""


def candles(
    listing: Listing, trades: list[TradeTick], bar_ms: int, now_ms: int
) -> list[tuple[int, list[str]]]:
    """(opening time in ms, row) of every bar from the first trade on, oldest first.

    A row is ts, open, high, low, close, volume, volume in the other unit (SPOT: quote, SWAP:
    base), volume in quote, "1" when the bar is complete. Without trades it is flat.
    """
    bars: dict[int, list[TradeTick]] = {}
    for trade in trades:
        time = trade.ts // NS_A_MS
        bars.setdefault(time - time % bar_ms, []).append(trade)
    rows: list[tuple[int, list[str]]] = []
    close = 0
    for time in range(min(bars, default=now_ms + 1), now_ms + 1, bar_ms):
        inside = bars.get(time, [])
        is_complete = time + bar_ms <= now_ms
        rows.append((time, _row(listing, time, inside, close, is_complete=is_complete)))
        close = inside[-1].price if inside else close
    return rows


def _row(
    listing: Listing, time: int, trades: list[TradeTick], close: int, *, is_complete: bool
) -> list[str]:
    prices = [trade.price for trade in trades] or [close]
    volume = sum(trade.size for trade in trades)
    value = listing.money(sum(listing.instrument.value(t.price, t.size) for t in trades))
    return [
        str(time),
        listing.price(prices[0]),
        listing.price(max(prices)),
        listing.price(min(prices)),
        listing.price(prices[-1]),
        listing.size(volume),
        value if listing.is_spot else listing.base(volume),
        value,
        "1" if is_complete else "0",
    ]

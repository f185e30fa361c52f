"""Small Binance recordings made by hand; the exchange's clock is 1.2 s ahead of the recorder's."""

import gzip
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LOCAL_NS = 1_700_000_000_000_000_000
EVENT_MS = 1_700_000_001_200
BEHIND_NS = 1_200_000_000

Level = tuple[str, str]


def stream(name: str, data: dict[str, Any], at_ms: int) -> str:
    """One line, received `at_ms` milliseconds after the first."""
    body = json.dumps({"stream": f"btcusdt@{name}", "data": data}, separators=(",", ":"))
    return f"{LOCAL_NS + at_ms * 1_000_000} {body}"


def depth(
    first: int,
    last: int,
    bids: Iterable[Level] = (),
    asks: Iterable[Level] = (),
    *,
    at: int = 0,
    previous: int | None = None,
    symbol: str = "BTCUSDT",
) -> str:
    data: dict[str, Any] = {"e": "depthUpdate", "E": EVENT_MS + at, "s": symbol}
    data |= {"U": first, "u": last, "b": list(bids), "a": list(asks)}
    if previous is not None:
        data["pu"] = previous
    return stream("depth@100ms", data, at)


def ticker(update_id: int, bid: Level, ask: Level, *, at: int = 0, event: int = 0) -> str:
    data: dict[str, Any] = {"u": update_id, "s": "BTCUSDT"}
    data |= {"b": bid[0], "B": bid[1], "a": ask[0], "A": ask[1]}
    if event:
        data["E"] = event
    return stream("bookTicker", data, at)


def trade(trade_id: int, price: str, size: str, *, maker: bool, at: int = 0, **more: Any) -> str:
    data: dict[str, Any] = {"e": "trade", "E": EVENT_MS + at, "s": "BTCUSDT", "t": trade_id}
    return stream("trade", data | {"p": price, "q": size, "m": maker} | more, at)


def rest(update_id: int, bids: Iterable[Level], asks: Iterable[Level], *, at: int = 0) -> str:
    data = {"lastUpdateId": update_id, "bids": list(bids), "asks": list(asks)}
    return f"{LOCAL_NS + at * 1_000_000} {json.dumps(data)}"


def write(path: Path, lines: Iterable[str]) -> Path:
    """A gzipped recording."""
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    return path

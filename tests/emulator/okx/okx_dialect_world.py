"""A ccxt.pro OKX in str mode that knows three instruments, and frames as OKX documents them."""

from typing import Any

import ccxt.pro

PRIVATE = "wss://ws.okx.com:443/ws/v5/private"
PUBLIC = "wss://ws.okx.com:443/ws/v5/public"
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"
_SPOT = {"instType": "SPOT", "instId": "BTC-USDT", "baseCcy": "BTC", "quoteCcy": "USDT",
         "settleCcy": "", "uly": "", "ctVal": "", "lever": "", "lotSz": "0.00000001",
         "minSz": "0.00001", "tickSz": "0.1", "maxLmtSz": "9999", "maxMktSz": "1000000",
         "state": "live"}  # fmt: skip
_SWAP = {**_SPOT, "instType": "SWAP", "instId": "BTC-USDT-SWAP", "baseCcy": "", "quoteCcy": "",
         "settleCcy": "USDT", "uly": "BTC-USDT", "ctVal": "0.01", "ctType": "linear",
         "lever": "100", "lotSz": "0.01", "minSz": "0.01"}  # fmt: skip

ORDER: dict[str, Any] = {
    "accFillSz": "0", "avgPx": "", "cTime": "1597026383085", "cancelSource": "",
    "category": "normal", "clOrdId": "abc1", "execType": "", "fee": "0", "feeCcy": "BTC",
    "fillFee": "0", "fillFeeCcy": "", "fillPx": "", "fillSz": "0", "fillTime": "",
    "amendResult": "", "reqId": "", "code": "0", "msg": "",
    "instId": "BTC-USDT", "instType": "SPOT", "ordId": "680800019749904384",
    "ordType": "limit", "px": "50000", "side": "buy", "state": "live", "sz": "0.01",
    "tdMode": "cash", "tgtCcy": "", "tradeId": "", "uTime": "1597026383085",
}  # fmt: skip
FILLED = {**ORDER, "state": "partially_filled", "accFillSz": "0.004", "fillPx": "49999.9",
          "fillSz": "0.004", "fillFee": "-0.000004", "fillFeeCcy": "BTC", "fee": "-0.000009",
          "fillTime": "1597026383086", "tradeId": "744876980", "execType": "T"}  # fmt: skip


def caller() -> Any:
    """Never connects."""
    okx = ccxt.pro.okx()
    okx.number = str
    okx.set_markets(okx.parse_markets([_SPOT, _SWAP]))
    return okx


def pushed(channel: str, *rows: dict[str, Any], **arg: str) -> dict[str, Any]:
    """A frame of data."""
    return {"arg": {"channel": channel, "uid": "1", **arg}, "data": list(rows)}

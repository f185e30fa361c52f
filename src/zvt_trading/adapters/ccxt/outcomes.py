"""What an exception of a request means: proven refusal, not sent, or unknown. Unknown by default.

ccxt's classes do not tell (a truncated answer is an ExchangeError, some refusals are network
errors), so only the exchange's own code counts, and only when the profile's table has it.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import aiohttp
import msgspec
from msgspec import Struct

from zvt_trading.adapters.ccxt.budget import NotSentError
from zvt_trading.adapters.ccxt.dialect import Refusals
from zvt_trading.messages.reasons import Reason

_NO_CODES: Final = frozenset(
    {None, "", 0, "0", "UNKNOWN_FAILURE_REASON", "UNKNOWN_PREVIEW_FAILURE_REASON"}
)
TEXT_MAX: Final = 300
"""Of what a venue says so much is kept."""


class ErrorCode(Struct, frozen=True):
    """The exchange's own code ("" when it said none) and text."""

    code: str
    text: str


def error_code(error: BaseException) -> ErrorCode:
    """What the exchange said, out of the JSON that ccxt puts into its messages."""
    said = str(error)
    start = said.find("{")
    if start < 0:
        return ErrorCode("", _plain(said))
    try:
        body = msgspec.json.decode(said[start:])
    except msgspec.DecodeError:
        return ErrorCode("", _plain(said))
    return body_code(body) if isinstance(body, dict) else ErrorCode("", _plain(said))


def told(error: BaseException) -> str:
    """What happened, in one line: ccxt's class, the exchange's code and text."""
    found = error_code(error)
    return f"{type(error).__name__} {found.code} {found.text}"


def body_code(body: Mapping[str, Any]) -> ErrorCode:
    """The code of an error body of any of the four exchanges, the innermost one."""
    rows = body.get("data")  # OKX: the row's code says more than the envelope's
    if isinstance(rows, list) and rows and isinstance(rows[0], dict):
        row = rows[0]
        if row.get("sCode") not in {None, "", "0"}:
            return ErrorCode(str(row["sCode"]), str(row.get("sMsg", ""))[:TEXT_MAX])
    inner = body.get("error_response")  # Coinbase
    if isinstance(inner, dict):
        return body_code(inner)
    for name in ("preview_failure_reason", "retCode", "code", "error", "failure_reason"):
        value = body.get(name)
        if value not in _NO_CODES:
            text = body.get("msg") or body.get("retMsg") or body.get("message") or ""
            details = body.get("error_details") or ""
            return ErrorCode(str(value), f"{text} {details}".strip()[:TEXT_MAX])
    return ErrorCode("", str(body)[:TEXT_MAX])


def _plain(text: str) -> str:
    """Without what is behind the question marks of URLs: keys and signatures."""
    return re.sub(r"\?\S*", "", text)[:TEXT_MAX]


def refusal(found: ErrorCode, table: Refusals) -> Reason | None:
    """The reason of a proven refusal; None when it proves nothing."""
    for (code, part), reason in table.texts.items():
        if code == found.code and part.lower() in found.text.lower():
            return reason
    return table.codes.get(found.code)


def is_not_sent(error: BaseException) -> bool:
    """Whether no byte of the request can have left: a connection never came about."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, NotSentError | aiohttp.ClientConnectorError):
            return True
        seen = seen.__cause__ or seen.__context__
    return False

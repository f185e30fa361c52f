"""How OKX is asked: every answer checked, every list read to its last page."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from ccxt.base.errors import BadResponse, ExchangeError

from zvt_trading.adapters.ccxt.okx.names import Row

PAGE: Final = 100
PAGES_MAX: Final = 1_000
"""More pages than any account has; a list that does not end is no answer."""

Endpoint = Callable[[dict[str, Any]], Awaitable[Any]]


def data_of(answer: Any) -> list[Row]:
    """The rows of an answer; BadResponse when it is none of OKX's (empty, cut off, no JSON)."""
    if not isinstance(answer, dict) or answer.get("code") != "0":
        raise BadResponse("okx: the answer has no code 0")
    rows = answer.get("data")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise BadResponse("okx: the answer has no list of data")
    return rows


def done(answer: Any) -> Row:
    """The acknowledgement of a request about one order; ExchangeError when it was refused."""
    rows = data_of(answer)
    if len(rows) != 1:
        raise BadResponse(f"okx: {len(rows)} acknowledgements of one request")
    code, text = rows[0].get("sCode"), rows[0].get("sMsg")
    if code is None:
        raise BadResponse("okx: an acknowledgement without sCode")
    if code != "0":
        raise ExchangeError(f'okx {{"code":"{code}","msg":"{text}"}}')
    return rows[0]


async def pages(endpoint: Endpoint, query: dict[str, Any], key: str) -> list[Row]:
    """All rows of a list, oldest first; `key` is the field that pages go by, newest first.

    BadResponse when a page repeats, so that a broken cursor is no endless list.
    """
    found: dict[str, Row] = {}
    asked = {**query, "limit": str(PAGE)}
    for _ in range(PAGES_MAX):
        page = data_of(await endpoint(dict(asked)))
        before = len(found)
        found.update((str(row[key]), row) for row in page)
        if len(page) < PAGE:
            return list(reversed(found.values()))
        if len(found) == before:
            break
        asked["after"] = str(page[-1][key])
    raise BadResponse(f"okx: a list paged by {key} does not end")

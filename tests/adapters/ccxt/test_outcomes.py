"""What an exception means: only the exchange's own code, in its table, proves a refusal."""

import json
from typing import Any

import aiohttp
import pytest
from ccxt.base.errors import (
    BadResponse,
    ExchangeError,
    ExchangeNotAvailable,
    InsufficientFunds,
    InvalidOrder,
    NetworkError,
    RequestTimeout,
)
from hypothesis import given
from hypothesis import strategies as st

from ccxt_world import REFUSALS
from zvt_trading.adapters.ccxt.budget import NotSentError
from zvt_trading.adapters.ccxt.outcomes import (
    TEXT_MAX,
    ErrorCode,
    body_code,
    error_code,
    is_not_sent,
    refusal,
)
from zvt_trading.messages.reasons import Reason

CLASSES = (
    ExchangeError, InsufficientFunds, InvalidOrder, BadResponse, NetworkError, RequestTimeout,
    ExchangeNotAvailable, ValueError, RuntimeError,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


class TestTheCode:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({"code": -2010, "msg": "no money"}, ErrorCode("-2010", "no money")),  # Binance
            ({"code": 0, "msg": ""}, ErrorCode("", "{'code': 0, 'msg': ''}")),
            (  # OKX: the row says more than its envelope
                {"code": "1", "msg": "all failed", "data": [{"sCode": "51008", "sMsg": "no"}]},
                ErrorCode("51008", "no"),
            ),
            (
                {"code": "50011", "msg": "too fast", "data": [{"sCode": "0", "sMsg": ""}]},
                ErrorCode("50011", "too fast"),
            ),
            ({"code": "50011", "msg": "too fast", "data": []}, ErrorCode("50011", "too fast")),
            ({"code": "50011", "msg": "x", "data": ["?"]}, ErrorCode("50011", "x")),
            ({"code": "50011", "msg": "x", "data": [{}]}, ErrorCode("50011", "x")),
            ({"retCode": 170131, "retMsg": "no money"}, ErrorCode("170131", "no money")),  # Bybit
            (  # Coinbase
                {
                    "success": False,
                    "failure_reason": "UNKNOWN_FAILURE_REASON",
                    "error_response": {
                        "error": "INSUFFICIENT_FUND",
                        "message": "no money",
                        "error_details": "at all",
                        "preview_failure_reason": "UNKNOWN_PREVIEW_FAILURE_REASON",
                    },
                },
                ErrorCode("INSUFFICIENT_FUND", "no money at all"),
            ),
            (
                {"failure_reason": "UNKNOWN_CANCEL_ORDER"},
                ErrorCode("UNKNOWN_CANCEL_ORDER", ""),
            ),
        ],
    )
    def test_of_an_error_body(self, body: dict[str, Any], expected: ErrorCode) -> None:
        """The innermost one of each exchange's forms; none where the exchange said none."""
        assert expected == body_code(body)
        assert expected == error_code(ExchangeError(f"venue {json.dumps(body)}"))

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ("binance GET https://api/x?apiKey=k&signature=s failed", "binance GET https://api/x"),
            ("binance {", "binance {"),
            ("binance {half an ans", "binance {half an ans"),
            ("", ""),
        ],
    )
    def test_none_without_a_whole_body(self, said: str, expected: str) -> None:
        """And no key or signature of a URL is in what is kept."""
        found = error_code(ExchangeError(said))
        assert found.code == ""
        assert found.text.startswith(expected)
        assert "signature" not in found.text

    def test_a_long_text_is_cut(self) -> None:
        """A venue may say anything, of any length."""
        long = "x" * 10 * TEXT_MAX
        for said in (long, json.dumps({"code": 1, "msg": long}), json.dumps({"text": long})):
            assert len(error_code(ExchangeError(said)).text) == TEXT_MAX


class TestRefusals:
    @pytest.mark.parametrize(
        ("code", "text", "expected"),
        [
            ("-2010", "Account has insufficient balance", Reason.VENUE_BALANCE),
            (
                "-2010",
                "DUPLICATE ORDER sent.",
                Reason.VENUE_DUPLICATE_ID,
            ),  # its text is tried first
            ("-1013", "", Reason.VENUE_FILTER),
            ("-1000", "duplicate order", None),  # a text of another code
            ("", "", None),
            ("-2011", "", None),  # of a cancel: it refuses no order
        ],
    )
    def test_the_table_decides(self, code: str, text: str, expected: Reason | None) -> None:
        """By the code, and where that means several things by its text."""
        assert expected == refusal(ErrorCode(code, text), REFUSALS)

    @given(st.sampled_from(CLASSES), JSON, st.text(max_size=5))
    def test_nothing_else_is_one(self, kind: type[Exception], body: object, before: str) -> None:
        """Whatever the class, whatever the body: without a code of the table it proves nothing."""
        said = f"{before} {json.dumps(body)}"
        found = error_code(kind(said))
        expected = found.code in REFUSALS.codes
        assert expected == (refusal(found, REFUSALS) is not None)

    @pytest.mark.parametrize("kind", CLASSES)
    def test_a_code_counts_in_every_class(self, kind: type[Exception]) -> None:
        """Some refusals are network errors to ccxt."""
        said = """venue {"code":-1013,"msg":"Filter failure"}"""
        assert refusal(error_code(kind(said)), REFUSALS) is Reason.VENUE_FILTER


def caused(error: Exception, cause: Exception) -> Exception:
    """An exception as `raise error from cause` makes it."""
    error.__cause__ = cause
    return error


class TestNotSent:
    NO_CONNECTION = aiohttp.ClientConnectorError(
        connection_key=None,  # type: ignore[arg-type]  # it is only shown
        os_error=OSError("refused"),
    )

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (NotSentError("banned"), True),
            (NO_CONNECTION, True),
            (caused(ExchangeNotAvailable("down"), NO_CONNECTION), True),
            (caused(NetworkError("a"), caused(NetworkError("b"), NO_CONNECTION)), True),
            (aiohttp.ServerDisconnectedError(), False),
            (aiohttp.ClientOSError("reset"), False),
            (caused(NetworkError("reset"), ConnectionResetError()), False),
            (RequestTimeout("5 s"), False),
            (TimeoutError(), False),
            (ExchangeError("""{"code":-1013}"""), False),
        ],
    )
    def test_only_where_no_connection_came_about(self, error: Exception, expected: bool) -> None:
        """After the first byte nobody can know, whatever the error says."""
        assert expected == is_not_sent(error)

    def test_also_when_it_was_in_the_way_of_another(self) -> None:
        """An error that was raised while this one was handled."""
        error = NetworkError("no")
        error.__context__ = NotSentError("banned")
        assert is_not_sent(error)

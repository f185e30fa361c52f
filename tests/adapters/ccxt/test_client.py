"""The guard around a ccxt class: bans are kept, junk is no answer, frames are heard first."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from ccxt.base.errors import BadResponse, ExchangeError, ExchangeNotAvailable, NetworkError

from ccxt_scripted import ScriptedDialect
from manual_loop import in_manual_time
from zvt_trading.adapters.ccxt.budget import PAUSE_SECONDS, Budget, NotSentError
from zvt_trading.adapters.ccxt.client import (
    BAN_SECONDS,
    ApiCredentials,
    Client,
    Endpoint,
    Guarded,
    SentMark,
    _ToEndpoint,
)
from zvt_trading.emulator.ca import Authority

POST = "POST"


class Base:
    """In the place of a ccxt class: says what a test wrote down."""

    id = "okx"
    answer: Any = None

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.lost: list[Exception] = []  # what is said before the answer
        self.handled: list[Any] = []

    async def fetch(self, url: str, method: str, headers: Any, body: Any) -> Any:
        del url, headers, body
        self.sent.append(method)
        if self.lost:
            raise self.lost.pop(0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def jwt(self, request: dict[str, Any], *arguments: Any, **named: Any) -> dict[str, Any]:
        del arguments, named
        return request

    def handle_errors(self, code: int, *arguments: Any) -> tuple[int, int]:
        return code, len(arguments)

    def handle_message(self, client: Any, message: Any) -> None:
        del client
        if isinstance(message, Exception):
            raise message
        self.handled.append(message)


class GuardedBase(Guarded, Base):
    pass


class Clock:
    """Seconds that a test sets."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def guarded(answer: Any = None) -> GuardedBase:
    made = GuardedBase()
    made.answer = {} if answer is None else answer
    made.budget = Budget(20, 10, 3, Clock())
    return made


def fetched(one: GuardedBase, method: str = "GET") -> tuple[Any, list[str]]:
    """The answer, and what was marked as sent."""
    marked: list[str] = []

    async def story() -> Any:
        with SentMark() as mark:
            try:
                return await one.fetch("https://x", method)
            finally:
                marked.extend(mark.sent)

    return in_manual_time(story()), marked


def truncated() -> ExchangeError:
    error = ExchangeError("cut")
    error.__cause__ = aiohttp.ClientPayloadError("half")
    return error


class TestFetch:
    @pytest.mark.parametrize("answer", [{}, [], {"a": "1"}])
    def test_json_is_an_answer(self, answer: Any) -> None:
        """Also an empty one."""
        assert (answer, []) == fetched(guarded(answer))

    @pytest.mark.parametrize("answer", ["", "<html>", 7])
    def test_anything_else_is_none(self, answer: Any) -> None:
        """To ccxt it would be an empty answer."""
        with pytest.raises(BadResponse, match="okx GET: the answer is empty or no JSON"):
            fetched(guarded(answer))

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (truncated(), BadResponse),  # it says nothing of the order
            (ExchangeError("""{"code":"51008"}"""), ExchangeError),
            (NetworkError("reset"), NetworkError),
        ],
    )
    def test_errors(self, error: Exception, expected: type[Exception]) -> None:
        """As they are, but for half an answer."""
        with pytest.raises(expected) as caught:
            fetched(guarded(error))
        assert expected is type(caught.value)

    @pytest.mark.parametrize(
        ("method", "expected"), [("GET", []), (POST, [POST]), ("DELETE", ["DELETE"])]
    )
    def test_what_may_change_something_is_marked(self, method: str, expected: list[str]) -> None:
        """Before it leaves; a question is not."""
        assert expected == fetched(guarded(), method)[1]

    @pytest.mark.parametrize("lost", [1, 2])
    def test_a_question_whose_answer_was_lost_is_asked_again(self, lost: int) -> None:
        """To ask changes nothing; a list of many pages must not fail for one."""
        one = guarded({"a": "1"})
        one.lost = [NetworkError("reset")] * lost
        assert {"a": "1"} == fetched(one)[0]
        assert ["GET"] * (lost + 1) == one.sent

    @pytest.mark.parametrize(
        ("method", "error", "expected"),
        [
            ("GET", NetworkError("reset"), 3),  # no more than that
            ("GET", ExchangeError("refused"), 1),  # it was answered
            (POST, NetworkError("reset"), 1),  # never twice: it may have been done
        ],
    )
    def test_nothing_else_is_sent_twice(self, method: str, error: Exception, expected: int) -> None:
        """An order least of all."""
        one = guarded(error)
        with pytest.raises(type(error)):
            fetched(one, method)
        assert [method] * expected == one.sent

    def test_what_found_no_connection_was_not_sent(self) -> None:
        """The mark is taken back: no byte left."""
        error = NetworkError("down")
        error.__cause__ = aiohttp.ClientConnectorError(
            connection_key=None,  # type: ignore[arg-type]  # it is only shown
            os_error=OSError("refused"),
        )
        one = guarded(error)

        async def story() -> list[str]:
            with SentMark() as mark:
                with pytest.raises(NetworkError):
                    await one.fetch("https://x", POST)
                return mark.sent

        assert [] == in_manual_time(story())

    def test_marks_belong_to_one_task(self) -> None:
        """What another task sends meanwhile is not ours; nor is what comes after the end."""
        one = guarded()

        async def story() -> list[str]:
            with SentMark() as mark:
                await asyncio.create_task(other())
            await one.fetch("https://x", POST)
            return mark.sent

        async def other() -> None:
            with SentMark():
                await one.fetch("https://x", POST)

        assert [] == asyncio.run(story())
        assert [POST, POST] == one.sent

    def test_in_a_ban_nothing_leaves(self) -> None:
        """And nothing is marked as sent."""
        one = guarded()
        one.budget.pause(7)
        with pytest.raises(NotSentError, match=r"no requests for 7\.0 s more"):
            fetched(one, POST)
        assert [] == one.sent


class TestTooMany:
    @pytest.mark.parametrize(
        ("code", "headers", "answer", "expected"),
        [
            (200, {}, {}, 0),
            (400, {"Retry-After": "9"}, {}, 0),
            (429, {"Retry-After": "9"}, {}, 9),
            (429, {"retry-after": "2.5"}, None, 2.5),
            (429, {"Other": "1"}, {}, PAUSE_SECONDS),
            (429, {"Retry-After": "Wed, 21 Oct"}, {}, PAUSE_SECONDS),
            (418, {}, {}, BAN_SECONDS),
            (403, {}, "<html>", BAN_SECONDS),
            (418, {"Retry-After": "120"}, {}, 120),
            (200, {}, {"retCode": 10_006}, PAUSE_SECONDS),  # Bybit says it in the body
            (200, {}, {"retCode": 10_018}, PAUSE_SECONDS),
            (200, {}, {"retCode": 0}, 0),
        ],
    )
    def test_the_exchange_says_how_long(
        self, code: int, headers: dict[str, str], answer: Any, expected: float
    ) -> None:
        """Or as long as is usual; ccxt reads the error afterwards."""
        one = guarded()
        arguments: tuple[Any, ...] = (
            "reason",
            "url",
            "GET",
            headers,
            json.dumps(answer),
            answer,
            {},
            None,
        )
        assert (code, len(arguments)) == one.handle_errors(code, *arguments)
        assert expected == one.budget.headroom()

    @pytest.mark.parametrize("code", [500, 502, 503])
    def test_a_server_that_failed_proves_nothing(self, code: int) -> None:
        """Whatever its body says."""
        arguments: tuple[Any, ...] = ("reason", "url", POST, {}, "body", {"code": -1013}, {}, None)
        with pytest.raises(ExchangeNotAvailable, match=f"okx {code} body"):
            guarded().handle_errors(code, *arguments)


class TestFrames:
    @pytest.mark.parametrize(
        ("hears", "expected"), [(None, ["frame"]), (True, ["frame"]), (False, [])]
    )
    def test_ccxt_sees_what_it_must(self, hears: bool | None, expected: list[str]) -> None:
        """All of it while nobody listens."""
        one = guarded()
        heard: list[tuple[str, Any]] = []

        def hear(url: str, message: Any) -> bool:
            heard.append((url, message))
            return bool(hears)

        if hears is not None:
            one.hear = hear
        one.handle_message(Socket(), "frame")
        assert expected == one.handled
        assert ([] if hears is None else [("wss://x", "frame")]) == heard

    def test_an_error_ends_the_socket(self) -> None:
        """Otherwise ccxt stops reading it, and says nothing."""
        socket_ = Socket()
        guarded().handle_message(socket_, ValueError("?"))
        assert ["okx: ValueError in a frame"] == [str(error) for error in socket_.errors]


class Socket:
    url = "wss://x"

    def __init__(self) -> None:
        self.errors: list[Exception] = []

    def on_error(self, error: Exception) -> None:
        self.errors.append(error)


class TestSignatures:
    @pytest.mark.parametrize(
        ("request_", "expected"),
        [({"nbf": 100, "exp": 220}, {"nbf": 100, "exp": 105}), ({"iss": "x"}, {"iss": "x"})],
    )
    def test_they_are_good_for_as_long_as_the_profile_says(
        self, request_: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """A lost order cannot arrive later."""
        one = guarded()
        one.validity_seconds = 5
        assert expected == one.jwt(request_)


class TestClient:
    def test_keys_are_never_shown(self) -> None:
        """Not in a message, not in a log."""
        assert repr(ApiCredentials("k", "s", "p")) == "ApiCredentials(...)"

    def test_every_name_is_the_testnet(self) -> None:
        """So that nothing can reach the real exchange."""

        async def story() -> None:
            resolver = _ToEndpoint(Endpoint("127.0.0.1", 4711, ""))
            for host in ("api.binance.com", "www.okx.com"):
                (found,) = await resolver.resolve(host, 443)
                assert (host, "127.0.0.1", 4711) == (
                    found["hostname"],
                    found["host"],
                    found["port"],
                )
                assert socket.AF_INET == found["family"]
            await resolver.close()

        asyncio.run(story())

    @pytest.mark.parametrize("has_endpoint", [True, False])
    def test_it_is_made_for_exact_numbers_and_a_budget_of_ours(
        self, has_endpoint: bool, tmp_path: Path
    ) -> None:
        """Texts for numbers, none of ccxt's waits; its keys are the account's."""
        authority = Authority(tmp_path, ["localhost"])
        endpoint = Endpoint("127.0.0.1", 1, str(authority.ca_file)) if has_endpoint else None

        async def story() -> None:
            client = Client(ScriptedDialect(), ApiCredentials("k", "s", "p"), endpoint, 1_234)
            exchange = client.exchange
            assert str is exchange.number
            assert (False, 1_234) == (exchange.enableRateLimit, exchange.timeout)
            assert ("k", "s", "p") == (exchange.apiKey, exchange.secret, exchange.password)
            assert client.budget is exchange.budget
            assert exchange.validity_seconds == 5
            await client.close()

        in_manual_time(story())

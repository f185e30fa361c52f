"""Only the holder of a key's secret, in time and with the permission, is answered."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.bybit.bybit_world import Hand, run, socket_of
from zvt_trading.emulator.keys import new_key

WALLET = "/v5/account/wallet-balance"
Headers = dict[str, str]


def wrong_sign(headers: Headers) -> None:
    headers["X-BAPI-SIGN"] = headers["X-BAPI-SIGN"][::-1]


def unknown_key(headers: Headers) -> None:
    headers["X-BAPI-API-KEY"] = "nobody"


def later_time(headers: Headers) -> None:
    headers["X-BAPI-TIMESTAMP"] = str(int(headers["X-BAPI-TIMESTAMP"]) + 1)


@pytest.mark.parametrize(
    ("code", "spoil"), [(10004, wrong_sign), (10003, unknown_key), (10004, later_time)]
)
def test_a_signature_that_does_not_hold(code: int, spoil: Callable[[Headers], None]) -> None:
    """The exact bytes are signed, with the time and the key."""

    async def story(hand: Hand) -> None:
        hand.spoil(spoil)
        answer = await hand.get(WALLET, accountType="UNIFIED")
        assert code == answer["retCode"]

    run(story)


@pytest.mark.parametrize("skew_ms", [-6_000, 1_500])
def test_a_time_outside_the_window(skew_ms: int) -> None:
    """At most five seconds old, at most one ahead."""

    async def story(hand: Hand) -> None:
        def shift(headers: Headers) -> None:
            headers["X-BAPI-TIMESTAMP"] = str(int(headers["X-BAPI-TIMESTAMP"]) + skew_ms)

        hand.spoil(shift)
        answer = await hand.get(WALLET, accountType="UNIFIED")
        assert 10002 == answer["retCode"]

    run(story)


def test_no_headers_at_all() -> None:
    """HTTP 401, as the exchange does."""

    async def story(hand: Hand) -> None:
        hand.spoil(Headers.clear)
        await hand.get(WALLET, accountType="UNIFIED")
        assert 401 == hand.status

    run(story)


def test_a_key_that_may_only_read() -> None:
    """It asks, but places nothing."""

    async def story(hand: Hand) -> None:
        own = new_key("bybit")
        reading: Any = type(own)(
            key=own.key, secret=own.secret, account=hand.key.account, can_trade=False
        )
        hand.house.add_key(reading)
        hand.key = reading
        assert 10005 == (await hand.create())["retCode"]
        assert 0 == (await hand.get(WALLET, accountType="UNIFIED"))["retCode"]
        assert 1 == (await hand.get("/v5/user/query-api"))["result"]["readOnly"]

    run(story)


def test_what_a_key_may_do_is_said() -> None:
    """Withdrawals and the binding to addresses."""

    async def story(hand: Hand) -> None:
        info = (await hand.get("/v5/user/query-api"))["result"]
        assert "Withdraw" not in info["permissions"]["Wallet"]
        assert ["127.0.0.1"] == info["ips"]
        hand.key = new_key("bybit", can_withdraw=True)
        hand.house.add_key(hand.key)
        info = (await hand.get("/v5/user/query-api"))["result"]
        assert "Withdraw" in info["permissions"]["Wallet"]

    run(story)


@pytest.mark.parametrize("path", ["/v5/private", "/v5/trade"])
def test_a_login_needs_the_secret(path: str) -> None:
    """Each socket answers in its own form."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, path) as socket:
            refused = await socket.login(hand, secret="wrong")  # noqa: S106 - not a secret
            accepted = await socket.login(hand)
        if path == "/v5/private":
            assert (False, True) == (refused["success"], accepted["success"])
        else:
            assert (10004, 0) == (refused["retCode"], accepted["retCode"])

    run(story)


def test_private_topics_need_a_login() -> None:
    """Not authorized."""

    async def story(hand: Hand) -> None:
        async with socket_of(hand, "/v5/private") as socket:
            answer = await socket.subscribe("order")
            assert (False, "Request not authorized") == (answer["success"], answer["ret_msg"])

    run(story)

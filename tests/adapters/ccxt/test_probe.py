"""What is asked of a venue before anything is traded there, on exchanges of our own."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from zvt_trading.adapters.ccxt.probe import (
    PERMISSIONS,
    CcxtProbe,
    Traded,
    binance_permissions,
    bybit_permissions,
    coinbase_permissions,
    okx_permissions,
)
from zvt_trading.adapters.settings.credentials import Credentials
from zvt_trading.adapters.settings.errors import ConfigError, KeyStoreError
from zvt_trading.adapters.settings.model import VenueSettings
from zvt_trading.emulator.emulator import EXCHANGES, Emulator
from zvt_trading.emulator.faults import (
    DROP_BEFORE,
    EMPTY,
    ERROR_BEFORE,
    JUNK,
    RATE_LIMIT,
    TIMEOUT_BEFORE,
    Fault,
)
from zvt_trading.emulator.keys import ApiKey, new_key
from zvt_trading.errors import VenueError
from zvt_trading.ports.venue_probe import KeyPermissions

SPOT = Traded(spot=True, perpetuals=False)
BOTH = Traded(spot=True, perpetuals=True)

BINANCE = {
    "enableSpotAndMarginTrading": True,
    "enableFutures": False,
    "enableWithdrawals": False,
    "ipRestrict": True,
}
OKX = {"perm": "read_only,trade", "ip": "1.2.3.4"}
BYBIT: dict[str, Any] = {
    "readOnly": 0,
    "ips": ["1.2.3.4"],
    "permissions": {"Spot": ["SpotTrade"], "ContractTrade": [], "Wallet": ["AccountTransfer"]},
}
COINBASE = {"can_view": True, "can_trade": True, "can_transfer": False}


def okx(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"code": "0", "data": [row]}


def bybit(row: Mapping[str, Any], **permissions: list[str]) -> dict[str, Any]:
    return {"result": {**row, "permissions": {**row["permissions"], **permissions}}}


Read = Callable[[Mapping[str, Any], Traded], KeyPermissions]


@pytest.mark.parametrize(
    ("read", "answer", "traded", "expected"),
    [
        (binance_permissions, BINANCE, SPOT, (True, False, True)),
        (binance_permissions, BINANCE, BOTH, (False, False, True)),
        (binance_permissions, {**BINANCE, "enableFutures": True}, BOTH, (True, False, True)),
        (binance_permissions, {**BINANCE, "enableWithdrawals": True}, SPOT, (True, True, True)),
        (binance_permissions, {**BINANCE, "ipRestrict": False}, SPOT, (True, False, False)),
        (binance_permissions, {"msg": "?"}, BOTH, (None, None, None)),
        (okx_permissions, okx(OKX), BOTH, (True, False, True)),
        (okx_permissions, okx({**OKX, "perm": "read_only"}), SPOT, (False, False, True)),
        (okx_permissions, okx({**OKX, "perm": "withdraw,trade"}), SPOT, (True, True, True)),
        (okx_permissions, okx({**OKX, "ip": ""}), SPOT, (True, False, False)),
        (okx_permissions, {"code": "0", "data": []}, SPOT, (None, None, None)),
        (bybit_permissions, bybit(BYBIT), SPOT, (True, False, True)),
        (bybit_permissions, bybit(BYBIT), BOTH, (False, False, True)),
        (bybit_permissions, bybit(BYBIT, ContractTrade=["Order"]), BOTH, (True, False, True)),
        (
            bybit_permissions,
            bybit(BYBIT, Derivatives=["DerivativesTrade"]),
            BOTH,
            (True, False, True),
        ),
        (bybit_permissions, bybit({**BYBIT, "readOnly": 1}), SPOT, (False, False, True)),
        (bybit_permissions, bybit(BYBIT, Wallet=["Withdraw"]), SPOT, (True, True, True)),
        (bybit_permissions, bybit({**BYBIT, "ips": ["*"]}), SPOT, (True, False, False)),
        (bybit_permissions, {"retCode": 0}, SPOT, (None, None, None)),
        (coinbase_permissions, COINBASE, SPOT, (True, False, None)),
        (coinbase_permissions, {**COINBASE, "can_trade": False}, SPOT, (False, False, None)),
        (coinbase_permissions, {**COINBASE, "can_transfer": True}, SPOT, (True, True, None)),
        (coinbase_permissions, {}, SPOT, (None, None, None)),
    ],
)
def test_what_an_exchange_says_of_keys(
    read: Read,
    answer: Mapping[str, Any],
    traded: Traded,
    expected: tuple[bool | None, bool | None, bool | None],
) -> None:
    """(trade, withdraw, bound to addresses); what it does not say is None, never harmless."""
    assert KeyPermissions(*expected) == read(answer, traded)


def test_every_exchange_can_be_asked() -> None:
    """None is without a reader."""
    assert set(EXCHANGES) == set(PERMISSIONS)


# Over the wire.


def settings_of(emulator: Emulator, name: str, **changes: Any) -> VenueSettings:
    symbols = ("BTC/USDT",) if name == "coinbase" else ("BTC/USDT", "BTC/USDT:USDT")
    given = VenueSettings(
        symbols=symbols,
        endpoint=f"127.0.0.1:{emulator.tls_port}",
        ca_file=emulator.authority.ca_file,
    )
    return given.model_copy(update=changes)


def credentials(name: str, key: ApiKey) -> Credentials:
    return Credentials(name, "default", key.key, key.secret, key.passphrase)


async def closed(probe: CcxtProbe, question: str) -> Any:
    """The answer to one question."""
    try:
        return await getattr(probe, question)()
    finally:
        await probe.close()


@pytest.mark.parametrize("name", EXCHANGES)
def test_clock_and_listings_need_no_keys(name: str) -> None:
    """The offset is within the round trip, at Coinbase too, whose clock ccxt reads in seconds."""

    async def work() -> None:
        async with Emulator((name,)) as emulator:
            settings = settings_of(emulator, name)
            reading = await closed(CcxtProbe(name, settings, None), "clock")
            assert abs(reading.offset_ms) <= reading.round_trip_ms + 2
            listed = await closed(CcxtProbe(name, settings, None), "instruments")
            assert set(settings.symbols) <= listed

    asyncio.run(work())


@pytest.mark.parametrize("name", EXCHANGES)
def test_a_clock_that_is_wrong_is_seen(name: str) -> None:
    """An exchange that is five seconds ahead, by its own word."""

    async def work() -> None:
        async with Emulator((name,)) as emulator:
            emulator.wires[name].house.clock.skew_ns = 5_000_000_000
            probe = CcxtProbe(name, settings_of(emulator, name), None)
            reading = await closed(probe, "clock")
            assert abs(reading.offset_ms - 5_000) <= reading.round_trip_ms + 2

    asyncio.run(work())


@pytest.mark.parametrize("name", EXCHANGES)
@pytest.mark.parametrize("can_withdraw", [False, True])
def test_permissions_are_those_of_the_key(name: str, can_withdraw: bool) -> None:
    """Whether it can withdraw, above all."""

    async def work() -> None:
        async with Emulator((name,)) as emulator:
            key = new_key(name, can_withdraw=can_withdraw)
            emulator.houses[name].add_key(key)
            probe = CcxtProbe(name, settings_of(emulator, name), credentials(name, key))
            is_bound = None if name == "coinbase" else True
            expected = KeyPermissions(True, can_withdraw, is_bound)
            assert expected == await closed(probe, "permissions")

    asyncio.run(work())


@pytest.mark.parametrize("name", EXCHANGES)
def test_keys_that_are_not_taken_are_the_callers(name: str) -> None:
    """A key of somebody else, and a secret that nothing can be signed with; neither is shown."""

    async def work() -> None:
        async with Emulator((name,)) as emulator:
            settings = settings_of(emulator, name)
            strange = new_key(name)
            good = emulator.keys[name]
            broken = Credentials(name, "default", good.key, "c2VjcmV0", good.passphrase)
            for keys in (credentials(name, strange), broken):
                with pytest.raises(KeyStoreError, match=f"^{name}") as caught:
                    await closed(CcxtProbe(name, settings, keys), "permissions")
                assert not [value for value in keys.values() if value in str(caught.value)]
            with pytest.raises(KeyStoreError, match="only said to who has them"):
                await closed(CcxtProbe(name, settings, None), "permissions")

    asyncio.run(work())


def test_a_venue_that_cannot_be_reached_says_where_and_why(tmp_path: Path) -> None:
    """Refused, or vouched for by somebody that we do not trust; files that are no authority's."""

    async def work() -> None:
        async with Emulator(("okx",)) as emulator:
            async with Emulator(("okx",)) as other:
                theirs = settings_of(emulator, "okx", ca_file=other.authority.ca_file)
                with pytest.raises(VenueError, match="its certificate is not trusted"):
                    await closed(CcxtProbe("okx", theirs, None), "clock")
            gone = settings_of(emulator, "okx", endpoint=f"127.0.0.1:{other.tls_port}")
            with pytest.raises(VenueError, match=r"^okx cannot be reached at .*refused"):
                await closed(CcxtProbe("okx", gone, None), "clock")
            for path in (tmp_path / "none.pem", Path(__file__)):
                no_ca = settings_of(emulator, "okx", ca_file=path)
                with pytest.raises(ConfigError, match=r"^venues\.okx\.ca_file = "):
                    await closed(CcxtProbe("okx", no_ca, None), "clock")

    asyncio.run(work())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (TIMEOUT_BEFORE, "okx did not answer at .* in time"),
        (DROP_BEFORE, "okx answered "),
        (ERROR_BEFORE, "okx answered "),
        (RATE_LIMIT, "okx answered "),
        (JUNK, "okx answered "),
        (EMPTY, "okx answered "),
    ],
)
def test_a_venue_that_does_not_answer_as_it_should(kind: str, said: str) -> None:
    """VenueError, whatever it is: nothing is wrong with what was given."""

    async def work() -> None:
        async with Emulator(("okx",)) as emulator:
            emulator.houses["okx"].faults.add(Fault(kind=kind, count=10))
            settings = settings_of(emulator, "okx", answer_timeout_ms=300)
            with pytest.raises(VenueError, match=f"^{said}"):
                await closed(CcxtProbe("okx", settings, None), "clock")

    asyncio.run(work())


def test_an_endpoint_must_have_an_address() -> None:
    """A name that is none is said to be none before anything is sent."""

    async def work() -> None:
        settings = VenueSettings(symbols=("BTC/USDT",), endpoint="no-such-host.invalid:1")
        with pytest.raises(ConfigError, match=r"^venues\.okx\.endpoint: no IPv4 address"):
            await closed(CcxtProbe("okx", settings, None), "clock")

    asyncio.run(work())

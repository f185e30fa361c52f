"""A request becomes the command it means; what it leaves open is 0 or empty in there."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine_world import BTC, PERPETUAL, engine_of, order
from zvt_trading.core.state import State
from zvt_trading.messages.codes import (
    BUY,
    FOK,
    GTC,
    GTD,
    LIMIT,
    MARKET,
    OFFSET_BPS,
    OFFSET_PRICE,
    SELL,
    TRAILING_STOP,
    TRIGGER_MARK,
)
from zvt_trading.messages.commands import AmendOrder, SubmitOrder
from zvt_trading.runtime.requests import instrument_of, to_amend, to_command


@pytest.fixture(scope="module")
def state() -> State:
    """A state that lists alpha, beta and a perpetual; nothing changes it here."""
    return engine_of().world.simulation.core.state


CASES: list[tuple[dict[str, Any], SubmitOrder]] = [
    ({}, SubmitOrder("default", "alpha:BTC/USDT", BUY, MARKET, 10_000)),
    (
        {"exchange": None, "client_order_id": "mine", "strategy_id": "s"},
        SubmitOrder(
            "default", ":BTC/USDT", BUY, MARKET, 10_000, strategy="s", client_tag="mine"
        ),
    ),
    ({"reduce_only": True}, SubmitOrder(
        "default", "alpha:BTC/USDT", BUY, MARKET, 10_000, reduce_only=True
    )),
    (
        {"side": "sell", "order_type": "limit", "price": "60000.5", "time_in_force": "fok"},
        SubmitOrder("default", "alpha:BTC/USDT", SELL, LIMIT, 10_000, 6_000_050, tif=FOK),
    ),
    (
        {
            "order_type": "limit",
            "price": 1,
            "post_only": True,
            "time_in_force": "gtd",
            "expire_time": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
            "metadata": {"b": 1, "a": None},
        },
        SubmitOrder(
            "default", "alpha:BTC/USDT", BUY, LIMIT, 10_000, 100, tif=GTD, expire_ts=10**9,
            post_only=True, metadata='{"a": null, "b": 1}',
        ),
    ),
    (
        {
            "symbol": PERPETUAL,
            "order_type": "trailing_stop",
            "trailing_offset": "12.5",
            "trigger_price": 50_000,
            "trigger_by": "mark",
        },
        SubmitOrder(
            "default", "alpha:BTC/USDT:USDT", BUY, TRAILING_STOP, 10_000,
            trigger_price=5_000_000, tif=GTC, trigger_by=TRIGGER_MARK, trailing_offset=1_250,
            trailing_unit=OFFSET_PRICE,
        ),
    ),
    (
        {"order_type": "trailing_stop", "trailing_offset_bps": 25},
        SubmitOrder(
            "default", "alpha:BTC/USDT", BUY, TRAILING_STOP, 10_000, trailing_offset=25,
            trailing_unit=OFFSET_BPS,
        ),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "command"), CASES)
def test_the_command_of_a_request(
    state: State, fields: dict[str, Any], command: SubmitOrder
) -> None:
    """Prices on two decimals, quantities on five."""
    assert command == to_command(state, order("buy", **fields) if "side" not in fields else (
        order(**fields)
    ))  # fmt: skip


def test_an_amend_leaves_open_what_is_not_given(state: State) -> None:
    """0 means: as it is."""
    instrument = instrument_of(state, BTC, "alpha")
    assert AmendOrder("id") == to_amend(instrument, "id", None, None, None)
    assert AmendOrder("id", 100, 200_000, 300) == to_amend(instrument, "id", 1, "2", 3.0)


def test_scales_belong_to_the_symbol(state: State) -> None:
    """Without an exchange any venue's instrument will do."""
    assert "alpha:BTC/USDT" == instrument_of(state, BTC, None).id
    assert "beta:BTC/USDT" == instrument_of(state, BTC, "beta").id

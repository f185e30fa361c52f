"""Bad input: each a clear error or a refusal with its reason; afterwards nothing is half done."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any

import pytest

from engine_world import PERPETUAL, START, assert_sound, engine_of, limit, order, picture
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, PortfolioNotFoundError, SymbolNotFoundError
from zvt_trading.messages.commands import LimitSet
from zvt_trading.runtime.requests import METADATA_LENGTH_MAX
from zvt_trading.types import OrderRequest, OrderStatus

SECOND_AGO = datetime.fromtimestamp(START // SECOND - 1, UTC)


class NoZone(tzinfo):
    """A time zone that does not know its offset."""

    def utcoffset(self, _moment: datetime | None) -> timedelta | None:
        return None

    def dst(self, _moment: datetime | None) -> timedelta | None:
        return None

    def tzname(self, _moment: datetime | None) -> str | None:
        return None


@pytest.fixture
def engine() -> Iterator[CryptoTradingEngine]:
    """An engine with an order at work; afterwards it must be as sound, and able to trade."""
    engine = engine_of()
    engine.place_order(limit("buy", "0.1", "59000", client_order_id="first"))
    before = picture(engine)
    yield engine
    assert picture(engine) == before
    assert_sound(engine)
    engine.advance(1)
    assert engine.place_order(order("buy", "0.1")).success


NOT_NUMBERS: list[tuple[Any, str]] = [
    (float("nan"), "finite"),
    (Decimal("NaN"), "finite"),
    (Decimal("sNaN"), "finite"),
    ("nan", "finite"),
    (float("inf"), "finite"),
    ("-Infinity", "finite"),
    (Decimal("-Infinity"), "finite"),
    ("", "must be a number"),
    ("ten", "must be a number"),
    ("1,5", "must be a number"),
    ("0x10", "must be a number"),
    (True, "not bool"),
    (None, "NoneType"),
    ([1], "not list"),
    ({}, "not dict"),
    (b"1", "not bytes"),
    (1 + 2j, "not complex"),
    ("1e999999999", "too large"),
    ("1e-999999999", "decimals allowed"),
    (10**5000, "too large"),
    (1e300, "too large"),
    ("0.000001", "more than the 5 decimals"),
    (0.1 + 0.2, "more than the 5 decimals"),
]


@pytest.mark.parametrize(("value", "message"), NOT_NUMBERS, ids=range(len(NOT_NUMBERS)))
def test_a_quantity_is_a_number(engine: CryptoTradingEngine, value: Any, message: str) -> None:
    """The error names the field and the rule."""
    with pytest.raises(CallerError, match=message) as caught:
        engine.place_order(order("buy", value))
    assert "quantity" in str(caught.value)
    assert len(str(caught.value)) < 200


CANNOT_BE_MEANT: list[tuple[dict[str, Any], str]] = [
    ({"order_type": "limit", "price": 0}, "price must be > 0"),
    ({"order_type": "limit", "price": -1}, "price must be > 0, not -1"),
    ({"order_type": "limit", "price": "59000.001"}, "more than the 2 decimals"),
    ({"order_type": "limit", "price": True}, "not bool"),
    ({"order_type": "stop", "trigger_price": 0}, "trigger_price must be > 0"),
    ({"order_type": "stop", "trigger_price": float("nan")}, "trigger_price must be a finite"),
    ({"order_type": "trailing_stop", "trailing_offset": -5}, "trailing_offset must be > 0"),
    ({"order_type": "trailing_stop", "trailing_offset_bps": 0}, "trailing_offset_bps must be > 0"),
    ({"order_type": "trailing_stop", "trailing_offset_bps": 0.5}, "not a whole number"),
    (
        {"order_type": "trailing_stop", "trailing_offset": 5, "trailing_offset_bps": 5},
        "not both",
    ),
    ({"side": "hold"}, "side must be one of buy, sell, not 'hold'"),
    ({"side": None}, "side must be one of buy, sell, not None"),
    ({"side": 1}, "side must be one of"),
    ({"order_type": "iceberg"}, "order_type must be one of market, limit"),
    ({"order_type": ["limit"]}, "order_type must be one of"),
    ({"time_in_force": "forever"}, "time_in_force must be one of gtc, ioc, fok, gtd"),
    ({"trigger_by": "moon"}, "trigger_by must be one of quote, last, mark"),
    ({"time_in_force": "gtd", "expire_time": datetime(2030, 1, 1)}, "no time zone"),  # noqa: DTZ001 - naive is the case
    (
        {"time_in_force": "gtd", "expire_time": datetime(2030, 1, 1, tzinfo=NoZone())},
        "no time zone",
    ),
    ({"time_in_force": "gtd", "expire_time": "2030-01-01"}, "must be an aware datetime, not str"),
    ({"expire_time": datetime(2030, 1, 1, tzinfo=UTC)}, "expire_time needs time_in_force gtd"),
    ({"post_only": "yes"}, "post_only must be True or False"),
    ({"reduce_only": 1}, "reduce_only must be True or False"),
    ({"metadata": [1]}, "metadata must be a dict"),
    ({"metadata": {1: "a"}}, "metadata must be a dict with text keys"),
    ({"metadata": {"a": {1, 2}}}, "metadata must be plain JSON"),
    ({"metadata": {"a": float("nan")}}, "metadata must be plain JSON"),
    ({"metadata": {"a": "x" * METADATA_LENGTH_MAX}}, f"at most {METADATA_LENGTH_MAX}"),
    ({"client_order_id": 7}, "client_order_id must be text, not int"),
    ({"client_order_id": "a\nb"}, "cannot be printed"),
    ({"client_order_id": "\ud800"}, "cannot be printed"),
    ({"strategy_id": None}, "strategy_id must be text"),
    ({"symbol": None}, "symbol must be text"),
    ({"symbol": ["BTC/USDT"]}, "symbol must be text"),
    ({"exchange": 5}, "exchange must be text"),
    ({"portfolio_id": {}}, "portfolio_id must be text"),
]


@pytest.mark.parametrize(
    ("fields", "message"), CANNOT_BE_MEANT, ids=[str(f)[:50] for f, _ in CANNOT_BE_MEANT]
)
def test_a_request_that_cannot_be_meant(
    engine: CryptoTradingEngine, fields: dict[str, Any], message: str
) -> None:
    """CallerError says which field, what was given and what is allowed."""
    with pytest.raises(CallerError, match=message):
        engine.place_order(order(**fields))


UNKNOWN_NAMES: list[tuple[dict[str, Any], type[CallerError], str]] = [
    ({"symbol": "DOGE/USDT"}, SymbolNotFoundError, "alpha does not list 'DOGE/USDT'; it lists BTC"),
    (
        {"symbol": "DOGE/USDT", "exchange": None},
        SymbolNotFoundError,
        "no venue lists 'DOGE/USDT'; listed: BTC/USDT, BTC/USDT:USDT",
    ),
    ({"exchange": "gamma"}, SymbolNotFoundError, "no exchange 'gamma'; connected: alpha, beta"),
    ({"exchange": ""}, SymbolNotFoundError, "no exchange ''"),
    ({"exchange": "alpha:BTC/USDT", "symbol": "USDT"}, SymbolNotFoundError, "no exchange"),
    ({"exchange": "beta", "symbol": PERPETUAL}, SymbolNotFoundError, "beta does not list"),
    ({"portfolio_id": "other"}, PortfolioNotFoundError, "no portfolio 'other'; open: default"),
    ({"portfolio_id": ""}, PortfolioNotFoundError, "no portfolio ''"),
]


@pytest.mark.parametrize(("fields", "error", "message"), UNKNOWN_NAMES)
def test_an_unknown_name_is_told_what_there_is(
    engine: CryptoTradingEngine, fields: dict[str, Any], error: type[CallerError], message: str
) -> None:
    """The error is also a LookupError and a ValueError, for callers who catch those."""
    with pytest.raises(error, match=message) as caught:
        engine.place_order(order(**fields))
    assert isinstance(caught.value, LookupError)
    assert isinstance(caught.value, ValueError)


REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"quantity": 0}, "invalid_quantity", "must be above 0"),
    ({"quantity": "-0.1"}, "invalid_quantity", "quantity -0.1 must be above 0"),
    ({"quantity": 10**25}, "invalid_quantity", "at most"),
    ({"quantity": "0.00011"}, "quantity_lot", "0.00011 is not a multiple of the lot 0.0001"),
    ({"quantity": "0.0000"}, "invalid_quantity", "must be above 0"),
    ({"price": 59000}, "price_not_allowed", "takes no price; 59000 was given"),
    ({"order_type": "limit"}, "price_missing", "needs a price"),
    (
        {"order_type": "limit", "price": "59000.05"},
        "price_tick",
        "price 59000.05 is not a multiple of the tick 0.1",
    ),
    ({"order_type": "limit", "price": 59000, "trigger_price": 1}, "trigger_not_allowed", "1"),
    ({"order_type": "stop"}, "trigger_missing", "needs a trigger price"),
    ({"order_type": "stop_limit", "trigger_price": 61000}, "price_missing", "needs a price"),
    (
        {"order_type": "stop", "trigger_price": "61000.05"},
        "price_tick",
        "trigger price 61000.05 is not a multiple",
    ),
    ({"order_type": "trailing_stop"}, "invalid_trailing_offset", "offset above 0"),
    (
        {"order_type": "trailing_stop", "trailing_offset_bps": 10_000},
        "invalid_trailing_offset",
        "below 10000",
    ),
    ({"trailing_offset": 5}, "invalid_trailing_offset", "only a trailing stop"),
    ({"order_type": "limit", "price": 59000, "time_in_force": "gtd"}, "expire_time_missing", "GTD"),
    (
        {
            "order_type": "limit",
            "price": 59000,
            "time_in_force": "gtd",
            "expire_time": SECOND_AGO,
        },
        "expire_time_past",
        "not after now",
    ),
    ({"time_in_force": "gtd", "expire_time": SECOND_AGO}, "invalid_time_in_force", "market order"),
    ({"post_only": True}, "post_only_not_allowed", "market order cannot be post-only"),
    ({"quantity": "0.0001", "order_type": "limit", "price": "40000"}, "notional_min", "minimum of"),
    ({"order_type": "limit", "price": 90000}, "price_collar", "90000"),
    ({"quantity": "2"}, "max_order_notional", "above 100000"),
    ({"side": "sell", "quantity": "1.2"}, "insufficient_balance", "BTC"),
    ({"reduce_only": True, "symbol": PERPETUAL}, "reduce_only", "reduce"),
    ({"client_order_id": "x" * 65}, "id_too_long", "65"),
    ({"strategy_id": "x" * 65}, "id_too_long", "65"),
    ({"client_order_id": "first"}, "duplicate_client_id", "'first' was used before"),
    (
        {"order_type": "limit", "quantity": "0.1", "price": 59000},
        "duplicate_intent",
        "may pass later",
    ),
]


@pytest.mark.parametrize(
    ("fields", "reason", "message"), REFUSALS, ids=[f"{r}-{f}"[:50] for f, r, _ in REFUSALS]
)
def test_a_refusal_has_its_reason_and_says_what_is_wrong(
    engine: CryptoTradingEngine, fields: dict[str, Any], reason: str, message: str
) -> None:
    """A result, no exception; only the counter of refusals has changed."""
    refused_before = sum(engine.world.history.refusals.values())
    result = engine.place_order(order(**fields))
    assert (False, OrderStatus.REJECTED, reason) == (result.success, result.status, result.reason)
    assert message in result.message
    assert Decimal(0) == result.filled_quantity
    assert refused_before + 1 == sum(engine.world.history.refusals.values())


def test_money_that_is_not_there(engine: CryptoTradingEngine) -> None:
    """Limit and value are in the asset that the order would reserve."""
    engine.withdraw("default", "beta", "USDT", "99990")
    result = engine.place_order(order("buy", "0.1", exchange="beta"))
    engine.deposit("default", "beta", "USDT", "99990")
    assert ("insufficient_balance", Decimal(10)) == (result.reason, result.limit)
    assert result.value is not None
    assert result.value > 6_000


def test_margin_that_is_not_there(engine: CryptoTradingEngine) -> None:
    """A perpetual needs margin in its settle asset."""
    engine.withdraw("default", "alpha", "USDT", 94000)
    result = engine.place_order(order("buy", "0.1", symbol=PERPETUAL))
    engine.deposit("default", "alpha", "USDT", 94000)
    assert "insufficient_margin" == result.reason


def test_an_order_is_an_order_request(engine: CryptoTradingEngine) -> None:
    """Not a dict that looks like one."""
    with pytest.raises(CallerError, match="OrderRequest, not dict"):
        engine.place_order({"symbol": "BTC/USDT"})  # type: ignore[arg-type]  # the case


Call = Callable[[CryptoTradingEngine], object]
CALLS: list[tuple[str, Call, str]] = [
    ("no money", lambda e: e.deposit("default", "alpha", "USDT", 0), "amount must be > 0"),
    ("negative", lambda e: e.deposit("default", "alpha", "USDT", -1), "amount must be > 0"),
    ("nan", lambda e: e.withdraw("default", "alpha", "USDT", "nan"), "finite"),
    ("asset", lambda e: e.deposit("default", "alpha", "XYZ", 1), "no asset 'XYZ'; known: BTC"),
    ("asset type", lambda e: e.deposit("default", "alpha", None, 1), "asset must be text"),  # type: ignore[arg-type]  # the case
    ("venue", lambda e: e.deposit("default", "gamma", "USDT", 1), "no exchange 'gamma'"),
    ("portfolio", lambda e: e.deposit("other", "alpha", "USDT", 1), "no portfolio 'other'"),
    ("dust", lambda e: e.deposit("default", "alpha", "USDT", "1e-9"), "8 decimals"),
    ("too much", lambda e: e.withdraw("default", "alpha", "USDT", 10**6), "insufficient balance"),
    (
        "transfer",
        lambda e: e.transfer("USDT", 10**6, from_exchange="alpha", to_exchange="beta"),
        "insufficient balance",
    ),
    (
        "transfer to nowhere",
        lambda e: e.transfer("USDT", 1, from_exchange="alpha", to_exchange="gamma"),
        "no exchange 'gamma'",
    ),
    ("name", lambda e: e.open_portfolio(""), "portfolio name of 0 characters"),
    ("long name", lambda e: e.open_portfolio("x" * 65), "65 characters"),
    ("name type", lambda e: e.open_portfolio(7), "portfolio_id must be text"),  # type: ignore[arg-type]  # the case
    ("base", lambda e: e.open_portfolio("new", "XYZ"), "no asset 'XYZ'"),
    ("method", lambda e: e.open_portfolio("new", "USDT", "filo"), "accounting_method must be"),
    ("summary", lambda e: e.get_portfolio_summary("other"), "no portfolio 'other'"),
    ("positions", lambda e: e.get_positions("other"), "no portfolio 'other'"),
    ("orders", lambda e: e.get_orders("other"), "no portfolio 'other'"),
    ("fills", lambda e: e.get_fills("other"), "no portfolio 'other'"),
    ("id type", lambda e: e.get_order(None), "order_id must be text"),  # type: ignore[arg-type]  # the case
    (
        "leverage",
        lambda e: e.set_leverage("default", PERPETUAL, "alpha", 1.5),  # type: ignore[arg-type]  # the case
        "leverage 1.5 is not a whole number",
    ),
    (
        "leverage of nobody",
        lambda e: e.set_leverage("other", PERPETUAL, "alpha", 2),
        "no portfolio 'other'",
    ),
    (
        "spot leverage",
        lambda e: e.set_leverage("default", "BTC/USDT", "alpha", 2),
        "invalid leverage",
    ),
    ("state", lambda e: e.set_trading_state("off"), "state must be one of active"),
    ("scope", lambda e: e.set_trading_state("halted", "moon"), "scope must be one of global"),
    ("limits", lambda e: e.set_limits({"scope": 0}), "must be a LimitSet, not dict"),  # type: ignore[arg-type]  # the case
    (
        "limit type",
        lambda e: e.set_limits(LimitSet(scope=0, open_orders_max=1.5)),  # type: ignore[arg-type]  # the case
        "open_orders_max must be an int",
    ),
    (
        "scope type",
        lambda e: e.set_limits(LimitSet(scope=None, open_orders_max=1)),  # type: ignore[arg-type]  # the case
        "scope must be an int",
    ),
    ("limit", lambda e: e.set_limits(LimitSet(scope=0, open_orders_max=-1)), "open_orders_max -1"),
    ("kill", lambda e: e.kill_switch(reason="\0"), "cannot be printed"),
    ("amend", lambda e: e.amend_order(e.get_orders()[0].order_id, price=0), "price must be > 0"),
    ("time", lambda e: e.advance("soon"), "seconds must be a number"),
]


@pytest.mark.parametrize(("call", "message"), [row[1:] for row in CALLS], ids=[c[0] for c in CALLS])
def test_other_calls_with_bad_input(engine: CryptoTradingEngine, call: Call, message: str) -> None:
    """CallerError, and nothing has changed (see the fixture)."""
    with pytest.raises(CallerError, match=message):
        call(engine)


@pytest.mark.parametrize(
    "request_", [order("buy", 0.1), order("buy", " 0.1 "), order("BUY", "1e-1")]
)
def test_numbers_and_names_may_be_written_in_any_usual_way(request_: OrderRequest) -> None:
    """Floats by their repr, text with blanks or an exponent, names in capitals."""
    result = engine_of().place_order(request_)
    assert (True, Decimal("0.1")) == (result.success, result.filled_quantity)

"""Public names and the core's codes agree, both ways."""

from enum import Enum

import pytest

from zvt_trading.errors import CallerError
from zvt_trading.messages import codes
from zvt_trading.messages.reasons import Reason
from zvt_trading.runtime.codes import (
    MARGIN_MODES,
    METHODS,
    ORDER_TYPES,
    SCOPES,
    TIMES_IN_FORCE,
    TRADING_STATES,
    TRIGGERS,
    code_of,
    liquidity_of,
    reason_of,
    side_of,
)
from zvt_trading.types import OrderSide, OrderType

TABLES: list[tuple[str, tuple[Enum, ...], str]] = [
    ("order_type", ORDER_TYPES, ""),
    ("time_in_force", TIMES_IN_FORCE, ""),
    ("trigger_by", TRIGGERS, "TRIGGER_"),
    ("accounting_method", METHODS, ""),
    ("margin_mode", MARGIN_MODES, ""),
    ("state", TRADING_STATES, ""),
    ("scope", SCOPES, "SCOPE_"),
]


@pytest.mark.parametrize(("field", "members", "prefix"), TABLES)
def test_every_name_has_the_code_of_its_constant(
    field: str, members: tuple[Enum, ...], prefix: str
) -> None:
    """The members stand in the order of the codes; text in any case is taken as well."""
    for code, member in enumerate(members):
        assert code == getattr(codes, prefix + member.name)
        assert code == code_of(field, member)
        assert code == code_of(field, member.value.upper())


def test_sides_and_liquidity() -> None:
    """Signs of the quantity."""
    assert (codes.BUY, codes.SELL) == (code_of("side", OrderSide.BUY), code_of("side", "Sell"))
    assert (OrderSide.BUY, OrderSide.SELL) == (side_of(codes.BUY), side_of(codes.SELL))
    assert ("maker", "taker") == (liquidity_of(codes.MAKER), liquidity_of(codes.TAKER))


def test_reasons_are_in_lower_case() -> None:
    """None is no text."""
    assert ("", "price_tick") == (reason_of(0), reason_of(int(Reason.PRICE_TICK)))


def test_an_unknown_name_lists_what_is_allowed() -> None:
    """Also another Enum's member."""
    with pytest.raises(CallerError, match="side must be one of buy, sell, not 'hold'"):
        code_of("side", "hold")
    with pytest.raises(CallerError, match="side must be one of"):
        code_of("side", OrderType.LIMIT)

"""What an engine and an exchange believe of one account, in a form that can be compared."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import asdict

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import format_scaled


class Order(Struct, frozen=True, order=True):
    """An open order, as both sides see it."""

    order_id: str
    price: Decimal
    quantity: Decimal
    filled: Decimal


class Books(Struct, frozen=True):
    """All that engine and exchange must agree on; `trades` are (order id, trade id) of each.

    `cash` is the wallet less the signed entry cost of open perpetuals: an exchange realises profits
    at average cost, the engine by its portfolio's lots, and this is the same for both.
    """

    cash: dict[str, Decimal]
    orders: list[Order]
    positions: dict[str, Decimal]
    trades: list[tuple[str, str]]


def entry_cost(instrument: Instrument, quantity: int, cost: int) -> Decimal:
    """What a position cost at its entry; of a short one with a minus."""
    text = format_scaled(cost, instrument.settle_scale)
    return Decimal(text) if quantity > 0 else -Decimal(text)


def differences(expected: Books, actual: Books) -> str:
    """What differs, in words: pytest explains only the tests' own files."""
    ours = asdict(actual)
    return "; ".join(
        f"{name}: there {theirs}, here {ours[name]}"
        for name, theirs in asdict(expected).items()
        if theirs != ours[name]
    )

"""What an emulated exchange knows of an order, for its wire protocol to show."""

from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.units import format_scaled
from zvt_trading.messages.codes import ACCEPTED, BUY, GTC, LIMIT, TRIGGER_QUOTE
from zvt_trading.messages.reports import Fill

# What happened to an order.
NEW: Final = "new"
TRADE: Final = "trade"
CANCELED: Final = "canceled"
EXPIRED: Final = "expired"
AMENDED: Final = "amended"


class Ask:
    """A request for an order; numbers are ints on the instrument's scales.

    With `quote_quantity` (money of the quote asset, a market buy) the quantity is what that buys.
    """

    def __init__(
        self,
        instrument: Instrument,
        side: int,
        type_: int,
        quantity: int,
        *,
        client_id: str = "",
        price: int = 0,
        tif: int = GTC,
        post_only: bool = False,
        reduce_only: bool = False,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
        expire_ts: int = 0,
        quote_quantity: int = 0,
    ) -> None:
        self.instrument: Final = instrument
        self.side: Final = side
        self.type: Final = type_
        self.quantity = quantity
        self.client_id = client_id
        self.price = price
        self.tif: Final = tif
        self.post_only: Final = post_only
        self.reduce_only: Final = reduce_only
        self.trigger_price = trigger_price
        self.trigger_by: Final = trigger_by
        self.expire_ts: Final = expire_ts
        self.quote_quantity: Final = quote_quantity


class HouseOrder:
    """One order: how it was asked for, and what became of it.

    `id` is the exchange's, decimal digits. `value` is what its fills were worth (settle units),
    `fees` by asset (asset units, scale 8). Times are nanoseconds UTC. `life` is a code of
    messages/codes.py. `waiting`: a stop that was not triggered.
    """

    def __init__(self, order_id: str, account: str, ask: Ask, ts: int) -> None:
        self.id: Final = order_id
        self.account: Final = account
        self.ask: Final = ask
        self.instrument: Final = ask.instrument
        self.client_id: Final = ask.client_id
        self.side: Final = ask.side
        self.type: Final = ask.type
        self.tif: Final = ask.tif
        self.price = ask.price
        self.quantity = ask.quantity
        self.life = ACCEPTED
        self.reason = 0
        self.waiting = False
        self.filled = 0
        self.value = 0
        self.fees: dict[str, int] = {}
        self.fills: list[Fill] = []
        self.created_ts: Final = ts
        self.updated_ts = ts
        self.hidden_until = 0  # queries do not find it before

    @property
    def is_open(self) -> bool:
        """Whether it works, or waits for its trigger."""
        return self.life == ACCEPTED

    @property
    def is_buy(self) -> bool:
        """Its side."""
        return self.side == BUY

    @property
    def is_limit(self) -> bool:
        """Whether it is a plain limit order."""
        return self.type == LIMIT

    def price_text(self, value: int | None = None) -> str:
        """A price (the order's own when none is given) with all its decimals."""
        return format_scaled(self.price if value is None else value, self.instrument.price_scale)

    def quantity_text(self, value: int) -> str:
        """A quantity with all its decimals."""
        return format_scaled(value, self.instrument.quantity_scale)

    def value_text(self) -> str:
        """What the fills were worth, in the settle asset, with all its decimals."""
        return format_scaled(self.value, self.instrument.settle_scale)

    def average_price(self, decimals: int) -> str:
        """Value over filled, rounded half-even to so many decimals; "0" with no fill.

        Of LINEAR and SPOT instruments of contract size 1.
        """
        if not self.filled:
            return "0"
        scale = self.instrument.settle_scale - self.instrument.quantity_scale
        top, bottom = self.value * 10**decimals, self.filled * 10**scale
        quotient, rest = divmod(top, bottom)
        if 2 * rest > bottom or (2 * rest == bottom and quotient & 1):
            quotient += 1
        return format_scaled(quotient, decimals)


class Change:
    """Something happened to an order; `fill` belongs to TRADE.

    `seq` rises over all changes of the exchange: an event id.
    """

    def __init__(self, seq: int, kind: str, order: HouseOrder, ts: int, fill: Fill | None) -> None:
        self.seq: Final = seq
        self.kind: Final = kind
        self.order: Final = order
        self.ts: Final = ts
        self.fill: Final = fill
        # As they were then: a wire protocol may read them later.
        self.filled: Final = order.filled
        self.value: Final = order.value
        self.life: Final = order.life


class Refusal(Exception):  # noqa: N818 - it is what exchanges do, not what went wrong here
    """The exchange does not take the request; `reason` is a Reason 4xx, `text` says more."""

    def __init__(self, reason: int, text: str) -> None:
        super().__init__(text)
        self.reason: Final = reason
        self.text: Final = text

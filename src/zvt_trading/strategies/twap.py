"""A scheduled buyer: equal slices at equal intervals, each where it is cheapest at that moment."""

from decimal import Decimal
from typing import ClassVar

from zvt_trading.runtime.numbers import to_decimal, to_scaled
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import FillInfo, Number, OrderSide


class Twap(Strategy):
    """Trades `quantity` of a symbol in equal market orders, one every `interval_seconds`.

    No exchange is named, so every slice goes where the price net of the taker fee is best. A slice
    that is refused or filled in part is made up by the ones after it; at the end what is missing
    stays missing. With no symbol given it takes the first instrument's.
    """

    parameters: ClassVar[dict[str, str]] = {
        "symbol": "what to trade, the first instrument's by default",
        "side": "buy or sell",
        "quantity": "in all, in the base asset",
        "slices": "how many orders",
        "interval_seconds": "time between two of them",
    }

    def __init__(
        self,
        symbol: str = "",
        side: OrderSide | str = OrderSide.BUY,
        quantity: Number = Decimal("0.1"),
        slices: int = 10,
        interval_seconds: int = 5,
    ) -> None:
        if slices < 1 or interval_seconds < 1:
            raise ValueError(f"slices {slices} and interval_seconds {interval_seconds} must be > 0")
        self.timer_seconds = interval_seconds
        self._symbol = symbol
        self._side = OrderSide(side)
        self._quantity = quantity
        self._slices = slices
        self._left = 0  # units of the symbol's quantity scale, as the next two
        self._lot = 1
        self._scale = 0

    def on_start(self) -> None:
        """Read the symbol's scale and the coarsest lot of its venues."""
        names = [name.partition(":") for name in self.context.instruments]
        if not self._symbol:
            self._symbol = names[0][2]
        venues = [venue for venue, _, symbol in names if symbol == self._symbol]
        if not venues:
            raise ValueError(f"no venue lists {self._symbol}")
        listed = [self.context.instrument(self._symbol, venue) for venue in venues]
        self._scale = listed[0].quantity_scale
        self._lot = max(instrument.lot for instrument in listed)
        self._left = to_scaled("quantity", self._quantity, self._scale)

    def on_timer(self, ts: int) -> None:  # noqa: ARG002 - the schedule is the timer itself
        """Send the next slice: what is left, over the slices that are left."""
        if self._slices == 0:
            return
        size = self._left // self._slices
        self._slices -= 1
        if self._slices == 0:
            size = self._left
        size -= size % self._lot
        if size > 0:
            self.context.place(self._symbol, self._side, to_decimal(size, self._scale))

    def on_fill(self, fill: FillInfo) -> None:
        """Count down."""
        self._left -= to_scaled("fill", fill.quantity, self._scale)

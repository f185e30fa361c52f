"""Cash and carry: sell the perpetual against spot when it is dear, take both off when it is not."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from zvt_trading.core.units import SECOND
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.numbers import to_scaled
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import Number, OrderSide

_BASIS_SCALE = 6  # the basis is kept in 1e-6 of a basis point
_ONE = 10_000 * 10**_BASIS_SCALE
_PAUSE = SECOND // 10
_WARM_UP = 50
_SMOOTHING = 200


class Basis(Strategy):
    """Trades the difference between a perpetual and its spot market, both legs at market.

    basis = (perpetual mid - spot mid) / spot mid, in basis points, against its own slow average:
    above the average by `enter_bps` it sells the perpetual and buys spot, back at the average it
    closes both. With no instruments given it takes the first perpetual whose venue has its spot.

    An example of a trade with two legs, not of an edge: taker fees of four orders (about 30 basis
    points at public rates) are more than a calm market's basis moves, as its report shows.
    """

    parameters: ClassVar[dict[str, str]] = {
        "spot": "venue:SYMBOL of the spot leg",
        "perpetual": "venue:SYMBOL of the perpetual",
        "quantity": "base-asset quantity of each leg",
        "enter_bps": "basis points above the average to enter",
    }

    def __init__(
        self,
        spot: str = "",
        perpetual: str = "",
        quantity: Number = Decimal("0.01"),
        enter_bps: Number = Decimal("0.4"),
    ) -> None:
        self._spot = spot
        self._perpetual = perpetual
        self._quantity = quantity
        self._enter = to_scaled("enter_bps", enter_bps, _BASIS_SCALE)
        self._average = 0  # exponentially smoothed
        self._seen = 0
        self._in_trade = False
        self._last_ts = 0

    @staticmethod
    def can_trade(instruments: Sequence[str]) -> bool:
        """Whether there is a perpetual with its spot market on the same venue."""
        return any(_spot_of(name) in instruments for name in instruments)

    def on_start(self) -> None:
        """Find the two legs."""
        names = self.context.instruments
        if not self._perpetual:
            self._perpetual = next((n for n in names if _spot_of(n) in names), "")
        if not self._spot and self._perpetual:
            self._spot = _spot_of(self._perpetual)
        if self._spot not in names or self._perpetual not in names:
            raise ValueError(
                "the basis strategy needs a spot market and its perpetual on one venue; there are "
                + ", ".join(names)
            )

    def on_quote(self, quote: QuoteTick) -> None:
        """Compare the legs at every change of the perpetual, at most every 100 ms."""
        if quote.instrument != self._perpetual or quote.ts - self._last_ts < _PAUSE:
            return
        basis = self._basis()
        if basis is None:
            return
        self._last_ts = quote.ts
        self._seen += 1
        self._average += (basis - self._average) // min(self._seen, _SMOOTHING)
        if self._seen < _WARM_UP:
            return
        rich = basis - self._average
        if not self._in_trade and rich > self._enter:
            self._in_trade = self._enter_trade()
        elif self._in_trade and rich <= 0:
            self._leave_trade()

    def on_stop(self) -> None:
        """Leave flat."""
        if self._in_trade:
            self._leave_trade()

    def _basis(self) -> int | None:
        """Perpetual over spot, in units of 1e-6 basis points, rounded down; None without prices."""
        spot = self.context.instrument(*_names(self._spot))
        perpetual = self.context.instrument(*_names(self._perpetual))
        below = spot.mid_twice() * int(10**perpetual.price_scale)
        above = perpetual.mid_twice() * int(10**spot.price_scale)
        return (above - below) * _ONE // below if above and below else None

    def _enter_trade(self) -> bool:
        """Buy spot, then sell the perpetual; if that is refused, take the first leg off again."""
        if not self._trade(self._spot, OrderSide.BUY):
            return False
        if self._trade(self._perpetual, OrderSide.SELL):
            return True
        self._trade(self._spot, OrderSide.SELL)
        return False

    def _leave_trade(self) -> None:
        self._in_trade = False
        self._trade(self._spot, OrderSide.SELL)
        self._trade(self._perpetual, OrderSide.BUY)

    def _trade(self, instrument: str, side: OrderSide) -> bool:
        """One leg; whether the risk gate let it pass."""
        symbol, venue = _names(instrument)
        return self.context.knows(self.context.place(symbol, side, self._quantity, exchange=venue))


def _names(instrument: str) -> tuple[str, str]:
    """Symbol and venue of "venue:SYMBOL"."""
    venue, _, symbol = instrument.partition(":")
    return symbol, venue


def _spot_of(instrument: str) -> str:
    """The spot market of a perpetual: "venue:A/B" of "venue:A/B:C"; "" of a spot market."""
    spot, colon, _ = instrument.rpartition(":")
    return spot if colon and ":" in spot else ""

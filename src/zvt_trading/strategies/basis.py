"""Cash and carry: sell the perpetual against spot when it is dear, take both off when it is not."""

from decimal import Decimal
from typing import ClassVar

from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.numbers import to_decimal
from zvt_trading.strategies.base import Strategy
from zvt_trading.types import Number


class Basis(Strategy):
    """Trades the difference between a perpetual and its spot market, both legs at market.

    basis = (perpetual mid - spot mid) / spot mid, in basis points, against its own slow average:
    above the average by `enter_bps` it sells the perpetual and buys spot, back at the average it
    closes both. With no instruments given it takes the first spot and perpetual of one symbol.
    """

    parameters: ClassVar[dict[str, str]] = {
        "spot": "venue:SYMBOL of the spot leg",
        "perpetual": "venue:SYMBOL of the perpetual",
        "quantity": "base-asset quantity of each leg",
        "enter_bps": "hundredths of a basis point above the average to enter",
    }

    def __init__(
        self,
        spot: str = "",
        perpetual: str = "",
        quantity: Number = Decimal("0.01"),
        enter_bps: int = 40,
    ) -> None:
        self._spot = spot
        self._perpetual = perpetual
        self._quantity = Decimal(str(quantity))
        self._enter = enter_bps
        self._average = 0  # in 1e-6 of a basis point, exponentially smoothed
        self._seen = 0
        self._in_trade = False
        self._last_ts = 0

    def on_start(self) -> None:
        """Find the two legs."""
        names = self.context.instruments
        if not self._perpetual:
            self._perpetual = next((n for n in names if n.count(":") == 2), "")
        if not self._spot and self._perpetual:
            symbol = self._perpetual.split(":")[1]
            self._spot = next((n for n in names if n.endswith(f":{symbol}")), "")
        if not (self._spot and self._perpetual):
            raise ValueError(
                f"the basis strategy needs a spot and a perpetual market; there are {names}"
            )

    def on_quote(self, quote: QuoteTick) -> None:
        """Compare the legs at every change of the perpetual, at most every 100 ms."""
        if quote.instrument != self._perpetual or quote.ts - self._last_ts < 100_000_000:
            return
        spot = self._mid(self._spot)
        perpetual = self._mid(self._perpetual)
        if not spot or not perpetual:
            return
        self._last_ts = quote.ts
        basis = int((perpetual - spot) / spot * 10_000_000_000)  # 1e-6 basis points
        self._seen += 1
        self._average += (basis - self._average) // min(self._seen, 200)
        if self._seen < 50:
            return
        rich = basis - self._average
        if not self._in_trade and rich > self._enter * 10_000:
            self._in_trade = True
            self._trade("buy", "sell")
        elif self._in_trade and rich <= 0:
            self._in_trade = False
            self._trade("sell", "buy")

    def on_stop(self) -> None:
        """Leave flat."""
        if self._in_trade:
            self._in_trade = False
            self._trade("sell", "buy")

    def _mid(self, instrument_id: str) -> Decimal:
        venue, symbol = instrument_id.split(":", 1)
        instrument = self.context.instrument(symbol, venue)
        return to_decimal(instrument.mid_twice() * 5, instrument.price_scale + 1)

    def _trade(self, spot_side: str, perpetual_side: str) -> None:
        for name, side in ((self._spot, spot_side), (self._perpetual, perpetual_side)):
            venue, symbol = name.split(":", 1)
            self.context.place(symbol, side, self._quantity, exchange=venue)

"""What the runtime needs of a strategy."""

from typing import Protocol

from zvt_trading.messages.market import Bar, BookDelta, BookSnapshot, QuoteTick, TradeTick
from zvt_trading.types import FillInfo, OrderInfo


class StrategyPort(Protocol):
    """Callbacks, all on the engine's one thread.

    Market data come as the raw messages (ints on the symbol's scale, see messages/market.py); the
    context given to `bind` has the scales and turns them into Decimals.
    """

    timer_seconds: int
    cancel_on_stop: bool

    def bind(self, context: object) -> None:
        """Called once before on_start with the strategy's context."""

    def on_start(self) -> None:
        """Trading begins."""

    def on_quote(self, quote: QuoteTick) -> None:
        """The best bid or ask of an instrument changed."""

    def on_trade(self, trade: TradeTick) -> None:
        """A public trade."""

    def on_book(self, book: BookSnapshot | BookDelta) -> None:
        """A book changed."""

    def on_bar(self, bar: Bar) -> None:
        """A candle closed."""

    def on_order(self, order: OrderInfo) -> None:
        """One of its orders changed."""

    def on_fill(self, fill: FillInfo) -> None:
        """One of its orders was filled, in part or in full."""

    def on_timer(self, ts: int) -> None:
        """Every `timer_seconds` of the engine's time (0: never)."""

    def on_stop(self) -> None:
        """Trading ends."""

"""The base class of strategies.

A strategy sees market data and its own orders, and answers with orders through `self.context`. It
runs on the engine's thread under the engine's clock, so a backtest and live trading see the same
order of things. Callbacks never nest: news of an order comes after the callback that placed it. If
one raises, that strategy alone is stopped and halted, and its orders are cancelled.
"""

from typing import ClassVar

from zvt_trading.messages.market import Bar, BookDelta, BookSnapshot, QuoteTick, TradeTick
from zvt_trading.runtime.context import StrategyContext
from zvt_trading.types import FillInfo, OrderInfo


class Strategy:
    """Override what you need; every callback does nothing by default.

    `parameters` lists what the constructor takes by keyword, with defaults, for command lines.
    """

    timer_seconds: int = 0
    """How often `on_timer` is called, seconds of the engine's time; 0: never."""
    cancel_on_stop: bool = True
    """Whether its working orders are cancelled when it stops, by itself or by an error."""
    parameters: ClassVar[dict[str, str]] = {}

    context: StrategyContext

    def bind(self, context: object) -> None:
        """Called once by the engine before on_start."""
        if not isinstance(context, StrategyContext):
            raise TypeError(f"a strategy needs a StrategyContext, not {type(context).__name__}")
        self.context = context

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
        """Every `timer_seconds`; `ts` is int nanoseconds UTC."""

    def on_stop(self) -> None:
        """Trading ends; its working orders are cancelled already, what it places here works on."""

"""`await engine.aplace_order(...)`: the engine's calls for code that runs on an event loop.

Each runs the call of the same name in a worker thread. Cancelling the await does not take back what
was asked: an order that is on its way stays so.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from zvt_trading.types import (
    Number,
    OrderInfo,
    OrderRequest,
    OrderResult,
    OrderSide,
    PortfolioSummary,
    PositionInfo,
)


class _Engine(Protocol):
    """The calls that have a twin."""

    def place_oco(self, profit: OrderRequest, stop: OrderRequest) -> tuple[OrderResult, ...]: ...

    def place_bracket(
        self,
        entry: OrderRequest,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
    ) -> tuple[OrderResult, ...]: ...

    def cancel_order(self, order_id: str) -> bool: ...

    def cancel_all(
        self,
        portfolio_id: str = "",
        *,
        strategy_id: str = "",
        exchange: str = "",
        symbol: str = "",
        side: OrderSide | str | None = None,
    ) -> int: ...

    def amend_order(
        self,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
    ) -> OrderResult: ...

    def get_orders(
        self, portfolio_id: str | None = None, *, open_only: bool = False, symbol: str | None = None
    ) -> Sequence[OrderInfo]: ...

    def get_positions(self, portfolio_id: str = "default") -> list[PositionInfo]: ...

    def get_portfolio_summary(self, portfolio_id: str = "default") -> PortfolioSummary: ...

    def kill_switch(self, *, flatten: bool = False, reason: str = "") -> None: ...

    def advance(self, seconds: Number) -> bool: ...


class AsyncTwins:
    """Mixed into the engine; see the call without the leading "a" for arguments and errors."""

    async def aplace_oco(
        self: _Engine, profit: OrderRequest, stop: OrderRequest
    ) -> tuple[OrderResult, ...]:
        """`place_oco` without blocking the event loop."""
        return await asyncio.to_thread(self.place_oco, profit, stop)

    async def aplace_bracket(
        self: _Engine,
        entry: OrderRequest,
        *,
        take_profit: Number,
        stop_loss: Number,
        stop_limit: Number | None = None,
    ) -> tuple[OrderResult, ...]:
        """`place_bracket` without blocking the event loop."""
        return await asyncio.to_thread(
            self.place_bracket,
            entry,
            take_profit=take_profit,
            stop_loss=stop_loss,
            stop_limit=stop_limit,
        )

    async def acancel_order(self: _Engine, order_id: str) -> bool:
        """`cancel_order` without blocking the event loop."""
        return await asyncio.to_thread(self.cancel_order, order_id)

    async def acancel_all(
        self: _Engine,
        portfolio_id: str = "",
        *,
        strategy_id: str = "",
        exchange: str = "",
        symbol: str = "",
        side: OrderSide | str | None = None,
    ) -> int:
        """`cancel_all` without blocking the event loop."""
        return await asyncio.to_thread(
            self.cancel_all,
            portfolio_id,
            strategy_id=strategy_id,
            exchange=exchange,
            symbol=symbol,
            side=side,
        )

    async def aamend_order(
        self: _Engine,
        order_id: str,
        *,
        price: Number | None = None,
        quantity: Number | None = None,
        trigger_price: Number | None = None,
    ) -> OrderResult:
        """`amend_order` without blocking the event loop."""
        return await asyncio.to_thread(
            self.amend_order, order_id, price=price, quantity=quantity, trigger_price=trigger_price
        )

    async def aget_orders(
        self: _Engine,
        portfolio_id: str | None = None,
        *,
        open_only: bool = False,
        symbol: str | None = None,
    ) -> Sequence[OrderInfo]:
        """`get_orders` without blocking the event loop."""
        return await asyncio.to_thread(
            self.get_orders, portfolio_id, open_only=open_only, symbol=symbol
        )

    async def aget_positions(self: _Engine, portfolio_id: str = "default") -> list[PositionInfo]:
        """`get_positions` without blocking the event loop."""
        return await asyncio.to_thread(self.get_positions, portfolio_id)

    async def aget_portfolio_summary(
        self: _Engine, portfolio_id: str = "default"
    ) -> PortfolioSummary:
        """`get_portfolio_summary` without blocking the event loop."""
        return await asyncio.to_thread(self.get_portfolio_summary, portfolio_id)

    async def akill_switch(self: _Engine, *, flatten: bool = False, reason: str = "") -> None:
        """`kill_switch` without blocking the event loop."""
        await asyncio.to_thread(self.kill_switch, flatten=flatten, reason=reason)

    async def aadvance(self: _Engine, seconds: Number) -> bool:
        """`advance` without blocking the event loop."""
        return await asyncio.to_thread(self.advance, seconds)

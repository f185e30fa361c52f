"""ZVT's trading verbs: `buy_stocks`, `sell_stocks`, `buy_crypto`, `sell_crypto`.

They trade through the default engine: the one given to `use_engine`, or one on the built-in
simulated exchanges, made at first need. That one remembers, in the store of ZVT_TRADING_DB_URL or
else a file in the user's data folder, and goes on from there in the next process. Bad input is a
result with `success=False`, its reason and a message, never an exception, as the callers of these
functions expect; so is a store that cannot be used.
"""

import atexit
from datetime import datetime
from threading import Lock
from typing import TypedDict, Unpack

from zvt_trading.bootstrap import default_url
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError, PortfolioNotFoundError, SymbolNotFoundError
from zvt_trading.messages.reasons import Reason
from zvt_trading.ports.store import StoreError
from zvt_trading.runtime.codes import reason_of
from zvt_trading.types import (
    Number,
    OrderRequest,
    OrderResult,
    OrderSide,
    OrderStatus,
    OrderType,
    TimeInForce,
    TriggerBy,
)

INVALID_REQUEST = "invalid_request"
"""Reason of a request that cannot be meant, where no core reason is nearer."""


class OrderOptions(TypedDict, total=False):
    """What else an order may say; as in OrderRequest."""

    trigger_price: Number
    trailing_offset: Number
    trailing_offset_bps: int
    portfolio_id: str
    strategy_id: str
    time_in_force: TimeInForce | str
    expire_time: datetime
    post_only: bool
    reduce_only: bool
    trigger_by: TriggerBy | str
    client_order_id: str
    metadata: dict[str, str | int | bool | None]


_lock = Lock()
_engines: list[CryptoTradingEngine] = []
_made_here: list[CryptoTradingEngine] = []


def use_engine(engine: CryptoTradingEngine | None) -> None:
    """Make an engine the default one; None forgets it. One that was made here is closed."""
    with _lock:
        _close_made()
        _engines[:] = [engine] if engine is not None else []


def default_engine() -> CryptoTradingEngine:
    """The engine that the verbs trade through; StoreError when its store cannot be used."""
    with _lock:
        if not _engines:
            engine = CryptoTradingEngine(db_url=default_url())
            _made_here.append(engine)
            _engines.append(engine)
        return _engines[0]


@atexit.register
def _close_made() -> None:
    """Give the store back."""
    while _made_here:
        _made_here.pop().close()


def buy_crypto(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
    **options: Unpack[OrderOptions],
) -> OrderResult:
    """Buy `quantity` of a symbol ("BTC/USDT"); `options` as in OrderOptions."""
    return _trade(OrderSide.BUY, symbol, quantity, exchange, order_type, price, options)


def sell_crypto(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
    **options: Unpack[OrderOptions],
) -> OrderResult:
    """Sell `quantity` of a symbol ("BTC/USDT"); `options` as in OrderOptions."""
    return _trade(OrderSide.SELL, symbol, quantity, exchange, order_type, price, options)


def buy_stocks(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
) -> dict[str, object]:
    """ZVT's `buy_stocks`, for what this engine trades.

    Returns a dict of success, order_id, filled_quantity, avg_fill_price, message and reason.
    """
    return _as_dict(buy_crypto(symbol, quantity, exchange, order_type, price))


def sell_stocks(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
) -> dict[str, object]:
    """ZVT's `sell_stocks`; the same dict as `buy_stocks`."""
    return _as_dict(sell_crypto(symbol, quantity, exchange, order_type, price))


def _trade(
    side: OrderSide,
    symbol: str,
    quantity: Number,
    exchange: str | None,
    order_type: OrderType | str,
    price: Number | None,
    options: OrderOptions,
) -> OrderResult:
    try:
        request = OrderRequest(
            symbol=symbol,
            side=side,
            quantity=quantity,
            exchange=exchange,
            order_type=order_type,
            price=price,
            **options,
        )
    except TypeError as error:  # an option that OrderRequest does not have
        return _invalid(str(error), INVALID_REQUEST)
    try:
        engine = default_engine()
    except StoreError as error:
        return _invalid(str(error), reason_of(Reason.STORE_UNAVAILABLE))
    try:
        return engine.place_order(request)
    except SymbolNotFoundError as error:
        return _invalid(str(error), reason_of(Reason.UNKNOWN_INSTRUMENT))
    except PortfolioNotFoundError as error:
        return _invalid(str(error), reason_of(Reason.UNKNOWN_PORTFOLIO))
    except CallerError as error:
        return _invalid(str(error), INVALID_REQUEST)


def _invalid(message: str, reason: str) -> OrderResult:
    return OrderResult(
        success=False, order_id="", status=OrderStatus.REJECTED, message=message, reason=reason
    )


def _as_dict(result: OrderResult) -> dict[str, object]:
    return {
        "success": result.success,
        "order_id": result.order_id,
        "filled_quantity": result.filled_quantity,
        "avg_fill_price": result.avg_fill_price,
        "message": result.message,
        "reason": result.reason,
    }

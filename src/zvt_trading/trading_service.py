"""ZVT's trading verbs: `buy_stocks`, `sell_stocks`, `buy_crypto`, `sell_crypto`.

They trade through the default engine: the one given to `use_engine`, or one on the built-in
simulated exchanges, made at first need. Bad input is a result with `success=False`, its reason and
a message, never an exception, as the callers of these functions expect.
"""

from decimal import Decimal
from threading import Lock

from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import CallerError
from zvt_trading.types import Number, OrderRequest, OrderResult, OrderSide, OrderStatus, OrderType

_lock = Lock()
_engines: list[CryptoTradingEngine] = []


def use_engine(engine: CryptoTradingEngine | None) -> None:
    """Make an engine the default one; None forgets it."""
    with _lock:
        _engines[:] = [engine] if engine is not None else []


def default_engine() -> CryptoTradingEngine:
    """The engine that the verbs trade through."""
    with _lock:
        if not _engines:
            _engines.append(CryptoTradingEngine())
        return _engines[0]


def buy_crypto(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
    **options: str | bool,
) -> OrderResult:
    """Buy `quantity` of a symbol ("BTC/USDT"); see OrderRequest for the options."""
    return _trade(OrderSide.BUY, symbol, quantity, exchange, order_type, price, options)


def sell_crypto(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
    **options: str | bool,
) -> OrderResult:
    """Sell `quantity` of a symbol ("BTC/USDT"); see OrderRequest for the options."""
    return _trade(OrderSide.SELL, symbol, quantity, exchange, order_type, price, options)


def buy_stocks(
    symbol: str,
    quantity: Number,
    exchange: str | None = None,
    order_type: OrderType | str = OrderType.MARKET,
    price: Number | None = None,
) -> dict[str, object]:
    """ZVT's `buy_stocks`; returns success, order_id, filled_quantity, avg_fill_price, message, reason."""
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
    options: dict[str, str | bool],
) -> OrderResult:
    try:
        request = OrderRequest(
            symbol=symbol,
            side=side,
            quantity=quantity,
            exchange=exchange,
            order_type=order_type,
            price=price,
            **options,  # type: ignore[arg-type]  # OrderRequest itself says which options exist
        )
        return default_engine().place_order(request)
    except (CallerError, TypeError) as error:
        return OrderResult(
            success=False,
            order_id="",
            status=OrderStatus.REJECTED,
            filled_quantity=Decimal(0),
            message=str(error),
            reason="invalid_request",
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

"""Private endpoints of USD-M futures: orders, fills, listen keys (/fapi)."""

import secrets
from collections.abc import Callable
from typing import Final

import msgspec

from zvt_trading.emulator import faults
from zvt_trading.emulator.binance import shapes
from zvt_trading.emulator.binance.asked import KEY, SIGNED, TRADE, Asked, Endpoint
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.errors import error, missing, refused
from zvt_trading.emulator.binance.numbers import ms
from zvt_trading.emulator.orders import Refusal
from zvt_trading.emulator.wire import Json, Reply

_NEW: Final = (
    "symbol side positionSide type timeInForce quantity reduceOnly price newClientOrderId "
    "stopPrice closePosition activationPrice callbackRate workingType priceProtect "
    "newOrderRespType priceMatch selfTradePreventionMode goodTillDate"
)
_FIND: Final = "symbol orderId origClientOrderId"
_WEEK_MS: Final = 7 * 86_400_000
_BATCH: Final = msgspec.json.Decoder(list[dict[str, str]], strict=False)
_BATCH_MAX: Final = 5
_DONE: Final = "The operation of cancel all open order is done."


class Futures:
    """Answers of one house. `listen_keys` to the account that each is for."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk
        self._house: Final = desk.house
        self.listen_keys: dict[str, str] = {}

    def endpoints(self) -> list[Endpoint]:
        """All of them."""
        return [
            Endpoint("POST", "/fapi/v1/order", self.new_order, TRADE, _NEW,
                     kind=faults.PLACE, orders=1, weight=0),
            Endpoint("POST", "/fapi/v1/order/test", self.test_order, TRADE, _NEW),
            Endpoint("GET", "/fapi/v1/order", self.order, SIGNED, _FIND, kind=faults.QUERY),
            Endpoint("PUT", "/fapi/v1/order", self.amend, TRADE,
                     f"{_FIND} side quantity price priceMatch", kind=faults.AMEND, orders=1),
            Endpoint("DELETE", "/fapi/v1/order", self.cancel, TRADE, _FIND, kind=faults.CANCEL),
            Endpoint("DELETE", "/fapi/v1/allOpenOrders", self.cancel_all, TRADE, "symbol",
                     kind=faults.CANCEL),
            Endpoint("POST", "/fapi/v1/batchOrders", self.new_batch, TRADE, "batchOrders",
                     kind=faults.PLACE, orders=1, weight=5),
            Endpoint("DELETE", "/fapi/v1/batchOrders", self.cancel_batch, TRADE,
                     "symbol orderIdList origClientOrderIdList", kind=faults.CANCEL),
            Endpoint("GET", "/fapi/v1/openOrder", self.open_order, SIGNED, _FIND,
                     kind=faults.QUERY),
            Endpoint("GET", "/fapi/v1/openOrders", self.open_orders, SIGNED, "symbol",
                     kind=faults.OPEN_ORDERS),
            Endpoint("GET", "/fapi/v1/allOrders", self.all_orders, SIGNED,
                     "symbol orderId startTime endTime limit", kind=faults.QUERY, weight=5),
            Endpoint("GET", "/fapi/v1/userTrades", self.user_trades, SIGNED,
                     "symbol orderId startTime endTime fromId limit",
                     kind=faults.FILLS, weight=5),
            Endpoint("POST", "/fapi/v1/algoOrder", self.no_stops, TRADE,
                     f"{_NEW} algoType triggerPrice clientAlgoId"),
            Endpoint("GET", "/fapi/v1/openAlgoOrders", self.nothing, SIGNED,
                     "algoType symbol algoId", kind=faults.OPEN_ORDERS),
            Endpoint("DELETE", "/fapi/v1/algoOpenOrders", self.cancel_all_stops, TRADE, "symbol"),
            Endpoint("POST", "/fapi/v1/listenKey", self.make_listen_key, KEY),
            Endpoint("PUT", "/fapi/v1/listenKey", self.keep_listen_key, KEY, "listenKey"),
            Endpoint("DELETE", "/fapi/v1/listenKey", self.drop_listen_key, KEY, "listenKey"),
        ]  # fmt: skip

    # Orders.

    def new_order(self, asked: Asked) -> Json:
        """ACK says NEW whatever happened, RESULT how it stands."""
        if asked.text("positionSide", "BOTH") != "BOTH":
            raise error(-4061, "Order's position side does not match user's setting.")
        order = self._desk.place(asked.account, self._desk.ask(asked))
        shape = shapes.linear_order(order, is_answer=True)
        if asked.text("newOrderRespType", "ACK") == "ACK":
            zero = dict.fromkeys(("executedQty", "cumQty", "cumQuote"), "0")
            shape |= {**zero, "avgPrice": "0.00", "status": "NEW"}
        return shape

    def test_order(self, asked: Asked) -> Json:
        """Only the parameters are looked at."""
        self._desk.ask(asked)
        return {}

    def order(self, asked: Asked) -> Json:
        """One order."""
        return shapes.linear_order(self._desk.known_order(asked))

    def open_order(self, asked: Asked) -> Json:
        """One order that is open."""
        order = self._desk.known_order(asked)
        if not order.is_open:
            raise error(-2013, "Order does not exist.")
        return shapes.linear_order(order)

    def amend(self, asked: Asked) -> Json:
        """Another price and total quantity; both must be sent."""
        order = self._desk.open_order(asked)
        instrument = order.instrument
        price = asked.scaled("price", instrument.price_scale)
        quantity = asked.scaled("quantity", instrument.quantity_scale)
        if not price or not quantity:
            raise missing("price" if not price else "quantity")
        if asked.needed("side") != shapes.side(order):
            raise error(-1117, "Invalid side.")
        if price == order.price and quantity == order.quantity:
            raise error(-5027, "No need to modify the order.")
        try:
            self._house.amend(order, price, quantity)
        except Refusal as refusal:
            raise refused(refusal, is_spot=False) from None
        return shapes.linear_order(order, is_answer=True)

    def cancel(self, asked: Asked) -> Json:
        """One order."""
        order = self._desk.open_order(asked)
        self._desk.cancel(order, order.client_id)
        return shapes.linear_order(order, is_answer=True)

    def cancel_all(self, asked: Asked) -> Json:
        """All of a symbol; done also when there are none."""
        instrument = self._desk.instrument(asked)
        for order in self._house.open_orders(asked.account, instrument.symbol):
            self._desk.cancel(order, order.client_id)
        return {"code": 200, "msg": _DONE}

    def new_batch(self, asked: Asked) -> Json:
        """Up to five orders as a JSON list, each with an answer of its own."""
        try:
            wanted = _BATCH.decode(asked.needed("batchOrders"))
        except msgspec.MsgspecError:
            raise missing("batchOrders") from None
        if not 1 <= len(wanted) <= _BATCH_MAX:
            raise error(-4082, "Invalid number of batch place orders.")
        return [_each(self.new_order, Asked(params, asked.key)) for params in wanted]

    def cancel_batch(self, asked: Asked) -> Json:
        """Up to ten, each with an answer of its own."""
        name = "orderIdList" if asked.text("orderIdList") else "origClientOrderIdList"
        ids = [part.strip(' "') for part in asked.needed(name).strip("[]").split(",")]
        one = "orderId" if name == "orderIdList" else "origClientOrderId"
        answers: list[Json] = []
        for order_id in ids[:10]:
            params = {"symbol": asked.needed("symbol"), one: order_id}
            answers.append(_each(self.cancel, Asked(params, asked.key)))
        return answers

    def open_orders(self, asked: Asked) -> Json:
        """Oldest first."""
        return [shapes.linear_order(order) for order in self._desk.open_orders(asked)]

    def all_orders(self, asked: Asked) -> Json:
        """Oldest first."""
        return [shapes.linear_order(order) for order in self._desk.orders(asked)]

    def user_trades(self, asked: Asked) -> Json:
        """Fills, oldest first; by times at most a week's, without any the last week's."""
        symbol = self._desk.instrument(asked).symbol if asked.text("symbol") else ""
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        if start and end and end - start > _WEEK_MS:
            raise error(-4165, "Invalid time interval: at most 7 days.")
        if asked.text("fromId") and (start or end):
            raise error(-1128, "Combination of optional parameters invalid.")
        trades = [
            (int(fill.trade_id), ms(fill.ts), order, fill)
            for order in self._house.orders_of(asked.account, symbol)
            if not order.instrument.is_spot
            for fill in order.fills
            if asked.text("orderId") in {"", order.id}
        ]
        trades.sort(key=lambda trade: trade[0])
        limit = asked.limit(500, 1_000)
        if asked.text("fromId"):
            first = asked.number("fromId", 0)
            trades = [trade for trade in trades if trade[0] >= first][:limit]
        else:
            now = self._house.clock.now_ms()
            start = start or (end or now) - _WEEK_MS
            end = end or start + _WEEK_MS
            trades = [trade for trade in trades if start <= trade[1] <= end]
            trades = trades[:limit] if asked.text("startTime") else trades[-limit:]
        return [shapes.linear_trade(order, fill) for _, _, order, fill in trades]

    # Stops are held by the engine, not by this exchange.

    def no_stops(self, _asked: Asked) -> Json:
        """Conditional orders are not offered."""
        raise error(-1116, "Invalid orderType.")

    def nothing(self, _asked: Asked) -> Json:
        """No conditional orders."""
        return []

    def cancel_all_stops(self, asked: Asked) -> Json:
        """There are none."""
        self._desk.instrument(asked)
        return {"code": 200, "msg": _DONE}

    # Listen keys.

    def make_listen_key(self, asked: Asked) -> Json:
        """The account's, or a new one."""
        for name, account in self.listen_keys.items():
            if account == asked.account:
                return {"listenKey": name}
        name = secrets.token_hex(32)
        self.listen_keys[name] = asked.account
        return {"listenKey": name}

    def keep_listen_key(self, asked: Asked) -> Json:
        """Valid for another hour."""
        if asked.account not in self.listen_keys.values():
            raise error(-1125, "This listenKey does not exist.")
        return self.make_listen_key(asked)

    def drop_listen_key(self, asked: Asked) -> Json:
        """No longer valid."""
        for name in [n for n, account in self.listen_keys.items() if account == asked.account]:
            del self.listen_keys[name]
        return {}


def _each(handler: Callable[[Asked], Json], asked: Asked) -> Json:
    """One answer of a batch."""
    try:
        return handler(asked)
    except Reply as reply:
        return reply.body

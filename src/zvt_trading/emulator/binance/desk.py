"""Orders of both markets: from a request's parameters to the house, by Binance's rules."""

import re
from dataclasses import dataclass
from typing import Final

from zvt_trading.core.instrument import Instrument
from zvt_trading.emulator.binance.asked import Asked
from zvt_trading.emulator.binance.errors import error, missing, refused
from zvt_trading.emulator.binance.numbers import EIGHT, native
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import Ask, HouseOrder, Refusal
from zvt_trading.messages.codes import BUY, FOK, GTC, GTD, IOC, LIMIT, MARKET, SELL
from zvt_trading.messages.reasons import Reason

SPOT_ID_RULE: Final = r"^[a-zA-Z0-9-_]{1,36}$"
LINEAR_ID_RULE: Final = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_SIDES: Final = {"BUY": BUY, "SELL": SELL}
_TIFS: Final = {"GTC": GTC, "IOC": IOC, "FOK": FOK}
_GTD_MIN_MS: Final = 600_000
"""Futures: goodTillDate must be more than 600 seconds ahead."""


@dataclass(slots=True)
class _Terms:
    """How long an order works."""

    type: int
    tif: int
    post_only: bool
    expire_ts: int = 0


class Desk:
    """Of one market: spot or USD-M."""

    def __init__(self, house: House, *, is_spot: bool) -> None:
        self.house: Final = house
        self.is_spot: Final = is_spot
        self.instruments: Final = {
            native(symbol): instrument
            for symbol, instrument in house.instruments.items()
            if instrument.is_spot == is_spot
        }
        self.cancel_ids: dict[str, str] = {}  # order id: client id of its cancel
        self._made_ids = 0

    def instrument(self, asked: Asked, name: str = "symbol") -> Instrument:
        """Of a mandatory parameter."""
        found = self.instruments.get(asked.needed(name))
        if found is None:
            raise error(-1121, "Invalid symbol.")
        return found

    def instruments_of(self, asked: Asked) -> list[Instrument]:
        """Of an optional parameter `symbol`, else all."""
        return [self.instrument(asked)] if asked.text("symbol") else [*self.instruments.values()]

    def client_id(self, asked: Asked, name: str = "newClientOrderId") -> str:
        """One that was sent, checked; else one of our making."""
        text = asked.text(name)
        if not text:
            self._made_ids += 1
            return f"auto{'S' if self.is_spot else 'F'}{self._made_ids:017d}"
        rule = SPOT_ID_RULE if self.is_spot else LINEAR_ID_RULE
        if not re.match(rule, text):
            raise error(
                -1100, f"Illegal characters found in parameter '{name}'; legal range is '{rule}'."
            )
        return text

    def ask(self, asked: Asked) -> Ask:
        """A new order as it was asked for; Reply when it makes no sense."""
        instrument = self.instrument(asked)
        side = _SIDES.get(asked.needed("side"))
        if side is None:
            raise error(-1117, "Invalid side.")
        terms = self._terms(asked)
        client_id = self.client_id(asked)
        quantity = asked.scaled("quantity", instrument.quantity_scale)
        quote = asked.scaled("quoteOrderQty", EIGHT)
        if terms.type == MARKET and asked.text("price"):
            raise error(-1106, "Parameter 'price' sent when not required.")
        if quote and (terms.type != MARKET or quantity):
            raise error(-1106, "Parameter 'quoteOrderQty' sent when not required.")
        if not quantity and not quote:
            raise missing("quantity")
        price = asked.scaled("price", instrument.price_scale)
        if terms.type == LIMIT and not asked.text("price"):
            raise missing("price")
        return Ask(
            instrument, side, terms.type, quantity, client_id=client_id, price=price,
            tif=terms.tif, post_only=terms.post_only, reduce_only=asked.flag("reduceOnly"),
            expire_ts=terms.expire_ts, quote_quantity=quote,
        )  # fmt: skip

    def place(self, account: str, ask: Ask) -> HouseOrder:
        """Into the market; a client order id must be unique among the open orders."""
        former = self.house.by_client.get((account, ask.client_id))
        if former is not None and former.is_open and former.instrument.is_spot == self.is_spot:
            if self.is_spot:
                raise error(-2010, "Duplicate order sent.")
            raise error(-4116, "ClientOrderId is duplicated.")
        try:
            return self.house.place(account, ask)
        except Refusal as refusal:
            if self.is_spot and refusal.reason == Reason.VENUE_FILL_OR_KILL:
                # Spot takes a FOK that cannot be filled, and lets it expire.
                return self.house.place_ended(account, ask, refusal.reason)
            raise refused(refusal, is_spot=self.is_spot) from None

    def cancel(self, order: HouseOrder, cancel_id: str) -> None:
        """Take back; Reply when it is not open."""
        self.cancel_ids[order.id] = cancel_id
        try:
            self.house.cancel(order)
        except Refusal as refusal:
            raise refused(refusal, is_spot=self.is_spot) from None

    def find(self, asked: Asked) -> HouseOrder | None:
        """By orderId, else by origClientOrderId."""
        instrument = self.instrument(asked)
        order_id, client_id = asked.text("orderId"), asked.text("origClientOrderId")
        if not order_id and not client_id:
            raise error(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            )
        order = self.house.find(asked.account, order_id, "" if order_id else client_id)
        return order if order is not None and order.instrument is instrument else None

    def open_order(self, asked: Asked) -> HouseOrder:
        """An order that can be cancelled or amended."""
        order = self.find(asked)
        if order is None or not order.is_open:
            raise error(-2011, "Unknown order sent.")
        return order

    def known_order(self, asked: Asked) -> HouseOrder:
        """An order that was ever taken."""
        order = self.find(asked)
        if order is None:
            raise error(-2013, "Order does not exist.")
        return order

    def orders(self, asked: Asked) -> list[HouseOrder]:
        """allOrders: from orderId, or between times, else the latest."""
        instrument = self.instrument(asked)
        limit = asked.limit(500, 1_000)
        orders = self.house.orders_of(asked.account, instrument.symbol)
        from_id = asked.number("orderId", 0)
        if from_id:
            return [order for order in orders if int(order.id) >= from_id][:limit]
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        if start or end:
            return [
                order
                for order in orders
                if start <= order.created_ts // NS_A_MS <= (end or order.created_ts)
            ][:limit]
        return orders[-limit:]

    def open_orders(self, asked: Asked) -> list[HouseOrder]:
        """Of one symbol or of all."""
        return [
            order
            for instrument in self.instruments_of(asked)
            for order in self.house.open_orders(asked.account, instrument.symbol)
        ]

    def _terms(self, asked: Asked) -> _Terms:
        type_, tif = asked.needed("type"), asked.text("timeInForce")
        if type_ == "MARKET":
            if tif:
                raise error(-1106, "Parameter 'timeInForce' sent when not required.")
            return _Terms(MARKET, GTC, post_only=False)
        if type_ == "LIMIT_MAKER" and self.is_spot:
            if tif:
                raise error(-1106, "Parameter 'timeInForce' sent when not required.")
            return _Terms(LIMIT, GTC, post_only=True)
        if type_ != "LIMIT":
            raise error(-1116, "Invalid orderType.")
        if not tif:
            raise missing("timeInForce")
        if not self.is_spot and tif == "GTX":
            return _Terms(LIMIT, GTC, post_only=True)
        if not self.is_spot and tif == "GTD":
            return _Terms(LIMIT, GTD, post_only=False, expire_ts=self._good_till(asked))
        if tif not in _TIFS:
            raise error(-1115, "Invalid timeInForce.")
        return _Terms(LIMIT, _TIFS[tif], post_only=False)

    def _good_till(self, asked: Asked) -> int:
        until = asked.number("goodTillDate", 0)
        if until <= self.house.clock.now_ms() + _GTD_MIN_MS:
            raise error(-5040, "The goodTillDate is incorrect, it should be later than 600s.")
        return until // 1000 * 1000 * NS_A_MS

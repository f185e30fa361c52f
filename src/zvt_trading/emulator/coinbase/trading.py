"""Orders: create, cancel, edit, preview, and the queries about orders and fills."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.coinbase import asked, shapes
from zvt_trading.emulator.coinbase.errors import (
    NotPlaced,
    failure,
    invalid,
    no_such_order,
    not_placed,
)
from zvt_trading.emulator.coinbase.market import Shape, best_texts, side_name, size_text
from zvt_trading.emulator.coinbase.names import (
    house_id_of,
    order_uuid,
    plain,
    product_of,
    symbol_of,
)
from zvt_trading.emulator.coinbase.public import count_of, time_of, values_of
from zvt_trading.emulator.feed import Feed
from zvt_trading.emulator.house import House
from zvt_trading.emulator.orders import HouseOrder, Refusal
from zvt_trading.emulator.wire import Call
from zvt_trading.messages.codes import GTC, LIMIT
from zvt_trading.messages.reasons import Reason

ORDERS_DEFAULT: Final = 100
ORDERS_MAX: Final = 1_000
FILLS_DEFAULT: Final = 100
FILLS_MAX: Final = 3_000
OPEN_FILTER: Final = "OPEN"
NO_CANCEL_FAILURE: Final = "UNKNOWN_CANCEL_FAILURE_REASON"
NO_EDIT_FAILURE: Final = "UNKNOWN_EDIT_ORDER_FAILURE_REASON"
NO_PREVIEW_FAILURE: Final = "UNKNOWN_PREVIEW_FAILURE_REASON"
_EDIT_FAILURES: Final = {
    int(Reason.VENUE_FILTER): "INVALID_EDITED_PRICE",
    int(Reason.VENUE_BALANCE): "COMMANDER_REJECTED_EDIT_ORDER",
    int(Reason.VENUE_POST_ONLY): "INVALID_EDITED_PRICE",
    int(Reason.VENUE_UNKNOWN_ORDER): "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
}


class TradingRest:
    """Handlers; `account` is the one that the key signs for."""

    def __init__(self, house: House, feed: Feed) -> None:
        self._house = house
        self._feed = feed

    def create(self, account: str, call: Call) -> Shape:
        """A new order; the old one when the client order id was used before."""
        body = call.json()
        client_id = asked.client_id(body)
        instrument = self._house.instruments.get(symbol_of(str(body.get("product_id"))))
        if instrument is None:
            raise invalid("valid product_id is required")
        configuration = body.get("order_configuration")
        order = self._house.by_client.get((account, client_id))
        if order is None:
            try:
                order = self._house.place(account, asked.ask_of(body, instrument))
            except Refusal as refusal:
                return failure(not_placed(refusal), configuration)
            except NotPlaced as why:
                return failure(why, configuration)
        return {
            "success": True,
            "failure_reason": "UNKNOWN_FAILURE_REASON",
            "order_id": order_uuid(order.id),
            "success_response": {
                "order_id": order_uuid(order.id),
                "product_id": product_of(order.instrument.symbol),
                "side": side_name(order.side),
                "client_order_id": client_id,
                "attached_order_id": "",
            },
            "order_configuration": configuration,
        }

    def preview(self, account: str, call: Call) -> Shape:
        """What an order would cost; nothing is placed, and balances are not looked at."""
        del account
        body = call.json() | {"client_order_id": "preview"}
        instrument = self._house.instruments.get(symbol_of(str(body.get("product_id"))))
        if instrument is None:
            raise invalid("valid product_id is required")
        errors: list[str] = []
        try:
            ask = asked.ask_of(body, instrument)
            base, spent = (
                ask.quantity,
                ask.quote_quantity or instrument.value(ask.price, ask.quantity),
            )
        except NotPlaced as why:
            errors.append(why.preview)
            base = spent = 0
        bid, offer = best_texts(self._feed.symbols[instrument.symbol])
        total = plain(format_scaled(spent, instrument.settle_scale))
        return {
            "order_total": total,
            "commission_total": "0",
            "errs": errors,
            "warning": [],
            "quote_size": total,
            "base_size": plain(size_text(instrument, base)),
            "best_bid": bid,
            "best_ask": offer,
            "is_max": False,
            "order_margin_total": "0",
            "leverage": "",
            "long_leverage": "",
            "short_leverage": "",
            "slippage": "0",
        }

    def cancel(self, account: str, call: Call) -> Shape:
        """Take several orders back; each has a result of its own."""
        ids = call.json().get("order_ids")
        if not isinstance(ids, list) or not ids:
            raise invalid("order_ids must not be empty")
        return {"results": [self._cancelled(account, str(one)) for one in ids]}

    def _cancelled(self, account: str, order_id: str) -> Shape:
        order = self._house.find(account, house_id_of(order_id) or "none")
        why = NO_CANCEL_FAILURE
        if order is None:
            why = "UNKNOWN_CANCEL_ORDER"
        elif not order.is_open:
            why = (
                "ORDER_IS_FULLY_FILLED"
                if order.filled == order.quantity
                else "UNKNOWN_CANCEL_ORDER"
            )
        else:
            self._house.cancel(order)
        return {"success": why == NO_CANCEL_FAILURE, "failure_reason": why, "order_id": order_id}

    def edit(self, account: str, call: Call) -> Shape:
        """Another price and total size of a limit order that is good till cancelled."""
        body = call.json()
        order = self._house.find(account, house_id_of(str(body.get("order_id"))) or "none")
        if order is None:
            return _not_edited("ORDER_NOT_FOUND")
        if order.type != LIMIT or order.tif != GTC:
            return _not_edited("ONLY_LIMIT_ORDER_EDITS_SUPPORTED")
        instrument = order.instrument
        try:
            price = asked.price_of(body, "price", instrument) if body.get("price") else 0
            size = asked.size_of(body, "size", instrument) if body.get("size") else 0
            if size and size <= order.filled:
                return _not_edited("CANNOT_EDIT_TO_BELOW_FILLED_SIZE")
            self._house.amend(order, price, size)
        except NotPlaced as why:
            return _not_edited("INVALID_EDITED_PRICE", why.preview)
        except Refusal as refusal:
            reason = _EDIT_FAILURES.get(refusal.reason, "COMMANDER_REJECTED_EDIT_ORDER")
            return _not_edited(reason, not_placed(refusal).preview)
        return {"success": True, "errors": []}

    def order(self, account: str, call: Call) -> Shape:
        """One order by Coinbase's id; there is no other way to ask for one."""
        found = self._house.find(account, house_id_of(call.parts["order_id"]) or "none")
        if found is None:
            raise no_such_order()
        return {"order": shapes.rest_order(found)}

    def orders(self, account: str, call: Call) -> Shape:
        """A page of orders, newest first."""
        statuses = values_of(call, "order_status")
        if OPEN_FILTER in statuses and len(statuses) > 1:
            raise invalid("cannot query open orders with other order statuses")
        wanted = {house_id_of(one) for one in values_of(call, "order_ids")}
        products = values_of(call, "product_id", "product_ids")
        begin, end = time_of(call, "start_date", 0), time_of(call, "end_date", 1 << 63)

        def is_asked(order: HouseOrder) -> bool:
            return (
                (not statuses or shapes.STATUSES[order.life] in statuses)
                and (not wanted or order.id in wanted)
                and (not products or product_of(order.instrument.symbol) in products)
                and begin <= order.created_ts < end
            )

        known = [order for order in self._house.orders_of(account) if is_asked(order)]
        page, cursor = _page(
            known[::-1], call, count_of(call, ORDERS_DEFAULT, ORDERS_MAX), lambda order: order.id
        )
        return {
            "orders": [shapes.rest_order(order) for order in page],
            "sequence": "0",
            "has_next": bool(cursor),
            "cursor": cursor,
        }

    def fills(self, account: str, call: Call) -> Shape:
        """A page of fills, newest first."""
        wanted = {house_id_of(one) for one in values_of(call, "order_id", "order_ids")}
        trades = values_of(call, "trade_ids")
        products = values_of(call, "product_id", "product_ids")
        begin = time_of(call, "start_sequence_timestamp", 0)
        end = time_of(call, "end_sequence_timestamp", 1 << 63)
        known = [
            (order, fill)
            for order in self._house.orders_of(account)
            for fill in order.fills
            if (not wanted or order.id in wanted)
            and (not trades or fill.trade_id in trades)
            and (not products or product_of(order.instrument.symbol) in products)
            and begin <= fill.ts <= end
        ]
        known.sort(key=lambda pair: pair[1].ts, reverse=True)
        page, cursor = _page(
            known,
            call,
            count_of(call, FILLS_DEFAULT, FILLS_MAX),
            lambda pair: f"{pair[0].instrument.symbol} {pair[1].trade_id}",
        )
        return {"fills": [shapes.fill_shape(*pair) for pair in page], "cursor": cursor}


def _not_edited(reason: str, preview: str = NO_PREVIEW_FAILURE) -> Shape:
    error = {"edit_failure_reason": reason, "preview_failure_reason": preview}
    return {"success": False, "errors": [error]}


def _page(
    rows: Sequence[Any], call: Call, count: int, name: Callable[[Any], str]
) -> tuple[Sequence[Any], str]:
    """The rows after the one that `cursor` names, and the cursor of the next page ("": no more)."""
    cursor = call.query.get("cursor", "")
    begin = 0
    if cursor:
        names = [name(row) for row in rows]
        if cursor not in names:
            raise invalid("invalid cursor")
        begin = names.index(cursor) + 1
    page = rows[begin : begin + count]
    is_more = begin + count < len(rows)
    return page, name(page[-1]) if is_more else ""

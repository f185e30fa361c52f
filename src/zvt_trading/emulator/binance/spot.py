"""Private endpoints of the spot market and of the account (/api/v3, /sapi)."""

import datetime as dt
from typing import Final

from zvt_trading.emulator import faults
from zvt_trading.emulator.binance import shapes
from zvt_trading.emulator.binance.asked import SIGNED, TRADE, Asked, Endpoint
from zvt_trading.emulator.binance.desk import Desk
from zvt_trading.emulator.binance.errors import error, missing, refused
from zvt_trading.emulator.binance.numbers import (
    EIGHT,
    fixed,
    money,
    ms,
    native,
    quantity_text,
)
from zvt_trading.emulator.binance.wallets import spot_wallet
from zvt_trading.emulator.house import Transfer
from zvt_trading.emulator.orders import HouseOrder, Refusal
from zvt_trading.emulator.wire import Json, Reply

_NEW: Final = (
    "symbol side type timeInForce quantity quoteOrderQty price newClientOrderId strategyId "
    "strategyType stopPrice trailingDelta icebergQty newOrderRespType selfTradePreventionMode "
    "pegPriceType pegOffsetValue pegOffsetType"
)
_CANCEL_REPLACE: Final = (
    f"{_NEW} cancelReplaceMode cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId "
    "cancelRestrictions orderRateLimitExceededMode"
)
_DAY_MS: Final = 86_400_000


class Spot:
    """Answers of one house."""

    def __init__(self, desk: Desk) -> None:
        self._desk: Final = desk
        self._house: Final = desk.house

    def endpoints(self) -> list[Endpoint]:
        """All of them."""
        find = "symbol orderId origClientOrderId"
        return [
            Endpoint("POST", "/api/v3/order", self.new_order, TRADE, _NEW,
                     kind=faults.PLACE, orders=1),
            Endpoint("POST", "/api/v3/order/test", self.test_order, TRADE,
                     f"{_NEW} computeCommissionRates"),
            Endpoint("GET", "/api/v3/order", self.order, SIGNED, find,
                     kind=faults.QUERY, weight=4),
            Endpoint("DELETE", "/api/v3/order", self.cancel, TRADE,
                     f"{find} newClientOrderId cancelRestrictions", kind=faults.CANCEL),
            Endpoint("POST", "/api/v3/order/cancelReplace", self.cancel_replace, TRADE,
                     _CANCEL_REPLACE, kind=faults.AMEND, orders=1),
            Endpoint("PUT", "/api/v3/order/amend/keepPriority", self.amend, TRADE,
                     f"{find} newClientOrderId newQty", kind=faults.AMEND, weight=4),
            Endpoint("GET", "/api/v3/openOrders", self.open_orders, SIGNED, "symbol",
                     kind=faults.OPEN_ORDERS, weight=6),
            Endpoint("DELETE", "/api/v3/openOrders", self.cancel_all, TRADE, "symbol",
                     kind=faults.CANCEL),
            Endpoint("GET", "/api/v3/allOrders", self.all_orders, SIGNED,
                     "symbol orderId startTime endTime limit", kind=faults.QUERY, weight=20),
            Endpoint("GET", "/api/v3/myTrades", self.my_trades, SIGNED,
                     "symbol orderId startTime endTime fromId limit",
                     kind=faults.FILLS, weight=20),
            Endpoint("GET", "/api/v3/account", self.account, SIGNED, "omitZeroBalances",
                     kind=faults.BALANCE, weight=20),
            Endpoint("GET", "/api/v3/account/commission", self.commission, SIGNED, "symbol",
                     weight=20),
            Endpoint("GET", "/sapi/v1/account/apiRestrictions", self.restrictions, SIGNED),
            Endpoint("GET", "/sapi/v1/asset/tradeFee", self.trade_fees, SIGNED, "symbol"),
            Endpoint("GET", "/sapi/v1/capital/config/getall", self.coins, SIGNED),
            Endpoint("GET", "/sapi/v1/margin/allPairs", self.nothing, SIGNED, "symbol"),
            Endpoint("GET", "/sapi/v1/margin/isolated/allPairs", self.nothing, SIGNED, "symbol"),
            Endpoint("GET", "/sapi/v1/capital/deposit/hisrec", self.deposits, SIGNED,
                     "includeSource coin status startTime endTime offset limit txId"),
            Endpoint("GET", "/sapi/v1/capital/withdraw/history", self.withdrawals, SIGNED,
                     "coin withdrawOrderId status offset limit idList startTime endTime"),
        ]  # fmt: skip

    # Orders.

    def new_order(self, asked: Asked) -> Json:
        """FULL for MARKET and LIMIT when nothing else is asked for, ACK for the rest."""
        ask = self._desk.ask(asked)
        usual = "ACK" if asked.text("type") == "LIMIT_MAKER" else "FULL"
        order = self._desk.place(asked.account, ask)
        return shapes.spot_new(order, asked.text("newOrderRespType", usual))

    def test_order(self, asked: Asked) -> Json:
        """Only the parameters are looked at."""
        self._desk.ask(asked)
        return {}

    def order(self, asked: Asked) -> Json:
        """One order."""
        return shapes.spot_order(self._desk.known_order(asked))

    def cancel(self, asked: Asked) -> Json:
        """One order."""
        return self._cancelled(self._desk.open_order(asked), self._desk.client_id(asked))

    def cancel_all(self, asked: Asked) -> Json:
        """All of a symbol; an error when there are none."""
        instrument = self._desk.instrument(asked)
        orders = self._house.open_orders(asked.account, instrument.symbol)
        if not orders:
            raise error(-2011, "Unknown order sent.")
        return [self._cancelled(order, self._desk.client_id(asked)) for order in orders]

    def cancel_replace(self, asked: Asked) -> Json:
        """Cancel, then a new order; with STOP_ON_FAILURE not without the cancel."""
        finder = {
            "symbol": asked.needed("symbol"),
            "orderId": asked.text("cancelOrderId"),
            "origClientOrderId": asked.text("cancelOrigClientOrderId"),
        }
        cancelled: Json = None
        try:
            old = self._desk.open_order(Asked(finder, asked.key))
            cancelled = self._cancelled(old, self._desk.client_id(asked, "cancelNewClientOrderId"))
        except Reply as reply:
            if asked.needed("cancelReplaceMode") == "STOP_ON_FAILURE":
                raise _half_done(-2022, "Order cancel-replace failed.", reply.body, None) from None
            cancelled = reply.body
        try:
            made = self.new_order(asked)
        except Reply as reply:
            text = "Order cancel-replace partially failed."
            raise _half_done(-2021, text, cancelled, reply.body, status=409) from None
        return {
            "cancelResult": "SUCCESS",
            "newOrderResult": "SUCCESS",
            "cancelResponse": cancelled,
            "newOrderResponse": made,
        }

    def amend(self, asked: Asked) -> Json:
        """A smaller quantity, without losing the place in the queue."""
        order = self._desk.open_order(asked)
        client_id = asked.text("newClientOrderId", order.client_id)
        quantity = asked.scaled("newQty", order.instrument.quantity_scale)
        if not quantity:
            raise missing("newQty")
        if quantity >= order.quantity or quantity <= order.filled:
            raise error(-2038, "The new quantity must be less than the order's and not filled.")
        if client_id != order.client_id:
            raise error(-2038, "The emulator keeps the client order id: send it as it is.")
        try:
            self._house.amend(order, 0, quantity)
        except Refusal as refusal:
            raise refused(refusal, is_spot=True) from None
        return {
            "transactTime": ms(order.updated_ts),
            "executionId": self._house.changes,
            "amendedOrder": _amended(order),
        }

    def open_orders(self, asked: Asked) -> Json:
        """Oldest first."""
        return [shapes.spot_order(order) for order in self._desk.open_orders(asked)]

    def all_orders(self, asked: Asked) -> Json:
        """Oldest first."""
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        _check_day(start, end)
        return [shapes.spot_order(order) for order in self._desk.orders(asked)]

    def my_trades(self, asked: Asked) -> Json:
        """Fills of a symbol, oldest first; by times at most a day's."""
        instrument = self._desk.instrument(asked)
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        _check_day(start, end)
        if asked.text("fromId") and (start or end):
            raise error(-1128, "Combination of optional parameters invalid.")
        trades = [
            (int(fill.trade_id), ms(fill.ts), order, fill)
            for order in self._house.orders_of(asked.account, instrument.symbol)
            for fill in order.fills
            if asked.text("orderId") in {"", order.id}
        ]
        trades.sort(key=lambda trade: trade[0])
        limit = asked.limit(500, 1_000)
        if start or end:
            start = start or end - _DAY_MS
            end = end or start + _DAY_MS
            trades = [trade for trade in trades if start <= trade[1] <= end][:limit]
        elif asked.text("fromId"):
            first = asked.number("fromId", 0)
            trades = [trade for trade in trades if trade[0] >= first][:limit]
        return [shapes.spot_trade(order, fill) for _, _, order, fill in trades[-limit:]]

    # The account.

    def account(self, asked: Asked) -> Json:
        """Balances, rates and permissions."""
        rates = next(iter(self._desk.instruments.values()))
        key = asked.key
        return {
            "makerCommission": rates.maker_fee // 10_000,
            "takerCommission": rates.taker_fee // 10_000,
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {
                "maker": fixed(rates.maker_fee, EIGHT, EIGHT),
                "taker": fixed(rates.taker_fee, EIGHT, EIGHT),
                "buyer": "0.00000000",
                "seller": "0.00000000",
            },
            "canTrade": key is not None and key.can_trade,
            "canWithdraw": key is not None and key.can_withdraw,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._house.clock.now_ms(),
            "accountType": "SPOT",
            "balances": [
                {"asset": view.asset, "free": money(view.free), "locked": money(view.locked)}
                for view in spot_wallet(self._house, asked.account)
                if view.total or not asked.flag("omitZeroBalances")
            ],
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def commission(self, asked: Asked) -> Json:
        """What fills of a symbol cost."""
        instrument = self._desk.instrument(asked)
        maker = fixed(instrument.maker_fee, EIGHT, EIGHT)
        taker = fixed(instrument.taker_fee, EIGHT, EIGHT)
        none = dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        return {
            "symbol": native(instrument.symbol),
            "standardCommission": {**none, "maker": maker, "taker": taker},
            "specialCommission": none,
            "taxCommission": none,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": "0.25000000",
            },
        }

    def trade_fees(self, asked: Asked) -> Json:
        """Of one symbol or all."""
        return [
            {
                "symbol": native(instrument.symbol),
                "makerCommission": fixed(instrument.maker_fee, EIGHT, 4),
                "takerCommission": fixed(instrument.taker_fee, EIGHT, 4),
            }
            for instrument in self._desk.instruments_of(asked)
        ]

    def restrictions(self, asked: Asked) -> Json:
        """What the key may do."""
        key = asked.key
        trades = key is not None and key.can_trade
        return {
            "ipRestrict": key is not None and key.is_ip_restricted,
            "createTime": 1_698_645_219_000,
            "enableReading": True,
            "enableWithdrawals": key is not None and key.can_withdraw,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": trades,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": True,
            "enableSpotAndMarginTrading": trades,
            "enablePortfolioMarginTrading": False,
        }

    def coins(self, _asked: Asked) -> Json:
        """The assets, without networks: nothing can be deposited here."""
        names = sorted({i.base for i in self._desk.instruments.values()} | {"USDT"})
        return [
            {
                "coin": name,
                "depositAllEnable": True,
                "withdrawAllEnable": True,
                "name": name,
                "free": "0",
                "locked": "0",
                "freeze": "0",
                "withdrawing": "0",
                "ipoing": "0",
                "ipoable": "0",
                "storage": "0",
                "isLegalMoney": False,
                "trading": True,
                "networkList": [],
            }
            for name in names
        ]

    def nothing(self, _asked: Asked) -> Json:
        """Margin pairs: none."""
        return []

    def deposits(self, asked: Asked) -> Json:
        """Newest first."""
        return [
            {
                "id": transfer.id,
                "amount": money(transfer.amount),
                "coin": transfer.asset,
                "network": "EMULATOR",
                "status": 1,
                "address": "",
                "addressTag": "",
                "txId": f"deposit-{transfer.id}",
                "insertTime": ms(transfer.ts),
                "completeTime": ms(transfer.ts),
                "transferType": 0,
                "confirmTimes": "1/1",
                "unlockConfirm": 1,
                "walletType": 0,
            }
            for transfer in self._transfers(asked, 1)
        ]

    def withdrawals(self, asked: Asked) -> Json:
        """Newest first."""
        return [
            {
                "id": transfer.id,
                "amount": money(-transfer.amount),
                "transactionFee": "0",
                "coin": transfer.asset,
                "status": 6,
                "address": "",
                "txId": f"withdrawal-{transfer.id}",
                "applyTime": utc_text(ms(transfer.ts)),
                "network": "EMULATOR",
                "transferType": 0,
                "info": "",
                "confirmNo": 1,
                "walletType": 0,
                "txKey": "",
                "completeTime": utc_text(ms(transfer.ts)),
            }
            for transfer in self._transfers(asked, -1)
        ]

    def _transfers(self, asked: Asked, sign: int) -> list[Transfer]:
        start, end = asked.number("startTime", 0), asked.number("endTime", 0)
        found = [
            transfer
            for transfer in reversed(self._house.transfers)
            if transfer.account == asked.account
            and transfer.amount * sign > 0
            and start <= ms(transfer.ts) <= (end or ms(transfer.ts))
            and asked.text("coin") in {"", transfer.asset}
        ]
        offset = asked.number("offset", 0)
        return found[offset : offset + asked.limit(1_000, 1_000)]

    def _cancelled(self, order: HouseOrder, cancel_id: str) -> shapes.Shape:
        self._desk.cancel(order, cancel_id)
        return shapes.spot_cancelled(order, cancel_id)


def utc_text(time_ms: int) -> str:
    """As withdrawals tell the time: "2019-10-12 11:12:02"."""
    moment = dt.datetime.fromtimestamp(time_ms // 1000, dt.UTC)
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def _check_day(start: int, end: int) -> None:
    if start and end and end - start > _DAY_MS:
        raise error(-1127, "More than 24 hours between startTime and endTime.")


def _half_done(code: int, text: str, cancel: Json, new: Json, status: int = 400) -> Reply:
    """Of cancelReplace: what became of each half."""
    is_cancelled = isinstance(cancel, dict) and "orderId" in cancel
    data: Json = {
        "cancelResult": "SUCCESS" if is_cancelled else "FAILURE",
        "newOrderResult": "FAILURE" if new is not None else "NOT_ATTEMPTED",
        "cancelResponse": cancel,
        "newOrderResponse": new,
    }
    return Reply({"code": code, "msg": text, "data": data}, status)


def _amended(order: HouseOrder) -> shapes.Shape:
    shape = shapes.spot_order(order)
    wanted = ("symbol", "orderId", "orderListId", "price", "status", "timeInForce", "type", "side")
    return {
        **{name: shape[name] for name in wanted},
        "origClientOrderId": order.client_id,
        "clientOrderId": order.client_id,
        "qty": quantity_text(order.instrument, order.quantity),
        "executedQty": shape["executedQty"],
        "preventedQty": "0.00000000",
        "quoteOrderQty": shape["origQuoteOrderQty"],
        "cumulativeQuoteQty": shape["cummulativeQuoteQty"],
        "workingTime": shape["workingTime"],
        "selfTradePreventionMode": "NONE",
    }

"""What an account asks for by REST: orders, executions, balances, positions, transfers, its key."""

from collections.abc import Mapping
from typing import Final

from zvt_trading.core.units import RATE_SCALE, format_scaled
from zvt_trading.emulator.bybit.errors import BybitError, bad_request
from zvt_trading.emulator.bybit.history import History
from zvt_trading.emulator.bybit.pages import DAY_MS, WEEK_MS, page, span
from zvt_trading.emulator.bybit.shapes import Row, money, ms, order_row, position_row, status
from zvt_trading.emulator.bybit.symbols import (
    LINEAR,
    Symbols,
    category_of,
    check_category,
    native,
)
from zvt_trading.emulator.clock import NS_A_MS
from zvt_trading.emulator.house import House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.orders import HouseOrder
from zvt_trading.messages.codes import CROSS

Query = Mapping[str, str]
MONTH_MS: Final = 30 * DAY_MS
_NEVER_GRANTED: Final = (
    "NFT", "Affiliate", "Earn", "FiatP2P", "FiatBybitPay", "FiatConvertBroker", "FiatGlobalPay",
    "FiatBitPay", "BitCard", "ByXPost",
)  # fmt: skip
_RECENT: Final = 500  # closed orders that `realtime` still has


class Account:
    """Answers from the house."""

    def __init__(self, house: House, symbols: Symbols, history: History) -> None:
        self._house: Final = house
        self._symbols: Final = symbols
        self._history: Final = history

    def realtime(self, key: ApiKey, query: Query) -> Row:
        """`/v5/order/realtime`: open orders; by an id also one that was closed recently."""
        category = check_category(query.get("category", ""))
        names = ("orderId", "orderLinkId", "symbol", "baseCoin", "settleCoin")
        if category == LINEAR and not any(query.get(name) for name in names):
            raise bad_request("symbol, baseCoin or settleCoin is required")
        is_closed = query.get("openOnly") == "1"
        orders = self._orders(key, category, query, only_open=not is_closed)
        if is_closed:
            orders = [order for order in orders if not order.is_open][-_RECENT:]
        return self._order_page(category, orders, query)

    def order_history(self, key: ApiKey, query: Query) -> Row:
        """`/v5/order/history`: closed orders of at most seven days."""
        category = check_category(query.get("category", ""))
        start, end = span(query, self._house.clock.now_ms(), WEEK_MS, WEEK_MS)
        wanted = query.get("orderStatus", "")
        orders = [
            order
            for order in self._orders(key, category, query)
            if not order.is_open
            and start <= order.created_ts // NS_A_MS <= end
            and wanted in {"", status(order)}
        ]
        return self._order_page(category, orders, query)

    def executions(self, key: ApiKey, query: Query) -> Row:
        """`/v5/execution/list`: fills and funding of at most seven days."""
        category = check_category(query.get("category", ""))
        start, end = span(query, self._house.clock.now_ms(), WEEK_MS, WEEK_MS)
        found = []
        for execution in self._history.asked_for(query, start):
            row = execution.row
            if (
                execution.account == key.account
                and execution.category == category
                and start <= execution.ts_ms <= end
                and self._is_visible(key, row["orderId"])
                and all(
                    query.get(name, "") in {"", row[name]}
                    for name in ("symbol", "orderId", "orderLinkId", "execType")
                )
            ):
                found.append((execution.seq, execution.ts_ms * NS_A_MS, row))
        rows, cursor = page(found, query, 50, 100)
        return {"nextPageCursor": cursor, "category": category, "list": rows}

    def wallet(self, key: ApiKey, query: Query) -> Row:
        """`/v5/account/wallet-balance`."""
        if query.get("accountType", "") != "UNIFIED":
            raise bad_request("accountType must be UNIFIED")
        coins = query.get("coin", "")
        row = wallet_row(self._house, key.account)
        row["coin"] = [
            coin for coin in row["coin"] if not coins or coin["coin"] in coins.split(",")
        ]
        return {"list": [row]}

    def positions(self, key: ApiKey, query: Query) -> Row:
        """`/v5/position/list`: with a symbol also when it is flat."""
        category = check_category(query.get("category", ""))
        name = query.get("symbol", "")
        if category == LINEAR and not name and not query.get("settleCoin"):
            raise bad_request("symbol or settleCoin is required")
        found = []
        if category == LINEAR:
            for at, seat in enumerate(self._house.seats(key.account)):
                if name == native(seat.instrument) or (not name and seat.quantity):
                    now = self._house.clock.true_ns()
                    found.append((at, now, position_row(seat, now)))
        rows, cursor = page(found, query, 20, 200)
        return {"nextPageCursor": cursor, "category": category, "list": rows}

    def set_leverage(self, key: ApiKey, args: Row) -> Row:
        """`/v5/position/set-leverage`."""
        instrument = self._symbols.find(args.get("category", ""), args.get("symbol", ""))
        text = str(args.get("buyLeverage", "")).removesuffix(".0")
        if text != str(args.get("sellLeverage", "")).removesuffix(".0") or not text.isdecimal():
            raise bad_request("buyLeverage and sellLeverage must be the same whole number")
        seat = self._house.exchange.seat(key.account, instrument.id)
        if seat is not None and seat.leverage == int(text):
            raise BybitError(110043, "leverage not modified")
        if not self._house.exchange.set_leverage(key.account, instrument.id, int(text), CROSS):
            raise BybitError(110013, "cannot set leverage due to risk limit")
        return {}

    def fee_rates(self, _key: ApiKey, query: Query) -> Row:
        """`/v5/account/fee-rate`."""
        category = check_category(query.get("category", ""))
        rows = [
            {
                "symbol": native(instrument),
                "takerFeeRate": format_scaled(instrument.taker_fee, RATE_SCALE),
                "makerFeeRate": format_scaled(instrument.maker_fee, RATE_SCALE),
                "baseCoin": "",
            }
            for instrument in self._symbols.of(category)
            if query.get("symbol", "") in {"", native(instrument)}
        ]
        return {"category": category, "list": rows}

    def info(self, _key: ApiKey, _query: Query) -> Row:
        """`/v5/account/info`: a unified account 2.0."""
        return {
            "marginMode": "REGULAR_MARGIN",
            "updatedTime": str(self._house.clock.now_ms()),
            "unifiedMarginStatus": 6,
            "dcpStatus": "OFF",
            "timeWindow": 10,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def deposits(self, key: ApiKey, query: Query) -> Row:
        """`/v5/asset/deposit/query-record`: of at most thirty days."""
        return self._transfers(key, query, is_deposit=True)

    def withdrawals(self, key: ApiKey, query: Query) -> Row:
        """`/v5/asset/withdraw/query-record`: of at most thirty days."""
        return self._transfers(key, query, is_deposit=False)

    def log(self, key: ApiKey, query: Query) -> Row:
        """`/v5/account/transaction-log`: of a day unless told, of seven at most."""
        start, end = span(query, self._house.clock.now_ms(), DAY_MS, WEEK_MS)
        found = [
            (seq, ts, row)
            for seq, ts, _, row in self._history.lines(key.account, start)
            if start <= ts // NS_A_MS <= end
            and query.get("category", "") in {"", row["category"]}
            and query.get("currency", "") in {"", row["currency"]}
            and query.get("type", "") in {"", row["type"]}
        ]
        rows, cursor = page(found, query, 20, 50)
        return {"nextPageCursor": cursor, "list": rows}

    def coins(self, _key: ApiKey, _query: Query) -> Row:
        """`/v5/asset/coin/query-info`: every asset that is traded, no chains to move it on."""
        assets = dict.fromkeys(
            asset
            for instrument in self._house.instruments.values()
            for asset in (instrument.base, instrument.quote)
        )
        return {
            "rows": [
                {"name": asset, "coin": asset, "remainAmount": "0", "chains": []}
                for asset in assets
            ]
        }

    def key_info(self, key: ApiKey, _query: Query) -> Row:
        """`/v5/user/query-api`: what the key may do, and from where."""
        wallet = ["AccountTransfer", "SubMemberTransfer"]
        return {
            "id": "1",
            "note": "emulator",
            "apiKey": key.key,
            "readOnly": 0 if key.can_trade else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"] if key.can_trade else [],
                "Spot": ["SpotTrade"] if key.can_trade else [],
                "Wallet": [*wallet, "Withdraw"] if key.can_withdraw else wallet,
                "Options": [],
                "Derivatives": [],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": ["ExchangeHistory"],
                **{name: [] for name in _NEVER_GRANTED},
            },
            "ips": ["127.0.0.1"] if key.is_ip_restricted else ["*"],
            "type": 1,
            "deadlineDay": -2 if key.is_ip_restricted else 90,
            "expiredAt": "1970-01-01T00:00:00Z",
            "createdAt": "2024-01-01T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": 1,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
            "userIDInt64": "1",
            "inviterIDInt64": "0",
            "affiliateIDInt64": "0",
        }

    # Inside.

    def _orders(
        self, key: ApiKey, category: str, query: Query, *, only_open: bool = False
    ) -> list[HouseOrder]:
        """By order id, else by client id, else by symbol: Bybit looks at one of them only."""
        house, name = self._house, query.get("symbol", "")
        order_id, link_id = query.get("orderId", ""), query.get("orderLinkId", "")
        if order_id or link_id:
            name = ""
            found = house.find(key.account, order_id, link_id)
            orders = [found] if found is not None else []
            if found is not None and not order_id and category_of(found.instrument) != category:
                # The same client id may be of an older order in the other category.
                orders = [o for o in house.orders_of(key.account) if o.client_id == link_id]
        elif only_open:
            orders = house.open_orders(key.account)
        else:
            orders = house.orders_of(key.account)
        if name:
            self._symbols.find(category, name)
        return [
            order
            for order in orders
            if category_of(order.instrument) == category and name in {"", native(order.instrument)}
        ]

    def _order_page(self, category: str, orders: list[HouseOrder], query: Query) -> Row:
        items = [(int(order.id), order.created_ts, order_row(order)) for order in orders]
        items.sort(key=lambda item: item[0])
        rows, cursor = page(items, query, 20, 50)
        return {"nextPageCursor": cursor, "category": category, "list": rows}

    def _is_visible(self, key: ApiKey, order_id: str) -> bool:
        order = self._house.orders.get(order_id)
        return order is None or self._house.may_see(key.account, order)

    def _transfers(self, key: ApiKey, query: Query, *, is_deposit: bool) -> Row:
        start, end = span(query, self._house.clock.now_ms(), MONTH_MS, MONTH_MS)
        found = []
        for transfer in self._house.transfers:
            if (
                transfer.account != key.account
                or (transfer.amount > 0) != is_deposit
                or not start <= transfer.ts // NS_A_MS <= end
                or query.get("coin", "") not in {"", transfer.asset}
            ):
                continue
            shared = {
                "coin": transfer.asset,
                "chain": transfer.asset,
                "amount": money(abs(transfer.amount)),
                "txID": f"0x{int(transfer.id):064x}",
                "toAddress": "",
                "tag": "",
            }
            own = _deposit if is_deposit else _withdrawal
            row = shared | own(transfer.id, transfer.ts)
            found.append((int(transfer.id), transfer.ts, row))
        rows, cursor = page(found, query, 50, 50)
        return {"rows": rows, "nextPageCursor": cursor}


def _deposit(transfer_id: str, ts: int) -> Row:
    return {
        "id": transfer_id,
        "status": 3,
        "depositFee": "",
        "successAt": ms(ts),
        "confirmations": "1",
        "txIndex": "0",
        "blockHash": "",
        "batchReleaseLimit": "-1",
        "depositType": "0",
    }


def _withdrawal(transfer_id: str, ts: int) -> Row:
    return {
        "withdrawId": transfer_id,
        "withdrawType": 0,
        "withdrawFee": "0",
        "status": "success",
        "createTime": ms(ts),
        "updateTime": ms(ts),
    }


def wallet_row(house: House, account: str) -> Row:
    """The unified wallet; totals are in USD, with everything but USDT left out of them."""
    open_orders = [
        order
        for order in house.exchange.desk.open.values()
        if order.seat.account.name == account and order.lock
    ]
    coins = []
    for view in house.balances(account):
        balance = house.exchange.account(account).balances[view.asset]
        order_margin = sum(
            order.lock for order in open_orders if order.payer is balance and not order.seat.is_spot
        )
        unrealised = sum(
            seat.unrealized() for seat in house.seats(account) if seat.settle is balance
        )
        coins.append(
            {
                "coin": view.asset,
                "equity": money(view.total + unrealised),
                "usdValue": money(view.total) if view.asset == "USDT" else "0",
                "walletBalance": money(view.total),
                "free": "",
                "locked": money(balance.locked - order_margin),
                "availableToWithdraw": money(view.free),
                "availableToBorrow": "",
                "borrowAmount": "0",
                "spotBorrow": "0",
                "accruedInterest": "0",
                "totalOrderIM": money(order_margin),
                "totalPositionIM": money(balance.margin),
                "totalPositionMM": "0",
                "unrealisedPnl": money(unrealised),
                "cumRealisedPnl": "0",
                "bonus": "0",
                "collateralSwitch": True,
                "marginCollateral": True,
            }
        )
    return _totals(coins) | {"coin": coins}


def _totals(coins: list[Row]) -> Row:
    usdt = next((coin for coin in coins if coin["coin"] == "USDT"), None)
    total = usdt["walletBalance"] if usdt is not None else "0"
    return {
        "accountType": "UNIFIED",
        "totalEquity": usdt["equity"] if usdt is not None else "0",
        "totalWalletBalance": total,
        "totalMarginBalance": total,
        "totalAvailableBalance": usdt["availableToWithdraw"] if usdt is not None else "0",
        "totalPerpUPL": usdt["unrealisedPnl"] if usdt is not None else "0",
        "totalInitialMargin": usdt["totalPositionIM"] if usdt is not None else "0",
        "totalMaintenanceMargin": "0",
        "accountIMRate": "0",
        "accountMMRate": "0",
        "accountLTV": "0",
    }

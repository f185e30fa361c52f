"""What an account of OKX can ask: orders, fills, money, positions, settings.

https://www.okx.com/docs-v5/en/#trading-account and #order-book-trading-trade
"""

from collections.abc import Callable
from typing import Final

from zvt_trading.core.units import RATE_SCALE
from zvt_trading.emulator.house import MONEY_SCALE, House, Transfer
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.okx import errors, shapes
from zvt_trading.emulator.okx.names import (
    NS_A_MS,
    SPOT,
    SWAP,
    Fields,
    Listing,
    Listings,
    long_id,
    ms,
    own_id,
    plain,
)
from zvt_trading.emulator.okx.orders import Desk
from zvt_trading.emulator.okx.paging import Page, newest_first
from zvt_trading.emulator.orders import Change, HouseOrder
from zvt_trading.emulator.wire import Call
from zvt_trading.messages.codes import CROSS, ISOLATED
from zvt_trading.messages.reports import Fill, FundingPaid
from zvt_trading.sim.accounts import Seat

PAGE: Final = 100
TRANSFER: Final = "1"
FUNDING: Final = "8"


Execution = tuple[int, tuple[HouseOrder, Fill]]
"""A fill with its number."""


class Books:
    """The numbered lists of money movements; bills and fills share one counter, as at OKX."""

    def __init__(self) -> None:
        self.fills: list[Execution] = []
        self.fills_of: dict[str, list[Execution]] = {}  # by the house's order id
        self.funding: list[tuple[int, FundingPaid]] = []
        self.transfers: list[tuple[int, Transfer]] = []
        self._bills = 0

    def take(self, change: Change) -> None:
        """A change of an order may be a fill."""
        if change.fill is not None:
            execution = (self._next(), (change.order, change.fill))
            self.fills.append(execution)
            self.fills_of.setdefault(change.order.id, []).append(execution)

    def take_funding(self, paid: FundingPaid) -> None:
        """Funding of a position."""
        self.funding.append((self._next(), paid))

    def take_transfers(self, transfers: list[Transfer]) -> None:
        """All there ever were; the new ones get their numbers."""
        known = {transfer.id for _, transfer in self.transfers}
        for transfer in transfers:
            if transfer.id not in known:
                self.transfers.append((self._next(), transfer))

    def _next(self) -> int:
        self._bills += 1
        return int(long_id(str(self._bills)))


class Account:
    """Answers the private endpoints that ask; each takes the key that signed."""

    def __init__(self, house: House, listings: Listings, desk: Desk, books: Books) -> None:
        self._house: Final = house
        self._listings: Final = listings
        self._desk: Final = desk
        self._books: Final = books

    # Orders and fills.

    def order(self, key: ApiKey, call: Call) -> Fields:
        """One order."""
        if not call.query.get("instId"):
            raise errors.empty("instId")
        if not call.query.get("ordId") and not call.query.get("clOrdId"):
            raise errors.failure(errors.NO_IDS)
        order = self._desk.find(key.account, dict(call.query))
        if order is None or self._listing(order).id != call.query["instId"]:
            raise errors.failure(errors.NO_ORDER)
        return errors.answer([self._order(order)])

    def open_orders(self, key: ApiKey, call: Call) -> Fields:
        """What is open."""
        return self._orders(call, self._house.open_orders(key.account))

    def old_orders(self, key: ApiKey, call: Call) -> Fields:
        """What is filled or canceled; `instType` is required."""
        if not call.query.get("instType"):
            raise errors.empty("instType")
        orders = self._house.orders_of(key.account)
        return self._orders(call, [order for order in orders if not order.is_open])

    def fills(self, key: ApiKey, call: Call) -> Fields:
        """Executions, by bill id."""
        return self._fills(key, call)

    def old_fills(self, key: ApiKey, call: Call) -> Fields:
        """The same of three months; `instType` is required."""
        if not call.query.get("instType"):
            raise errors.empty("instType")
        return self._fills(key, call)

    # Money and positions.

    def balance(self, key: ApiKey, call: Call) -> Fields:
        """The trading account."""
        wanted = call.query.get("ccy", "")
        assets = tuple(wanted.split(",")) if wanted else ()
        return errors.answer([self.balance_of(key.account, assets)])

    def balance_of(self, account: str, assets: tuple[str, ...] = ()) -> Fields:
        """The trading account, of some assets or of all."""
        now = self._house.clock.true_ns()
        details = [
            shapes.balance_fields(view, self._seats_in(account, view.asset), now)
            for view in self._house.balances(account)
            if not assets or view.asset in assets
        ]
        return shapes.account_fields(details, now)

    def positions(self, key: ApiKey, call: Call) -> Fields:
        """Positions that are not flat."""
        wanted = call.query.get("instId", "")
        names = wanted.split(",") if wanted else []
        positions = [
            self.position_of(seat)
            for seat in self._house.seats(key.account)
            if seat.quantity and (not names or self._of(seat).id in names)
        ]
        return errors.answer(positions)

    def position_of(self, seat: Seat) -> Fields:
        """One position, flat or not."""
        return shapes.position_fields(self._of(seat), seat, self._house.clock.true_ns())

    def bills(self, key: ApiKey, call: Call) -> Fields:
        """Movements of money by type: transfers "1", funding fees "8", both without one."""
        self._books.take_transfers(self._house.transfers)
        rows: list[tuple[int, Fields]] = []
        kind = call.query.get("type", "")
        if kind in {"", FUNDING}:
            rows += self._funding_bills(key.account)
        if kind in {"", TRANSFER}:
            rows += self._transfer_bills(key.account)
        rows = [row for row in sorted(rows, key=_number) if _is_bill_asked(call, row[1])]
        return errors.answer(newest_first(rows, Page(call.query, PAGE)))

    def deposits(self, key: ApiKey, call: Call) -> Fields:
        """Money from outside, by time."""
        return self._transfers(key, call, _deposit_fields, sign=1)

    def withdrawals(self, key: ApiKey, call: Call) -> Fields:
        """Money to outside, by time."""
        return self._transfers(key, call, _withdrawal_fields, sign=-1)

    # Settings.

    def config(self, key: ApiKey, _call: Call) -> Fields:
        """The account's mode, and what the key may do."""
        allowed = ["read_only"]
        allowed += ["trade"] if key.can_trade else []
        allowed += ["withdraw"] if key.can_withdraw else []
        return errors.answer(
            [
                {
                    "acctLv": "2",
                    "acctStpMode": "cancel_maker",
                    "autoLoan": False,
                    "ctIsoMode": "automatic",
                    "enableSpotBorrow": False,
                    "greeksType": "PA",
                    "ip": "127.0.0.1" if key.is_ip_restricted else "",
                    "kycLv": "3",
                    "label": "zvt",
                    "level": "Lv1",
                    "levelTmp": "",
                    "liquidationGear": "-1",
                    "mainUid": "1",
                    "mgnIsoMode": "automatic",
                    "opAuth": "0",
                    "perm": ",".join(allowed),
                    "posMode": "net_mode",
                    "roleType": "0",
                    "spotOffsetType": "",
                    "spotRoleType": "0",
                    "spotTraderInsts": [],
                    "traderInsts": [],
                    "type": "0",
                    "uid": "1",
                }
            ]
        )

    def trade_fee(self, _key: ApiKey, call: Call) -> Fields:
        """Fee rates of a type, negative when charged; swaps margined in USDT have their own."""
        inst_type = call.query.get("instType", "")
        listed = self._listings.of_type(inst_type or "-")
        if not listed:
            raise errors.failure(errors.parameter("instType"), 400)
        instrument = listed[0].instrument
        maker, taker = plain(-instrument.maker_fee, 8), plain(-instrument.taker_fee, RATE_SCALE)
        is_spot = inst_type == SPOT
        empty = ("delivery", "exercise", "makerUSDC", "takerUSDC", "uly")
        return errors.answer(
            [
                {
                    **dict.fromkeys(empty, ""),
                    "category": "1",
                    "feeGroup": [{"groupId": "1" if is_spot else "2", "maker": maker,
                                  "taker": taker}],
                    "fiat": [],
                    "instType": inst_type,
                    "level": "Lv1",
                    "maker": maker,
                    "makerU": "" if is_spot else maker,
                    "ruleType": "normal",
                    "taker": taker,
                    "takerU": "" if is_spot else taker,
                    "ts": str(self._house.clock.now_ms()),
                }
            ]
        )  # fmt: skip

    def currencies(self, _key: ApiKey, _call: Call) -> Fields:
        """The assets, each on one chain."""
        assets = {
            asset: None for listing in self._listings.by_id.values() for asset in _assets(listing)
        }
        return errors.answer([_currency_fields(asset) for asset in assets])

    def leverage(self, key: ApiKey, call: Call) -> Fields:
        """Leverage of swaps."""
        answers = []
        for name in call.query.get("instId", "").split(","):
            listing = self._swap(name)
            seat = self._house.exchange.seat(key.account, listing.instrument.id)
            answers.append(
                {
                    "ccy": "",
                    "instId": listing.id,
                    "lever": str(seat.leverage if seat else 1),
                    "mgnMode": call.query.get("mgnMode", "cross"),
                    "posSide": "net",
                }
            )
        return errors.answer(answers)

    def set_leverage(self, key: ApiKey, call: Call) -> Fields:
        """Change leverage and margin mode of a swap; only while flat and without orders."""
        fields = call.json()
        listing = self._swap(str(fields.get("instId") or ""))
        lever, mode = str(fields.get("lever") or ""), str(fields.get("mgnMode") or "")
        if not lever.isdecimal() or mode not in {"cross", "isolated"}:
            name = "mgnMode" if lever.isdecimal() else "lever"
            raise errors.failure(errors.parameter(name), 400)
        code = ISOLATED if mode == "isolated" else CROSS
        exchange = self._house.exchange
        if not exchange.set_leverage(key.account, listing.instrument.id, int(lever), code):
            raise errors.failure(errors.SETTING_FAILED)
        answer = {"instId": listing.id, "lever": lever, "mgnMode": mode, "posSide": "net"}
        return errors.answer([answer])

    # Inside.

    def _listing(self, order: HouseOrder) -> Listing:
        return self._listings.by_symbol[order.instrument.symbol]

    def _of(self, seat: Seat) -> Listing:
        return self._listings.by_symbol[seat.instrument.symbol]

    def _swap(self, name: str) -> Listing:
        listing = self._listings.by_id.get(name)
        if listing is None or listing.type != SWAP:
            raise errors.failure(errors.NO_INSTRUMENT)
        return listing

    def _order(self, order: HouseOrder) -> Fields:
        return shapes.order_fields(self._listing(order), order)

    def _orders(self, call: Call, orders: list[HouseOrder]) -> Fields:
        state = call.query.get("state", "")
        rows = [
            (int(long_id(order.id)), order)
            for order in orders
            if self._is_asked(call, order, order.created_ts)
            and state in {"", shapes.state_of(order)}
        ]
        page = newest_first(rows, Page(call.query, PAGE))
        return errors.answer([self._order(order) for order in page])

    def _fills(self, key: ApiKey, call: Call) -> Fields:
        wanted = call.query.get("ordId", "")
        fills = self._books.fills_of.get(own_id(wanted), []) if wanted else self._books.fills
        may_see = self._house.may_see
        rows = [
            (number, (number, order, fill))
            for number, (order, fill) in fills
            if may_see(key.account, order) and self._is_asked(call, order, fill.ts)
        ]
        return errors.answer(
            [
                shapes.fill_fields(self._listing(order), order, fill, str(number))
                for number, order, fill in newest_first(rows, Page(call.query, PAGE))
            ]
        )

    def _is_asked(self, call: Call, order: HouseOrder, ts: int) -> bool:
        """Whether an order, or its fill at `ts`, is of the instruments and time asked for."""
        listing = self._listing(order)
        return (
            call.query.get("instType", "") in {"", "ANY", listing.type}
            and call.query.get("instId", "") in {"", listing.id}
            and _is_within(call, ts // NS_A_MS)
        )

    def _seats_in(self, account: str, asset: str) -> list[Seat]:
        """Positions that are settled in an asset."""
        return [s for s in self._house.seats(account) if s.settle.asset.name == asset]

    def _funding_bills(self, account: str) -> list[tuple[int, Fields]]:
        by_id = {lst.instrument.id: lst for lst in self._listings.by_id.values()}
        return [
            (number, shapes.funding_bill(by_id[paid.instrument], str(number), paid))
            for number, paid in self._books.funding
            if paid.portfolio == account
        ]

    def _transfer_bills(self, account: str) -> list[tuple[int, Fields]]:
        return [
            (
                number,
                shapes.bill_fields(
                    str(number),
                    transfer.asset,
                    transfer.amount,
                    (TRANSFER, "11" if transfer.amount > 0 else "12"),
                    transfer.ts,
                ),
            )
            for number, transfer in self._books.transfers
            if transfer.account == account
        ]

    def _transfers(
        self, key: ApiKey, call: Call, shape: Callable[[Transfer], Fields], sign: int
    ) -> Fields:
        rows = [
            (transfer.ts // NS_A_MS, shape(transfer))
            for transfer in self._house.transfers
            if transfer.account == key.account and transfer.amount * sign > 0
        ]
        rows = [row for row in rows if call.query.get("ccy", "") in {"", row[1]["ccy"]}]
        return errors.answer(newest_first(rows, Page(call.query, PAGE)))


def _number(row: tuple[int, Fields]) -> int:
    return row[0]


def _is_within(call: Call, time_ms: int) -> bool:
    """Whether a time is in `begin`..`end`."""
    begin, end = call.query.get("begin", ""), call.query.get("end", "")
    return (not begin or time_ms >= int(begin)) and (not end or time_ms <= int(end))


def _is_bill_asked(call: Call, fields: Fields) -> bool:
    """Whether the filters of a request leave a bill in."""
    for name in ("ccy", "subType", "instType", "instId"):
        if call.query.get(name, "") not in {"", fields[name]}:
            return False
    return _is_within(call, int(fields["ts"]))


def _assets(listing: Listing) -> tuple[str, str]:
    return (listing.instrument.base, listing.instrument.quote)


def _currency_fields(asset: str) -> Fields:
    return {
        "canDep": True,
        "canInternal": True,
        "canWd": True,
        "ccy": asset,
        "chain": f"{asset}-Emulated",
        "fee": "0",
        "logoLink": "",
        "mainNet": True,
        "maxFee": "0",
        "maxWd": "1000000",
        "minDep": "0",
        "minFee": "0",
        "minWd": "0",
        "name": asset,
        "needTag": False,
        "wdTickSz": "8",
    }


def _deposit_fields(transfer: Transfer) -> Fields:
    return {
        "actualDepBlkConfirm": "1",
        "amt": plain(transfer.amount, MONEY_SCALE),
        "areaCodeFrom": "",
        "ccy": transfer.asset,
        "chain": f"{transfer.asset}-Emulated",
        "depId": transfer.id,
        "from": "",
        "fromWdId": "",
        "state": "2",
        "to": "emulated",
        "ts": ms(transfer.ts),
        "txId": transfer.id,
    }


def _withdrawal_fields(transfer: Transfer) -> Fields:
    return {
        "amt": plain(-transfer.amount, MONEY_SCALE),
        "areaCodeFrom": "",
        "areaCodeTo": "",
        "ccy": transfer.asset,
        "chain": f"{transfer.asset}-Emulated",
        "clientId": "",
        "fee": "0",
        "feeCcy": transfer.asset,
        "from": "",
        "nonTradableAsset": False,
        "note": "",
        "state": "2",
        "to": "emulated",
        "ts": ms(transfer.ts),
        "txId": transfer.id,
        "wdId": transfer.id,
    }

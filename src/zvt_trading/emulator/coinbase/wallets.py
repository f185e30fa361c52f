"""Accounts, fees, what the key may do, deposits and withdrawals."""

from typing import Final

from zvt_trading.core.units import format_scaled
from zvt_trading.emulator.coinbase import money
from zvt_trading.emulator.coinbase.errors import invalid, problem
from zvt_trading.emulator.coinbase.market import Shape
from zvt_trading.emulator.coinbase.names import PORTFOLIO, owned_uuid
from zvt_trading.emulator.coinbase.public import count_of
from zvt_trading.emulator.house import MONEY_SCALE, BalanceView, House
from zvt_trading.emulator.keys import ApiKey
from zvt_trading.emulator.wire import Call

ACCOUNTS_DEFAULT: Final = 49
ACCOUNTS_MAX: Final = 250
TRANSACTIONS_DEFAULT: Final = 25
TRANSACTIONS_MAX: Final = 100


class WalletRest:
    """Handlers; `account` is the one that the key signs for."""

    def __init__(self, house: House) -> None:
        self._house = house

    def accounts(self, account: str, call: Call) -> Shape:
        """A page of wallets."""
        views = self._house.balances(account)
        begin = _place(call.query.get("cursor", ""), [view.asset for view in views])
        count = count_of(call, ACCOUNTS_DEFAULT, ACCOUNTS_MAX)
        page = views[begin : begin + count]
        has_next = begin + count < len(views)
        return {
            "accounts": [self._wallet(account, view) for view in page],
            "has_next": has_next,
            "cursor": page[-1].asset if has_next else "",
            "size": len(page),
        }

    def one(self, account: str, call: Call) -> Shape:
        """One wallet by its id."""
        return {"account": self._wallet(account, self._view(account, call.parts["account_id"]))}

    def old_accounts(self, account: str, call: Call) -> Shape:
        """The same in the v2 interface, which does not tell what orders hold."""
        del call
        shown = [
            {
                "id": owned_uuid(account, view.asset),
                "name": f"{view.asset} Wallet",
                "primary": False,
                "type": "wallet",
                "currency": {"code": view.asset, "name": view.asset, "exponent": 8},
                "balance": {
                    "amount": format_scaled(view.total, MONEY_SCALE),
                    "currency": view.asset,
                },
                "created_at": money.LONG_AGO,
                "updated_at": money.LONG_AGO,
                "resource": "account",
            }
            for view in self._house.balances(account)
        ]
        return {"pagination": _pagination("", 25), "data": shown}

    def transactions(self, account: str, call: Call) -> Shape:
        """Deposits and withdrawals of one wallet, newest first."""
        asset = self._view(account, call.parts["account_id"]).asset
        known = [
            transfer
            for transfer in reversed(self._house.transfers)
            if transfer.account == account and transfer.asset == asset
        ]
        count = count_of(call, TRANSACTIONS_DEFAULT, TRANSACTIONS_MAX)
        shown = [money.transaction(transfer) for transfer in known]
        begin = _place(call.query.get("starting_after", ""), [one["id"] for one in shown])
        page = shown[begin : begin + count]
        after = page[-1]["id"] if begin + count < len(shown) else ""
        return {"pagination": _pagination(after, count), "data": page}

    def no_transactions(self, account: str, call: Call) -> Shape:
        """Bank deposits and withdrawals of one wallet: there are none."""
        self._view(account, call.parts["account_id"])
        return {"pagination": _pagination("", TRANSACTIONS_DEFAULT), "data": []}

    def fees(self, account: str, call: Call) -> Shape:
        """Fee rates, the same for every product."""
        del account, call
        spec = next(iter(self._house.instruments.values())).spec
        return {
            "total_volume": 0,
            "total_fees": 0,
            "fee_tier": money.fee_tier(spec.maker_fee, spec.taker_fee),
            "margin_rate": None,
            "goods_and_services_tax": None,
            "advanced_trade_only_volume": 0,
            "advanced_trade_only_fees": 0,
            "coinbase_pro_volume": 0,
            "coinbase_pro_fees": 0,
            "total_balance": "",
            "has_promo_fee": False,
        }

    def permissions(self, key: ApiKey, call: Call) -> Shape:
        """What the key may do. Whether it is bound to addresses Coinbase does not tell."""
        del call
        return {
            "can_view": True,
            "can_trade": key.can_trade,
            "can_transfer": key.can_withdraw,
            "portfolio_uuid": owned_uuid(key.account, PORTFOLIO),
            "portfolio_type": "DEFAULT",
        }

    def portfolios(self, account: str, call: Call) -> Shape:
        """The one portfolio."""
        del call
        uuid = owned_uuid(account, PORTFOLIO)
        return {
            "portfolios": [{"name": "Default", "uuid": uuid, "type": "DEFAULT", "deleted": False}]
        }

    def _view(self, account: str, wallet_id: str) -> BalanceView:
        for view in self._house.balances(account):
            if wallet_id in {owned_uuid(account, view.asset), view.asset}:
                return view
        raise problem(404, "NOT_FOUND", "account not found")

    def _wallet(self, account: str, view: BalanceView) -> Shape:
        times = [
            transfer.ts
            for transfer in self._house.transfers
            if transfer.account == account and transfer.asset == view.asset
        ]
        return money.wallet(account, view, max(times, default=0))


def _place(cursor: str, names: list[str]) -> int:
    """Where the page after `cursor` begins."""
    if not cursor:
        return 0
    if cursor not in names:
        raise invalid("invalid cursor")
    return names.index(cursor) + 1


def _pagination(after: str, count: int) -> Shape:
    return {
        "ending_before": None,
        "starting_after": None,
        "previous_ending_before": None,
        "next_starting_after": after or None,
        "limit": count,
        "order": "desc",
        "previous_uri": None,
        "next_uri": f"?starting_after={after}" if after else None,
    }

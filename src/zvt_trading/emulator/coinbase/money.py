"""What Coinbase shows of wallets, transfers and fees: exact keys, numbers as texts."""

from typing import Any, Final

from zvt_trading.core.units import RATE_SCALE, format_scaled
from zvt_trading.emulator.coinbase.names import PORTFOLIO, iso, owned_uuid, plain
from zvt_trading.emulator.house import MONEY_SCALE, BalanceView, Transfer

Shape = dict[str, Any]
LONG_AGO: Final = "2021-05-31T09:59:59Z"


def wallet(account: str, view: BalanceView, updated_ts: int) -> Shape:
    """One asset of an account."""
    asset = view.asset
    return {
        "uuid": owned_uuid(account, asset),
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": format_scaled(view.free, MONEY_SCALE), "currency": asset},
        "default": True,
        "active": True,
        "created_at": LONG_AGO,
        "updated_at": iso(updated_ts) if updated_ts else LONG_AGO,
        "deleted_at": None,
        "type": "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": format_scaled(view.locked, MONEY_SCALE), "currency": asset},
        "retail_portfolio_id": owned_uuid(account, PORTFOLIO),
        "platform": "ACCOUNT_PLATFORM_CONSUMER",
    }


def transaction(transfer: Transfer) -> Shape:
    """A deposit or withdrawal in the old (v2) interface.

    As in the real answers the network's amount has no sign, which ccxt takes for a deposit.
    """
    asset = transfer.asset
    amount = format_scaled(transfer.amount, MONEY_SCALE)
    wallet_id = owned_uuid(transfer.account, asset)
    return {
        "id": owned_uuid(transfer.account, f"transfer {transfer.id}"),
        "type": "send",
        "status": "completed",
        "amount": {"amount": amount, "currency": asset},
        "native_amount": {"amount": amount, "currency": "USD"},
        "created_at": iso(transfer.ts),
        "updated_at": iso(transfer.ts),
        "resource": "transaction",
        "resource_path": f"/v2/accounts/{wallet_id}/transactions/{transfer.id}",
        "network": {
            "status": "confirmed",
            "hash": owned_uuid(transfer.account, f"hash {transfer.id}"),
            "network_name": "ethereum",
            "transaction_amount": {"amount": amount.removeprefix("-"), "currency": asset},
            "transaction_fee": {"amount": "0.00000000", "currency": asset},
        },
    }


def fee_tier(maker: int, taker: int) -> Shape:
    """Fee rates (units of 1e-8) as parts of one."""
    return {
        "pricing_tier": "Advanced 1",
        "usd_from": "0",
        "usd_to": "10000",
        "taker_fee_rate": plain(format_scaled(taker, RATE_SCALE)),
        "maker_fee_rate": plain(format_scaled(maker, RATE_SCALE)),
        "aop_from": "",
        "aop_to": "",
    }

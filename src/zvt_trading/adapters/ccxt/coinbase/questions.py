"""What can be asked at Coinbase: orders, fills, money. A question that fails raises."""

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from zvt_trading.adapters.ccxt.coinbase.answers import (
    bad_response,
    fill_view,
    iso_of,
    number_of,
    object_of,
    order_view,
    plain,
    text_of,
    time_of,
    transfer_view,
)
from zvt_trading.adapters.ccxt.coinbase.paging import ACCOUNTS_PAGE, PAGE, all_rows, old_rows, pages
from zvt_trading.adapters.ccxt.dialect import Caller
from zvt_trading.adapters.ccxt.views import (
    BalanceView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
)

NOT_YET_OPEN: Final = ("PENDING", "QUEUED", "CANCEL_QUEUED", "EDIT_QUEUED")
"""Statuses that the filter OPEN leaves out, though such an order may still be filled."""
SETTLES_WITHIN_MS: Final = 14 * 86_400_000
"""A deposit or withdrawal that was begun so long ago is done, or will never be."""
CLOCKS_APART_MS: Final = 86_400_000
"""No two clocks that trade are further apart."""
_OUR_ID: Final = re.compile(r"[0-9a-f]{12}7[0-9a-f]{3}8[0-9a-f]{15}")  # core/order_ids.py
_NO_ORDER: Final = "order with this orderID was not found"


class Questions:
    """The questions of adapters.ccxt.dialect.Dialect."""

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """By Coinbase's id, or else in the list of all orders of the symbol, newest first.

        None: Coinbase said "not found", or the whole list does not have it (of an order of ours,
        the list since its id was made).
        """
        if venue_id:
            raw = await self.raw_order(caller, venue_id)
            if raw is None:
                return None
            view = order_view(caller, raw)
            if view.venue_order_id != venue_id or (order_id and view.order_id != order_id):
                raise bad_response("another order than the one that was asked for")
            return view
        request = {
            "product_id": caller.market(symbol)["id"],
            "limit": PAGE,
            **_sent_after(order_id),
        }
        call = caller.v3PrivateGetBrokerageOrdersHistoricalBatch
        async for page in pages(call, request, "orders"):
            for raw in page:
                if raw.get("client_order_id") == order_id:
                    return order_view(caller, raw)
        return None

    async def raw_order(self, caller: Caller, venue_id: str) -> dict[str, Any] | None:
        """One order as it was answered; None when Coinbase said that it has none."""
        from ccxt.base.errors import ExchangeError

        try:
            answer = await caller.v3PrivateGetBrokerageOrdersHistoricalOrderId(
                {"order_id": venue_id}
            )
        except ExchangeError as error:
            if _says_no_order(str(error)):
                return None
            raise
        return object_of(answer, "order")

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """All fills of one order; fewer than it says to have been filled is no answer yet."""
        request = {"order_ids": [view.venue_order_id], "limit": PAGE}
        rows = await all_rows(caller.v3PrivateGetBrokerageOrdersHistoricalFills, request, "fills")
        fills = [fill_view(caller, raw, view.order_id) for raw in rows]
        if any(fill.venue_order_id != view.venue_order_id for fill in fills):
            raise bad_response("fills of another order than the one that was asked for")
        filled = sum((Decimal(fill.quantity) for fill in fills), Decimal())
        if view.filled and filled < Decimal(view.filled):
            raise bad_response(f"fills of {filled}, but {view.filled} was filled")
        return _oldest_first(fills)

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """All fills of these symbols since then."""
        request = {
            "product_ids": [caller.market(symbol)["id"] for symbol in symbols],
            "start_sequence_timestamp": iso_of(since_ms),
            "limit": PAGE,
        }
        rows = await all_rows(caller.v3PrivateGetBrokerageOrdersHistoricalFills, request, "fills")
        return _oldest_first([fill_view(caller, raw) for raw in rows])

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """All that may still be filled, whatever the symbol.

        Those on their way first: one that becomes OPEN between the two questions is in the second.
        """
        del symbols
        call = caller.v3PrivateGetBrokerageOrdersHistoricalBatch
        views: dict[str, OrderView] = {}
        for statuses in (list(NOT_YET_OPEN), ["OPEN"]):
            request = {"order_status": statuses, "limit": PAGE}
            for raw in reversed(await all_rows(call, request, "orders")):
                view = order_view(caller, raw)
                views[view.venue_order_id] = view
        return list(views.values())

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """What is available and what is held, of all wallets of an asset."""
        totals: dict[str, Decimal] = {}
        for raw in await self._wallets(caller):
            asset = text_of(raw, "currency")
            total = number_of(raw, "available_balance") + number_of(raw, "hold")
            totals[asset] = totals.get(asset, Decimal()) + total
        return [BalanceView(asset, plain(total)) for asset, total in totals.items() if total]

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """There are none on spot."""
        del caller, symbols
        return []

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """What moved money other than fills, of every wallet that has money or changed since."""
        views: list[TransferView] = []
        for wallet in await self._wallets(caller):
            held = number_of(wallet, "available_balance") + number_of(wallet, "hold")
            if not held and time_of(wallet, "updated_at") < since_ms:
                continue
            request = {"account_id": text_of(wallet, "uuid")}
            rows = await old_rows(
                caller.v2PrivateGetAccountsAccountIdTransactions,
                request,
                lambda raw: time_of(raw, "created_at") < since_ms - SETTLES_WITHIN_MS,
            )
            found = [transfer_view(raw) for raw in reversed(rows)]
            views += [view for view in found if view is not None and view.ts >= since_ms]
        return sorted(views, key=lambda view: view.ts)

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """There is none on spot."""
        del caller, symbols, since_ms
        return []

    async def _wallets(self, caller: Caller) -> list[dict[str, Any]]:
        """Wallets that orders can use: not vaults, and not those of futures."""
        rows = await all_rows(
            caller.v3PrivateGetBrokerageAccounts, {"limit": ACCOUNTS_PAGE}, "accounts"
        )
        others = {"ACCOUNT_TYPE_VAULT", "ACCOUNT_TYPE_PERP_FUTURES"}
        return [raw for raw in rows if raw.get("type") not in others]


def _sent_after(order_id: str) -> dict[str, str]:
    """How far back a list must go to have an order: our ids begin with the time they were made."""
    if not _OUR_ID.fullmatch(order_id):
        return {}
    return {"start_date": iso_of(int(order_id[:12], 16) - CLOCKS_APART_MS)}


def _says_no_order(said: str) -> bool:
    """Whether an error's text is Coinbase's answer that it has no such order."""
    start = said.find("{")
    if start < 0:
        return False
    try:
        body = json.loads(said[start:])
    except ValueError:
        return False
    return isinstance(body, dict) and _NO_ORDER in {body.get("error_details"), body.get("message")}


def _oldest_first(fills: list[FillView]) -> list[FillView]:
    """Of two at the same time the one that came later in the list: the newest come first."""
    fills.reverse()
    return sorted(fills, key=lambda fill: fill.ts)

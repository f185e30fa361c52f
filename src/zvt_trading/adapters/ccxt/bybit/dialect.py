"""How to speak with Bybit."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from zvt_trading.adapters.ccxt.bybit.asking import (
    DAY_MS,
    WEEK_MS,
    all_rows,
    category_of,
    groups,
    result_of,
    rows_of,
    rows_since,
    same_order,
)
from zvt_trading.adapters.ccxt.bybit.frames import Quotes, read
from zvt_trading.adapters.ccxt.bybit.profile import PROFILE
from zvt_trading.adapters.ccxt.bybit.rows import (
    FILL_TYPES,
    FUNDING,
    LINEAR,
    SPOT,
    balance_views,
    fill_view,
    funding_view,
    is_zero,
    order_view,
    position_view,
    transfer_view,
)
from zvt_trading.adapters.ccxt.dialect import (
    Caller,
    Create,
    Frame,
    Profile,
    Raw,
    Subscription,
    Wanted,
    acknowledged,
)
from zvt_trading.adapters.ccxt.fields import Row, UnknownSymbolError, UnreadableError
from zvt_trading.adapters.ccxt.outcomes import error_code
from zvt_trading.adapters.ccxt.views import (
    OPEN,
    AmendView,
    BalanceView,
    BookView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
    View,
)
from zvt_trading.errors import CallerError, VenueError
from zvt_trading.messages.codes import CROSS
from zvt_trading.ports.venue import QueryFailedError

Read = TypeVar("Read")

_TIFS: Final = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK"}
_LEVERAGE_AS_IT_WAS: Final = "110043"
_TOPICS_MAX: Final = 10  # in one message, of spot
_WINDOWS_BACK: Final = 4  # weeks in which the fills of one order are looked for
_TOPICS: Final = {
    "book": "orderbook.50.{}",
    "quotes": "orderbook.1.{}",
    "trades": "publicTrade.{}",
    "marks": "tickers.{}",
}


class BybitDialect:
    """See adapters.ccxt.dialect.Dialect.

    A unified account in one-way mode; spot without borrowing.
    """

    profile: Profile = PROFILE

    def __init__(self) -> None:
        self._quotes: WeakKeyDictionary[Caller, Quotes] = WeakKeyDictionary()

    def settings(self) -> dict[str, Raw]:
        """The account is taken to be unified, so that ccxt need not probe it."""
        return {
            # ccxt would load currencies with every load of markets; they need another permission.
            "has": {"fetchCurrencies": False},
            "options": {
                "defaultType": "spot",
                "enableUnifiedMargin": False,
                "enableUnifiedAccount": True,
                "unifiedMarginStatus": 6,
                "fetchMarkets": {"types": ["spot", "linear"]},
                "adjustForTimeDifference": True,
                "recvWindow": PROFILE.validity_ms,
            },
        }

    # Requests.

    def create(self, wanted: Wanted, market: Mapping[str, Raw]) -> Create:
        """A limit order. Without `orderLinkId` Bybit's order would have no name of ours."""
        if wanted.tif not in _TIFS:
            raise CallerError(
                f"bybit has no {wanted.tif} orders; allowed are {', '.join(_TIFS)}: "
                "cancel the order when its time is over"
            )
        params: dict[str, Raw] = {
            "orderLinkId": wanted.order_id,
            "timeInForce": "PostOnly" if wanted.post_only else _TIFS[wanted.tif],
        }
        if not market["spot"]:
            params["positionIdx"] = 0  # one-way mode, or the exchange refuses
            if wanted.reduce_only:
                params["reduceOnly"] = True
        return Create(wanted.symbol, "limit", wanted.side, wanted.quantity, wanted.price, params)

    def created(self, answer: Mapping[str, Raw], wanted: Wanted) -> list[View]:
        """That the order was taken, if both ids say so; nothing of what became of it."""
        info = answer.get("info")
        venue_order_id = info.get("orderId") if isinstance(info, dict) else None
        if not isinstance(info, dict) or not isinstance(venue_order_id, str) or not venue_order_id:
            return []
        if info.get("orderLinkId") != wanted.order_id:
            return []
        return [acknowledged(wanted, venue_order_id)]

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        """Take back. ccxt's cancel_order would send a name that Bybit does not know."""
        params = _order_params(caller, symbol, order_id, venue_id)
        result_of(await caller.privatePostV5OrderCancel(params))

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        """Change; the answer only says that the request was taken, so the order is looked at."""
        params = _order_params(caller, view.symbol, view.order_id, view.venue_order_id)
        result_of(await caller.privatePostV5OrderAmend({**params, "price": price, "qty": quantity}))
        found = await self.find(caller, view.symbol, view.order_id, view.venue_order_id)
        if found is None or not (_same(found.price, price) and _same(found.quantity, quantity)):
            return []
        return [
            AmendView(
                order_id=found.order_id,
                venue_order_id=found.venue_order_id,
                symbol=view.symbol,
                price=found.price,
                quantity=found.quantity,
                ts=found.ts,
            )
        ]

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        """The margin mode is one for the whole account: it is checked, never changed from here."""
        from ccxt.base.errors import BadRequest

        market = caller.market(symbol)
        name = "REGULAR_MARGIN" if mode == CROSS else "ISOLATED_MARGIN"
        has = result_of(await caller.privateGetV5AccountInfo({})).get("marginMode")
        if has != name:
            raise VenueError(
                f"bybit: the account's margin mode is {has}, {symbol} is to have {name}; "
                "change it for the whole account at the exchange"
            )
        text = str(leverage)
        params = {"category": category_of(market), "symbol": market["id"]}
        both = {"buyLeverage": text, "sellLeverage": text}
        try:
            result_of(await caller.privatePostV5PositionSetLeverage({**params, **both}))
        except BadRequest as error:
            if error_code(error).code != _LEVERAGE_AS_IT_WAS:
                raise

    # Questions.

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """Among the open and lately closed orders, then in the history of seven days.

        An empty list of both is Bybit's way to say that there is none.
        """
        params = _order_params(caller, symbol, order_id, venue_id)
        category = params["category"]
        name = "orderLinkId" if order_id else "orderId"
        for ask in (caller.privateGetV5OrderRealtime, caller.privateGetV5OrderHistory):
            row = same_order(await all_rows(ask, params), name, params[name])
            if row is not None:
                return _checked(order_view, caller, row, category)
        return None

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """All fills; QueryFailedError while they add up to less than the order's `filled`."""
        by_venue = view.venue_order_id
        params = _order_params(caller, view.symbol, "" if by_venue else view.order_id, by_venue)
        end = int(caller.nonce()) + DAY_MS  # fills of this moment, too
        found: dict[str, FillView] = {}
        for _ in range(_WINDOWS_BACK):
            window = {"startTime": end - WEEK_MS, "endTime": end, "limit": 100}
            rows = await all_rows(caller.privateGetV5ExecutionList, {**params, **window})
            for fill in _fills(caller, rows, params["category"]):
                found[fill.trade_id] = fill
            missing = _missing(view.filled, found.values())
            if not missing:
                return sorted(found.values(), key=_when)
            end -= WEEK_MS
        raise QueryFailedError(
            f"bybit's fills of order {by_venue or view.order_id} are {missing} short of its filled "
            f"quantity {view.filled}"
        )

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """All fills since then."""
        found: list[FillView] = []
        for params in groups(caller, symbols).values():
            asked = {"category": params["category"], "limit": 100}
            ask = caller.privateGetV5ExecutionList
            rows = await rows_since(caller, ask, asked, since_ms)
            found.extend(_fills(caller, rows, params["category"]))
        return sorted((fill for fill in found if fill.symbol in symbols), key=_when)

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """Everything that is open; ccxt's fetch_open_orders leaves spot out."""
        found: list[OrderView] = []
        for params in groups(caller, symbols).values():
            rows = await all_rows(caller.privateGetV5OrderRealtime, {**params, "limit": 50})
            views = _known(order_view, caller, rows, params["category"])
            found.extend(view for view in views if view.symbol in symbols and view.status == OPEN)
        return found

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """Every asset of the unified wallet that is not zero."""
        params = {"accountType": "UNIFIED"}
        rows = rows_of(result_of(await caller.privateGetV5AccountWalletBalance(params)))
        if len(rows) != 1 or rows[0].get("accountType") != "UNIFIED":
            raise QueryFailedError("bybit answered without the unified wallet")
        return [view for view in _checked(balance_views, rows[0]) if not is_zero(view.total)]

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """Every perpetual position that is not zero."""
        found: list[PositionView] = []
        for params in groups(caller, symbols).values():
            if params["category"] == LINEAR:
                rows = await all_rows(caller.privateGetV5PositionList, {**params, "limit": 200})
                found.extend(_known(position_view, caller, rows))
        return [view for view in found if view.symbol in symbols and not is_zero(view.quantity)]

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """What moved the unified wallet but trading: not the deposits, which may go elsewhere."""
        ask = caller.privateGetV5AccountTransactionLog
        params = {"accountType": "UNIFIED", "limit": 50}
        rows = await rows_since(caller, ask, params, since_ms)
        views = [_checked(transfer_view, row) for row in reversed(rows)]
        return sorted((view for view in views if view is not None), key=_when)

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """Funding is an execution of a type of its own."""
        found: list[FundingView] = []
        for params in groups(caller, symbols).values():
            if params["category"] == SPOT:
                continue
            ask = caller.privateGetV5ExecutionList
            asked = {"category": LINEAR, "execType": FUNDING, "limit": 100}
            rows = await rows_since(caller, ask, asked, since_ms)
            found.extend(_known(funding_view, caller, rows[::-1]))
        return sorted((view for view in found if view.symbol in symbols), key=_when)

    # Streams.

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        """One socket for spot and derivatives."""
        del symbols
        url = str(await caller.get_url_by_market_type(None, True, "watchOrders", {}))
        await caller.authenticate(url)
        topics = ["order", "execution", "wallet", "position"]
        return [Subscription(url, "private", _subscribe(caller, topics))]

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        """One socket for each category; marks are the derivatives'."""
        topics: dict[str, list[str]] = {}
        for symbol in symbols:
            market = caller.market(symbol)
            for channel in channels:
                if channel != "marks" or not market["spot"]:
                    topic = _TOPICS[channel].format(market["id"])
                    topics.setdefault(category_of(market), []).append(topic)
        subscriptions: list[Subscription] = []
        for category, named in topics.items():
            url = caller.implode_hostname(caller.urls["api"]["ws"]["public"][category])
            for first in range(0, len(named), _TOPICS_MAX):
                some = named[first : first + _TOPICS_MAX]
                key = f"{category} {' '.join(some)}"
                subscriptions.append(Subscription(str(url), key, _subscribe(caller, some)))
        return subscriptions

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Raw]) -> Frame:
        """What one message says."""
        return read(caller, url, frame, self._quotes.setdefault(caller, Quotes()))

    async def book(self, caller: Caller, symbol: str) -> BookView | None:
        """The stream sends snapshots itself."""
        del caller, symbol
        return None


def _subscribe(caller: Caller, topics: list[str]) -> dict[str, Raw]:
    return {"op": "subscribe", "req_id": str(caller.request_id()), "args": topics}


def _order_params(caller: Caller, symbol: str, order_id: str, venue_id: str) -> dict[str, Any]:
    """By the client id where there is one: `clientOrderId` is a name that Bybit does not know."""
    market = caller.market(symbol)
    params = {"category": category_of(market), "symbol": market["id"]}
    if order_id:
        return {**params, "orderLinkId": order_id}
    if venue_id:
        return {**params, "orderId": venue_id}
    raise CallerError(f"an order of {symbol} without any id cannot be named")


def _same(said: str, wanted: str) -> bool:
    return bool(said) and Decimal(said) == Decimal(wanted)


def _missing(filled: str, fills: Iterable[FillView]) -> str:
    """How much of `filled` the fills do not explain; "" when they do."""
    total = sum((Decimal(fill.quantity) for fill in fills), Decimal(0))
    short = Decimal(filled or "0") - total
    return str(short) if short > 0 else ""


def _when(view: FillView | TransferView | FundingView) -> int:
    """To sort by: those of one millisecond stay in the order of the list."""
    return view.ts


def _fills(caller: Caller, rows: Sequence[Row], category: str) -> list[FillView]:
    """Oldest first: the exchange sends the newest first."""
    trades = [row for row in reversed(rows) if row.get("execType") in FILL_TYPES]
    return _known(fill_view, caller, trades, category)


def _checked(reader: Callable[..., Read], *args: Any) -> Read:
    """Read a row of an answer; one that cannot be read leaves the question unanswered."""
    try:
        return reader(*args)
    except UnreadableError as error:
        raise QueryFailedError(f"bybit's answer cannot be read: {error}") from error


def _known(
    reader: Callable[..., Read], caller: Caller, rows: Sequence[Row], *more: Any
) -> list[Read]:
    """The rows of symbols that are among the markets."""
    found: list[Read] = []
    for row in rows:
        with suppress(UnknownSymbolError):
            found.append(_checked(reader, caller, row, *more))
    return found

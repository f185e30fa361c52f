"""What an exchange module supplies: its data, and how to say and read things there.

`profile` is data. The methods that take a `Caller` only call ccxt (in str mode: every number is a
text) and make views of the answers; their exceptions are ccxt's and go up untouched. Everything
else is pure.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from msgspec import Struct

from zvt_trading.adapters.ccxt.views import (
    OPEN,
    BalanceView,
    BookView,
    FillView,
    FundingView,
    OrderView,
    PositionView,
    TransferView,
    View,
)
from zvt_trading.messages.reasons import Reason

Raw = Any
"""What ccxt gives and takes: JSON."""


class Refusals(Struct, frozen=True):
    """The proven-refusal table: only what is here means that an order was not taken.

    `codes`: the exchange's error code (as text) to our Reason 4xx. `texts`: for codes that mean
    several things, (code, part of the message) to Reason, tried first.
    """

    codes: Mapping[str, Reason]
    texts: Mapping[tuple[str, str], Reason] = {}
    order_gone: frozenset[str] = frozenset()
    """Codes of a cancel, amend or query: there is no such open order."""


class Profile(Struct, frozen=True, kw_only=True):
    """The facts of one exchange, as data; the capability table of the docs is made from it."""

    name: str
    client_id_rule: str  # regular expression
    refusals: Refusals
    validity_ms: int  # how long after a send the exchange may still take it
    read_lag_ms: int  # how long a query may not find what was taken
    duplicate_ids: str  # "refused", "refused while open", "returned"
    amend: bool
    amend_keeps_id: bool
    stops_held_by_venue: bool
    batch: bool
    dead_man_switch: bool
    self_trade_prevention: bool
    market_buy_by_quote: bool  # spot market buys are for an amount of money
    perpetuals: bool
    fees_in: str  # "received", "quote"
    orders_per_second: int
    cancels_reserved_per_second: int  # of these, kept for cancels
    requests_per_second: int
    source: str  # where the exchange says so


class Create(Struct, frozen=True):
    """The arguments of ccxt's create_order; numbers are exact texts, quantities in the base asset.

    A dialect turns `amount` into contracts where its exchange counts in them.
    """

    symbol: str
    type: str
    side: str
    amount: str
    price: str | None
    params: dict[str, Raw]


class Wanted(Struct, frozen=True):
    """An order in plain terms: a limit order, for a market order one that does not rest."""

    order_id: str
    symbol: str
    side: str
    price: str
    quantity: str
    tif: str  # GTC, IOC, FOK, GTD
    post_only: bool
    reduce_only: bool
    expire_ms: int


def acknowledged(wanted: Wanted, venue_order_id: str) -> OrderView:
    """What an answer proves that only says that an order was taken: not how it stands."""
    return OrderView(
        order_id=wanted.order_id,
        venue_order_id=venue_order_id,
        symbol=wanted.symbol,
        status=OPEN,
        price=wanted.price,
        quantity=wanted.quantity,
        side=wanted.side,
    )


class Subscription(Struct, frozen=True):
    """One message that opens streams on one socket; `url` as ccxt builds it.

    `key` names it: sent again under the same name after a reconnect.
    """

    url: str
    key: str
    message: Raw


class Caller(Protocol):
    """A ccxt.pro exchange in str mode."""

    def market(self, symbol: str) -> dict[str, Raw]:
        """The market (as ccxt has it) of a unified symbol."""

    def __getattr__(self, name: str) -> Raw:
        """All the rest of ccxt."""


class Dialect(Protocol):
    """One exchange."""

    profile: Profile

    def settings(self) -> dict[str, Raw]:
        """For the ccxt constructor: options, what to load (PROTOCOLS 1.4)."""

    # Requests. `create` is pure; ccxt's answers go to the view functions.

    def create(self, wanted: Wanted, market: Mapping[str, Raw]) -> Create:
        """How to place an order."""

    def created(self, answer: Mapping[str, Raw], wanted: Wanted) -> list[View]:
        """What the answer to create_order proves: an OrderView, perhaps FillViews.

        [] when it proves nothing (no id): the outcome is unknown then.
        """

    async def cancel(self, caller: Caller, symbol: str, order_id: str, venue_id: str) -> None:
        """Take back, by the client id where the exchange can, else by its own id."""

    async def amend(self, caller: Caller, view: OrderView, price: str, quantity: str) -> list[View]:
        """Change price and total quantity of the order in `view` (symbol, ids, side)."""

    async def set_leverage(self, caller: Caller, symbol: str, leverage: int, mode: int) -> None:
        """Leverage and margin mode (CROSS, ISOLATED) of a perpetual."""

    # Questions.

    async def find(
        self, caller: Caller, symbol: str, order_id: str, venue_id: str
    ) -> OrderView | None:
        """One order; None only when the exchange said that it has none."""

    async def fills_of(self, caller: Caller, view: OrderView) -> list[FillView]:
        """All fills of one order."""

    async def fills(self, caller: Caller, symbols: Sequence[str], since_ms: int) -> list[FillView]:
        """All fills since then, of all pages, oldest first."""

    async def open_orders(self, caller: Caller, symbols: Sequence[str]) -> list[OrderView]:
        """Everything that is open."""

    async def balances(self, caller: Caller) -> list[BalanceView]:
        """Every asset that is not zero."""

    async def positions(self, caller: Caller, symbols: Sequence[str]) -> list[PositionView]:
        """Every perpetual position that is not zero; [] where there are none."""

    async def transfers(self, caller: Caller, since_ms: int) -> list[TransferView]:
        """Deposits and withdrawals since then, of all pages."""

    async def funding(
        self, caller: Caller, symbols: Sequence[str], since_ms: int
    ) -> list[FundingView]:
        """Funding payments since then, of all pages."""

    # Streams. Raw frames are translated here, exactly; ccxt only connects, signs and pings.

    async def private(self, caller: Caller, symbols: Sequence[str]) -> list[Subscription]:
        """Log in where that is needed, and what opens own orders, fills and balances."""

    def public(
        self, caller: Caller, symbols: Sequence[str], channels: Sequence[str]
    ) -> list[Subscription]:
        """What opens "book", "trades", "quotes", "marks" of these symbols."""

    def frames(self, caller: Caller, url: str, frame: Mapping[str, Raw]) -> "Frame":
        """What one frame says; must not raise for any frame."""

    async def book(self, caller: Caller, symbol: str) -> BookView | None:
        """A snapshot by REST, where the stream sends none (Binance); else None."""


class Frame:
    """What a frame was: `views` of data, `is_control` (ccxt must see it: acks, pongs, logins).

    `ask_order`: of these orders (client id or, with "#" before it, the exchange's id) the frame
    tells too little: they must be asked for. `problem`: the socket is not to be trusted any more.
    """

    __slots__ = ("ask_order", "is_control", "is_private", "problem", "views")

    def __init__(self, views: Sequence[View] = (), *, is_control: bool = False) -> None:
        self.views: Final = list(views)
        self.is_control = is_control
        self.is_private = False
        self.ask_order: list[str] = []
        self.problem = ""

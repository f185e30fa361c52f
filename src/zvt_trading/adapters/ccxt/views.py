"""What an exchange says, in one form for all four and with its numbers as the texts it sent.

`order_id` is the client order id ("" when the exchange did not say it), `symbol` the unified one.
Quantities are in the base asset. Times are milliseconds UTC, 0 when not given.
"""

from typing import Final

from msgspec import Struct

OPEN: Final = "open"
FILLED: Final = "filled"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
REJECTED: Final = "rejected"  # taken, then refused (OKX post-only, Bybit linear)


class OrderView(Struct, frozen=True, kw_only=True):
    """One order as it stands; `filled` is cumulative, "" when not given."""

    order_id: str
    venue_order_id: str
    symbol: str
    status: str
    price: str = ""
    quantity: str = ""
    filled: str = ""
    side: str = ""  # buy, sell
    reason: str = ""  # the exchange's code or text of an end
    ts: int = 0


class FillView(Struct, frozen=True, kw_only=True):
    """One execution; `fee` > 0 was paid by us."""

    order_id: str
    venue_order_id: str
    symbol: str
    trade_id: str
    side: str
    price: str
    quantity: str
    is_maker: bool
    fee_asset: str
    fee: str
    ts: int


class AmendView(Struct, frozen=True, kw_only=True):
    """The exchange changed an order to this price and total quantity."""

    order_id: str
    venue_order_id: str
    symbol: str
    price: str
    quantity: str
    ts: int


class BalanceView(Struct, frozen=True):
    """All of an asset, free or not."""

    asset: str
    total: str


class PositionView(Struct, frozen=True):
    """A perpetual position, signed, in the base asset."""

    symbol: str
    quantity: str
    entry_price: str = ""


class TransferView(Struct, frozen=True):
    """A deposit (amount > 0) or withdrawal (< 0) that is done."""

    id: str
    asset: str
    amount: str
    ts: int


class FundingView(Struct, frozen=True):
    """Funding settled on a position; `amount` > 0 was paid by us."""

    id: str
    symbol: str
    asset: str
    amount: str
    rate: str
    ts: int


class QuoteView(Struct, frozen=True):
    """Best bid and ask."""

    symbol: str
    bid: str
    bid_size: str
    ask: str
    ask_size: str
    ts: int


class TradeView(Struct, frozen=True):
    """A public trade; `side` of the aggressor."""

    symbol: str
    price: str
    quantity: str
    side: str
    trade_id: str
    ts: int


class BookView(Struct, frozen=True):
    """A snapshot, or changed levels (size 0: gone); (price, size), best first in a snapshot.

    `first_id`..`last_id`, `previous_id` as messages.market.BookDelta; -1 where there is none.
    """

    symbol: str
    is_snapshot: bool
    bids: tuple[tuple[str, str], ...]
    asks: tuple[tuple[str, str], ...]
    first_id: int
    last_id: int
    previous_id: int
    ts: int


class GapView(Struct, frozen=True):
    """Something of a stream was lost: books of these symbols ("" for all) need a snapshot."""

    symbol: str
    reason: str


class MarkView(Struct, frozen=True):
    """Mark and index price of a perpetual ("" when not given)."""

    symbol: str
    mark: str
    index: str
    ts: int


View = (
    OrderView
    | FillView
    | AmendView
    | BalanceView
    | PositionView
    | TransferView
    | FundingView
    | QuoteView
    | TradeView
    | BookView
    | GapView
    | MarkView
)

"""The whole state as messages, for a start that need not replay everything; see core/restore.py.

A snapshot is one `SnapshotHead`, and parts: the orders in memory, then what must not be forgotten
of older ones. Numbers are the state's own scaled ints; lists keep its own order, since later
decisions may depend on it.
"""

from msgspec import Struct

from zvt_trading.messages.commands import OpenPortfolio, SubmitOrder
from zvt_trading.messages.market import InstrumentSpec

Items = list[int | str]


class SnapshotPortfolio(Struct, frozen=True, gc=False):
    """One portfolio with the marks that risk keeps of it."""

    request: OpenPortfolio
    trading_state: int
    peak_equity: int
    day_start_equity: int
    day: int
    cool_down_until: int
    sampled_equity: int
    sampled_ts: int


class SnapshotHolding(Struct, frozen=True):
    """One portfolio in one instrument; `position` as `Position.state_items` writes it."""

    portfolio: str
    instrument: str
    open_buy: int
    open_sell: int
    fees: int
    funding: int
    position: Items
    live_orders: list[str]


class SnapshotList(Struct, frozen=True):
    """Linked orders, by id."""

    list_id: str
    kind: int
    orders: list[str]


class SnapshotOrder(Struct, frozen=True, tag="order", tag_field="part"):
    """One order with everything that a later event may depend on."""

    order_id: str
    request: SubmitOrder
    instrument: str
    ts: int
    quantity: int
    price: int
    trigger_price: int
    life: int
    pending: int
    filled: int
    filled_value: int
    working: int
    hold: int
    hold_asset: str
    worst_price: int
    triggered: bool
    venue_order_id: str
    reason: int
    trade_ids: list[str]
    role: int
    amend_price: int
    amend_quantity: int
    hold_before_amend: int
    amended_ts: int
    hold_released: int


class SnapshotHead(Struct, frozen=True):
    """Everything but the orders; `seq` is the last event in it, `digest` that of the state."""

    seq: int
    ts: int
    epoch: int
    order_seq: int
    trading_state: int
    suspended: int
    flatten_seq: int
    asset_scales: dict[str, int]
    specs: list[InstrumentSpec]
    venues: list[tuple[str, int, int]]  # name, trading state, history cursor
    symbols: list[tuple[str, int]]
    strategies: list[tuple[str, int]]
    portfolios: list[SnapshotPortfolio]
    ledger: Items
    holdings: list[SnapshotHolding]
    lists: list[SnapshotList]
    armed: list[tuple[str, list[str]]]  # instrument, ids of the stops that watch it
    closed: list[str]
    risk: Items
    orders: int
    client_tags: int
    venue_entries: int
    digest: str
    quarantined: int = 0


class SnapshotTag(Struct, frozen=True, tag="tag", tag_field="part", gc=False):
    """A caller's own id, and the order it was given to."""

    client_tag: str
    order_id: str


class SnapshotEntry(Struct, frozen=True, tag="entry", tag_field="part", gc=False):
    """What a venue booked and we did too, so that it is not booked again."""

    key: str
    ts: int


class SnapshotQuarantined(Struct, frozen=True, tag="quarantined", tag_field="part", gc=False):
    """What was quarantined, so that it is not told again."""

    key: str
    ts: int


SnapshotPart = SnapshotOrder | SnapshotTag | SnapshotEntry | SnapshotQuarantined

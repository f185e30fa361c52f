"""Market data and instrument definitions.

Prices and sizes are ints on the symbol's scale (`price_scale`, `quantity_scale` decimals of the
instrument); times are int nanoseconds UTC. `instrument` is "venue:SYMBOL", e.g. "binance:BTC/USDT",
"binance:BTC/USDT:USDT" (linear perpetual), "bybit:BTC/USD:BTC" (inverse perpetual).
"""

from msgspec import Struct


class MarginTier(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """One maintenance tier: applies to notionals up to `notional_max` (settle-asset units).

    `maintenance_rate` is in units of 1e-8; `deduction` is the venue's "maintenance amount" (cum).
    """

    notional_max: int
    maintenance_rate: int
    deduction: int
    leverage_max: int


class InstrumentSpec(
    Struct, frozen=True, tag=True, tag_field="msg", kw_only=True, omit_defaults=True
):
    """One symbol on one venue, with the venue's exact filters.

    All prices are on `price_scale`, quantities on `quantity_scale`; money on the asset scales.
    Fee rates are in units of 1e-8 of the notional (10 bps = 100_000) and may be negative (rebate).
    A bound of 0 means "no bound".
    """

    venue: str
    symbol: str
    kind: int  # SPOT, LINEAR, INVERSE
    base: str
    quote: str
    settle: str
    price_scale: int
    quantity_scale: int
    base_scale: int  # decimals of the base asset's money unit
    quote_scale: int
    tick: int
    lot: int
    quantity_min: int
    quantity_max: int = 0
    notional_min: int = 0  # on the quote asset's scale
    price_min: int = 0
    price_max: int = 0
    contract_size: int = 1  # base (LINEAR) or quote (INVERSE) a contract, on contract_scale
    contract_scale: int = 0
    maker_fee: int = 0
    taker_fee: int = 0
    leverage_max: int = 1
    margin_tiers: tuple[MarginTier, ...] = ()
    stops_held_by_venue: bool = False
    amend_supported: bool = True
    post_only_supported: bool = True


class QuoteTick(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Best bid and ask with their sizes."""

    instrument: str
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    ts: int
    update_id: int = 0


class TradeTick(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A public trade; `aggressor` is BUY, SELL or 0 when unknown."""

    instrument: str
    price: int
    size: int
    aggressor: int
    ts: int
    trade_id: int = 0


class BookSnapshot(Struct, frozen=True, tag=True, tag_field="msg"):
    """A whole book, best level first; each level is (price, size)."""

    instrument: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    ts: int
    update_id: int = 0


class BookDelta(Struct, frozen=True, tag=True, tag_field="msg"):
    """Changed levels; a size of 0 removes the level.

    `first_id`..`last_id` are the venue's update ids covered; `previous_id` is the last id of the
    delta before, where the venue sends one (Binance futures `pu`, OKX `prevSeqId`), else -1.
    """

    instrument: str
    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]
    ts: int
    first_id: int = 0
    last_id: int = 0
    previous_id: int = -1


class BookInvalid(Struct, frozen=True, tag=True, tag_field="msg"):
    """A gap was seen: the book must not be used until the next snapshot."""

    instrument: str
    ts: int
    reason: str


class Bar(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A candle; `ts` is when it closed, `ts_open` when it opened."""

    instrument: str
    open: int
    high: int
    low: int
    close: int
    volume: int
    ts_open: int
    ts: int


class MarkPrice(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue's mark price of a perpetual, and its index price (0 when not given)."""

    instrument: str
    price: int
    ts: int
    index_price: int = 0


class FundingRate(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Funding settled at `ts`: longs pay `rate` (units of 1e-8 of notional) when it is positive."""

    instrument: str
    rate: int
    mark_price: int
    ts: int


class VenueStatus(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Whether a venue's connection can be used for new orders."""

    venue: str
    healthy: bool
    ts: int
    reason: str = ""


MarketData = (
    QuoteTick
    | TradeTick
    | BookSnapshot
    | BookDelta
    | BookInvalid
    | Bar
    | MarkPrice
    | FundingRate
    | VenueStatus
)

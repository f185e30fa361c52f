"""Views to the engine's messages and back: texts to ints on the symbol's scales, exactly. Pure."""

from collections.abc import Sequence
from typing import Final

from zvt_trading.adapters.ccxt.dialect import Refusals, Wanted
from zvt_trading.adapters.ccxt.outcomes import ErrorCode, refusal
from zvt_trading.adapters.ccxt.views import (
    CANCELLED,
    EXPIRED,
    REJECTED,
    AmendView,
    BookView,
    FillView,
    MarkView,
    OrderView,
    QuoteView,
    TradeView,
)
from zvt_trading.core.units import MAX_SCALE, RATE_SCALE, div_ceil, format_scaled, parse_scaled
from zvt_trading.messages.codes import BUY, FOK, GTC, GTD, IOC, MAKER, MARKET, SELL, TAKER
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    InstrumentSpec,
    MarkPrice,
    QuoteTick,
    TradeTick,
)
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import (
    Fill,
    Report,
    VenueAccepted,
    VenueAmended,
    VenueCancelled,
    VenueExpired,
)
from zvt_trading.ports.venue import NewOrder

NS_A_MS: Final = 1_000_000
USUAL_SCALE: Final = 8
"""Of an asset that no instrument of ours settles in (a fee in BNB)."""
_TIFS: Final = {GTC: "GTC", IOC: "IOC", FOK: "FOK", GTD: "GTD"}
_SIDES: Final = {"buy": BUY, "sell": SELL}


class Translator:
    """For one account at one venue."""

    def __init__(self, venue: str, specs: Sequence[InstrumentSpec], refusals: Refusals) -> None:
        self.venue: Final = venue
        self.specs: Final = {spec.symbol: spec for spec in specs}
        self._refusals: Final = refusals
        self._scales: Final = dict(
            scale
            for spec in specs
            for scale in ((spec.base, spec.base_scale), (spec.quote, spec.quote_scale))
        )

    # Ours to theirs.

    def symbol(self, instrument: str) -> str:
        """Of one of our instruments."""
        return instrument[len(self.venue) + 1 :]

    def price_text(self, symbol: str, price: int) -> str:
        """A price without needless zeros."""
        return _trimmed(price, self.specs[symbol].price_scale)

    def quantity_text(self, symbol: str, quantity: int) -> str:
        """A quantity without needless zeros."""
        return _trimmed(quantity, self.specs[symbol].quantity_scale)

    def wanted(self, order: NewOrder) -> Wanted:
        """An order in plain terms; a market order is bounded by its worst price."""
        symbol = self.symbol(order.instrument)
        is_market = order.type == MARKET
        tif = FOK if order.tif == FOK else IOC
        return Wanted(
            order.order_id,
            symbol,
            "buy" if order.side == BUY else "sell",
            self.price_text(symbol, order.worst_price if is_market else order.price),
            self.quantity_text(symbol, order.quantity),
            _TIFS[tif if is_market else order.tif],
            order.post_only,
            order.reduce_only,
            order.expire_ts // NS_A_MS,
        )

    # Theirs to ours. UnitError for a number that is not on our scales.

    def order(self, view: OrderView) -> list[Report]:
        """What an order's state says; its fills say themselves.

        One that was taken and then refused was accepted all the same: its end is that of a cancel,
        or an acknowledgement that comes later would bring it back to life.
        """
        order_id = view.order_id
        ts = view.ts * NS_A_MS
        reports: list[Report] = [VenueAccepted(order_id, view.venue_order_id, ts)]
        filled = -1
        if view.filled:
            filled = self.quantity(view.symbol, view.filled)
        if view.status == CANCELLED:
            reason = int(Reason.VENUE_CANCELLED)
            reports.append(VenueCancelled(order_id, reason, ts, filled))
        elif view.status == REJECTED:
            reports.append(VenueCancelled(order_id, self._reason(view), ts, filled))
        elif view.status == EXPIRED:
            reports.append(VenueExpired(order_id, ts, filled))
        return reports

    def fill(self, view: FillView) -> Fill:
        """One execution."""
        return Fill(
            view.order_id,
            view.trade_id,
            self.price(view.symbol, view.price),
            self.quantity(view.symbol, view.quantity),
            MAKER if view.is_maker else TAKER,
            view.fee_asset,
            self.fee(view.fee_asset, view.fee),
            view.ts * NS_A_MS,
        )

    def amended(self, view: AmendView) -> VenueAmended:
        """New terms."""
        price = self.price(view.symbol, view.price)
        quantity = self.quantity(view.symbol, view.quantity)
        return VenueAmended(view.order_id, price, quantity, view.ts * NS_A_MS)

    def price(self, symbol: str, text: str) -> int:
        """A price on the symbol's scale."""
        return parse_scaled(text, self.specs[symbol].price_scale)

    def quantity(self, symbol: str, text: str) -> int:
        """A quantity on the symbol's scale."""
        return parse_scaled(text, self.specs[symbol].quantity_scale)

    def money(self, asset: str, text: str) -> int:
        """Money on the asset's scale; what is finer than that is cut off."""
        fine = parse_scaled(text, MAX_SCALE)
        return fine // int(10 ** (MAX_SCALE - self._scale(asset)))

    def fee(self, asset: str, text: str) -> int:
        """A fee on the asset's scale; what is finer than that is rounded against us."""
        fine = parse_scaled(text, MAX_SCALE)
        return div_ceil(fine, int(10 ** (MAX_SCALE - self._scale(asset))))

    def rate(self, text: str) -> int:
        """A rate in units of 1e-8, rounded: it informs, the amount is what is booked."""
        return _rounded(text, RATE_SCALE)

    def knows_asset(self, asset: str) -> bool:
        """Whether an instrument of ours is in it."""
        return asset in self._scales

    # The market; `ts` is when it was so, nanoseconds.

    def quote(self, view: QuoteView, ts: int) -> QuoteTick:
        """Best bid and ask."""
        return QuoteTick(
            self._id(view.symbol),
            self.price(view.symbol, view.bid),
            self._size(view.symbol, view.bid_size),
            self.price(view.symbol, view.ask),
            self._size(view.symbol, view.ask_size),
            ts,
        )

    def trade(self, view: TradeView, ts: int) -> TradeTick:
        """A public trade; ids that are no numbers are left out."""
        trade_id = int(view.trade_id) if view.trade_id.isdecimal() else 0
        price = self.price(view.symbol, view.price)
        size = self._size(view.symbol, view.quantity)
        side = _SIDES.get(view.side, 0)
        return TradeTick(self._id(view.symbol), price, size, side, ts, trade_id)

    def mark(self, view: MarkView, ts: int) -> MarkPrice:
        """Mark and index, rounded to the symbol's scale: they value, nothing trades at them."""
        scale = self.specs[view.symbol].price_scale
        index = _rounded(view.index, scale) if view.index else 0
        return MarkPrice(self._id(view.symbol), _rounded(view.mark, scale), ts, index)

    def book(self, view: BookView, ts: int) -> BookSnapshot | BookDelta:
        """A book, or changes of one."""
        bids = tuple(self._level(view.symbol, level) for level in view.bids)
        asks = tuple(self._level(view.symbol, level) for level in view.asks)
        name = self._id(view.symbol)
        if view.is_snapshot:
            return BookSnapshot(name, bids, asks, ts, view.last_id)
        return BookDelta(name, bids, asks, ts, view.first_id, view.last_id, view.previous_id)

    def _id(self, symbol: str) -> str:
        return f"{self.venue}:{symbol}"

    def _level(self, symbol: str, level: tuple[str, str]) -> tuple[int, int]:
        return self.price(symbol, level[0]), self._size(symbol, level[1])

    def _size(self, symbol: str, text: str) -> int:
        """A size of others: what is finer than our scale is cut off."""
        return parse_scaled(text, MAX_SCALE) // int(
            10 ** (MAX_SCALE - self.specs[symbol].quantity_scale)
        )

    def _scale(self, asset: str) -> int:
        return self._scales.get(asset, USUAL_SCALE)

    def _reason(self, view: OrderView) -> int:
        found = refusal(ErrorCode(view.reason, view.reason), self._refusals)
        return int(found if found is not None else Reason.VENUE_REJECTED)


def _trimmed(value: int, scale: int) -> str:
    text = format_scaled(value, scale)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _rounded(text: str, scale: int) -> int:
    """Half up."""
    unit = int(10 ** (MAX_SCALE - scale))
    return (2 * parse_scaled(text, MAX_SCALE) + unit) // (2 * unit)

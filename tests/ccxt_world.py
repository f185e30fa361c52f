"""Builders for the tests of the ccxt adapter: two instruments, a profile, views, a sink.

Spot BTC/USDT: prices on 2 decimals, quantities on 3, money on 8; the perpetual likewise.
"""

from typing import Any

import msgspec

from zvt_trading.adapters.ccxt.dialect import Profile, Refusals
from zvt_trading.adapters.ccxt.ownership import Ownership
from zvt_trading.adapters.ccxt.translate import Translator
from zvt_trading.adapters.ccxt.views import OPEN, BookView, FillView, OrderView
from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec, MarketData
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import Report
from zvt_trading.ports.venue import OrderRef, Owner

VENUE = "binance"
SYMBOL = "BTC/USDT"
PERPETUAL = "BTC/USDT:USDT"
OURS = "ours"
ORPHAN = "orphan"
FOREIGN = "foreign"
ACCOUNT = "main"
NS_A_MS = 1_000_000
TS_MS = 1_700_000_000_000

SPEC = InstrumentSpec(
    venue=VENUE, symbol=SYMBOL, kind=SPOT, base="BTC", quote="USDT", settle="USDT",
    price_scale=2, quantity_scale=3, base_scale=8, quote_scale=8, tick=10, lot=1, quantity_min=1,
)  # fmt: skip
PERPETUAL_SPEC = msgspec.structs.replace(SPEC, symbol=PERPETUAL, kind=LINEAR, leverage_max=100)

REFUSALS = Refusals(
    codes={"-2010": Reason.VENUE_BALANCE, "-1013": Reason.VENUE_FILTER},
    texts={("-2010", "duplicate order"): Reason.VENUE_DUPLICATE_ID},
    order_gone=frozenset({"-2011"}),
)

PROFILE = Profile(
    name=VENUE, client_id_rule=".*", refusals=REFUSALS, validity_ms=5_000, read_lag_ms=1_000,
    duplicate_ids="refused", amend=True, amend_keeps_id=True, stops_held_by_venue=False,
    batch=False, dead_man_switch=False, self_trade_prevention=False, market_buy_by_quote=False,
    perpetuals=True, fees_in="received", orders_per_second=10, cancels_reserved_per_second=3,
    requests_per_second=20, source="a test",
)  # fmt: skip


def translator(*specs: InstrumentSpec) -> Translator:
    """Of both instruments, or those given."""
    return Translator(VENUE, specs or (SPEC, PERPETUAL_SPEC), REFUSALS)


def order_view(order_id: str = OURS, **fields: Any) -> OrderView:
    """An open buy order of 0.5 at 100.10."""
    usual = dict(
        order_id=order_id, venue_order_id="v1", symbol=SYMBOL, status=OPEN, price="100.10",
        quantity="0.5", filled="0", side="buy", ts=TS_MS,
    )  # fmt: skip
    return OrderView(**{**usual, **fields})


def fill_view(order_id: str = OURS, **fields: Any) -> FillView:
    """0.2 bought at 100.10, for a fee of 0.0002 BTC."""
    usual = dict(
        order_id=order_id, venue_order_id="v1", symbol=SYMBOL, trade_id="t1", side="buy",
        price="100.10", quantity="0.2", is_maker=False, fee_asset="BTC", fee="0.0002", ts=TS_MS,
    )  # fmt: skip
    return FillView(**{**usual, **fields})


def book_view(last_id: int, *, is_snapshot: bool = False, **fields: Any) -> BookView:
    """One bid of as many thousandths as its number; an update of that number alone."""
    usual: dict[str, Any] = dict(
        symbol=SYMBOL, is_snapshot=is_snapshot, bids=(("100", f"0.{last_id % 1000:03d}"),),
        asks=(), first_id=last_id, last_id=last_id, previous_id=-1, ts=TS_MS,
    )  # fmt: skip
    return BookView(**{**usual, **fields})


class Heard:
    """A sink that keeps what it is told; it knows the order OURS, and ORPHAN has its mark."""

    def __init__(self) -> None:
        self.reports: list[Any] = []  # Any: tests read the fields of the one they expect
        self.messages: list[Any] = []
        self.opened: list[str] = []

    def reported(self, venue: str, report: Report) -> None:
        assert venue == VENUE
        self.reports.append(report)

    def market(self, message: MarketData) -> None:
        self.messages.append(message)

    def stream_opened(self, venue: str) -> None:
        self.opened.append(venue)

    def ref(self, order_id: str, venue_order_id: str) -> OrderRef | None:
        if order_id != OURS:
            return None
        return OrderRef(order_id, venue_order_id, f"{VENUE}:{SYMBOL}")

    def owner(self, order_id: str) -> Owner:
        return {OURS: Owner.OURS, ORPHAN: Owner.ORPHAN}.get(order_id, Owner.FOREIGN)


def ownership(*specs: InstrumentSpec) -> Ownership:
    """Of the account ACCOUNT, with a sink that knows OURS."""
    return Ownership(ACCOUNT, translator(*specs), Heard())

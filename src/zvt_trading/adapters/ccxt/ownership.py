"""Whose an order or fill at our account is, and what is reported of those that are not ours.

Ours: known to the engine. An orphan has our engine's mark but the engine never recorded it. All
else is foreign: another program's, or typed by hand. Nothing is ignored, and nothing is booked as
a fill of ours that is none: a foreign spot trade becomes explicit movements of cash.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, TypeVar

from msgspec.structs import replace

from zvt_trading.adapters.ccxt.translate import NS_A_MS, Translator
from zvt_trading.adapters.ccxt.views import OPEN, FillView, OrderView
from zvt_trading.core.instrument import Instrument
from zvt_trading.messages.codes import BUY, SPOT
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity, Report
from zvt_trading.ports.venue import Owner, Sink

REMEMBERED_MAX: Final = 100_000
"""Ids and trades remembered; beyond, the oldest go, and are asked for again when needed."""


Named = TypeVar("Named", OrderView, FillView)


class Remembered:
    """The latest keys of a kind with their values, within a bound."""

    def __init__(self) -> None:
        self._known: OrderedDict[Hashable, str] = OrderedDict()

    def put(self, key: Hashable, value: str = "") -> None:
        """Remember it."""
        self._known[key] = value
        if len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def get(self, key: Hashable) -> str:
        """Its value; "" when it is not known."""
        return self._known.get(key, "")

    def __contains__(self, key: Hashable) -> bool:
        return key in self._known


class Ownership:
    """For one account; `account` is the portfolio that it belongs to."""

    def __init__(self, account: str, translator: Translator, sink: Sink | None = None) -> None:
        self.told_trades: Final = Remembered()  # by streams and answers, not by histories
        self.orphans: list[OrderView] = []  # open ones, for the caller to take back
        self._account: Final = account
        self._translator: Final = translator
        self._sink: Final = sink  # without one nothing is known to be ours
        self._ids: Final = Remembered()  # client order ids by the venue's
        self._instruments = {s: Instrument(spec) for s, spec in translator.specs.items()}

    def client_id(self, view: OrderView | FillView) -> str:
        """Of what a view is about; "" when the venue did not say it, now or before."""
        if view.order_id:
            if view.venue_order_id:
                self._ids.put(view.venue_order_id, view.order_id)
            return view.order_id
        return self._ids.get(view.venue_order_id)

    def name_of(self, venue_order_id: str) -> str:
        """The client order id of the venue's; "" when it is not known."""
        return self._ids.get(venue_order_id)

    def owner(self, client_id: str) -> Owner:
        """Whose order it is."""
        if self._sink is None or not client_id:
            return Owner.FOREIGN
        return self._sink.owner(client_id)

    def of_order(self, view: OrderView) -> list[Report]:
        """What to report of an order; its client id is known, or it has none."""
        client_id = self.client_id(view)
        owner = self.owner(client_id)
        if owner is Owner.OURS:
            return self._translator.order(_with_id(view, client_id))
        if view.status != OPEN:
            return []
        if owner is Owner.ORPHAN:
            self.orphans.append(_with_id(view, client_id))
        kind = Reason.ORPHANED_ORDER if owner is Owner.ORPHAN else Reason.FOREIGN_ORDER
        text = f"{view.side} {view.quantity} {view.symbol} at {view.price or 'market'} is open"
        subject = client_id or view.venue_order_id
        ts = view.ts * NS_A_MS
        return [ForeignActivity(self._translator.venue, subject, int(kind), text, ts)]

    def of_fill(self, view: FillView, *, is_told: bool = True) -> list[Report]:
        """What to report of an execution; `is_told`: we need not have read the history for it."""
        client_id = self.client_id(view)
        if is_told:
            self.told_trades.put((view.symbol, view.trade_id))
        if self.owner(client_id) is Owner.OURS:
            return [self._translator.fill(_with_id(view, client_id))]
        return self._of_foreign_fill(view, client_id)

    def _of_foreign_fill(self, view: FillView, client_id: str) -> list[Report]:
        """Somebody else's trade on our account."""
        translator = self._translator
        instrument = self._instruments[view.symbol]
        text = f"{view.side} {view.quantity} {view.symbol} at {view.price}, not by us"
        if instrument.kind != SPOT:
            kind = int(Reason.FOREIGN_ORDER)
            subject = f"{view.symbol} trade {view.trade_id} of {client_id or view.venue_order_id}"
            return [ForeignActivity(translator.venue, subject, kind, text, view.ts * NS_A_MS)]
        quantity = translator.quantity(view.symbol, view.quantity)
        value = instrument.value(translator.price(view.symbol, view.price), quantity)
        sign = BUY if view.side == "buy" else -BUY
        reference = f"{view.symbol} {view.trade_id}"
        fee = translator.fee(view.fee_asset, view.fee)
        moves = (
            (instrument.base, sign * instrument.base_amount(quantity), reference),
            (instrument.quote, -sign * value, reference),
            (view.fee_asset, -fee, f"{reference} fee"),
        )
        return [
            CashMoved(
                self._account,
                translator.venue,
                asset,
                amount,
                int(Reason.MANUAL_TRADE),
                name,
                text,
                view.ts * NS_A_MS,
            )
            for asset, amount, name in moves
            if amount
        ]


def _with_id(view: Named, client_id: str) -> Named:
    return view if view.order_id else replace(view, order_id=client_id)

"""Whose an order or fill is: ours is reported as such, everything else has a name of its own."""

from typing import Any

import pytest

from ccxt_world import (
    ACCOUNT,
    FOREIGN,
    NS_A_MS,
    ORPHAN,
    OURS,
    PERPETUAL,
    SYMBOL,
    TS_MS,
    VENUE,
    fill_view,
    order_view,
    ownership,
    translator,
)
from zvt_trading.adapters.ccxt import ownership as module
from zvt_trading.adapters.ccxt.ownership import Ownership, Remembered
from zvt_trading.adapters.ccxt.views import CANCELLED, FILLED
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import CashMoved, ForeignActivity, VenueAccepted
from zvt_trading.ports.venue import Owner

TS = TS_MS * NS_A_MS


class TestRemembered:
    def test_a_key_has_its_value(self) -> None:
        """It is "" when the key has none, or is not known."""
        known = Remembered()
        known.put("a", "1")
        known.put("b")
        assert ["1", "", ""] == [known.get(key) for key in "abc"]
        assert [True, True, False] == [key in known for key in "abc"]

    def test_the_oldest_go(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It is bounded."""
        monkeypatch.setattr(module, "REMEMBERED_MAX", 2)
        known = Remembered()
        for key in "abc":
            known.put(key)
        assert [False, True, True] == [key in known for key in "abc"]


class TestOwner:
    @pytest.mark.parametrize(
        ("client_id", "expected"),
        [
            (OURS, Owner.OURS),
            (ORPHAN, Owner.ORPHAN),
            (FOREIGN, Owner.FOREIGN),
            ("", Owner.FOREIGN),  # typed by hand
        ],
    )
    def test_the_engine_knows(self, client_id: str, expected: Owner) -> None:
        """By the client order id."""
        assert expected is ownership().owner(client_id)

    def test_without_an_engine_nothing_is_ours(self) -> None:
        """Before it is opened."""
        assert Ownership(ACCOUNT, translator()).owner(OURS) is Owner.FOREIGN

    def test_a_name_is_remembered_by_the_venues_id(self) -> None:
        """Frames that tell only the latter are still known."""
        one = ownership()
        assert one.client_id(order_view("", venue_order_id="v1")) == ""
        assert one.client_id(order_view(OURS, venue_order_id="v1")) == OURS
        assert one.client_id(fill_view("", venue_order_id="v1")) == OURS
        assert one.name_of("v1") == OURS
        assert one.name_of("v2") == ""

    def test_one_without_a_venues_id_names_nothing(self) -> None:
        """All orders without an id would have its name else."""
        one = ownership()
        assert one.client_id(order_view(OURS, venue_order_id="")) == OURS
        assert one.name_of("") == ""


class TestOrders:
    def test_ours(self) -> None:
        """Its state, under our name also when the venue did not say that."""
        one = ownership()
        one.client_id(order_view(OURS))
        for view in (order_view(OURS), order_view("")):
            assert [VenueAccepted(OURS, "v1", TS)] == one.of_order(view)
        assert [] == one.orphans

    @pytest.mark.parametrize(
        ("client_id", "fields", "kind", "subject", "text"),
        [
            (FOREIGN, {}, Reason.FOREIGN_ORDER, FOREIGN, "buy 0.5 BTC/USDT at 100.10 is open"),
            ("", {}, Reason.FOREIGN_ORDER, "v1", "buy 0.5 BTC/USDT at 100.10 is open"),
            ("", {"price": ""}, Reason.FOREIGN_ORDER, "v1", "buy 0.5 BTC/USDT at market is open"),
            (ORPHAN, {}, Reason.ORPHANED_ORDER, ORPHAN, "buy 0.5 BTC/USDT at 100.10 is open"),
        ],
    )
    def test_open_ones_of_others(
        self, client_id: str, fields: dict[str, Any], kind: Reason, subject: str, text: str
    ) -> None:
        """Told with a reason; one with our mark is to be taken back too."""
        one = ownership()
        view = order_view(client_id, **fields)
        assert [ForeignActivity(VENUE, subject, int(kind), text, TS)] == one.of_order(view)
        assert ([view] if client_id == ORPHAN else []) == one.orphans

    @pytest.mark.parametrize("client_id", [FOREIGN, ORPHAN, ""])
    @pytest.mark.parametrize("status", [CANCELLED, FILLED])
    def test_others_that_are_over_are_no_news(self, client_id: str, status: str) -> None:
        """What they moved is told by their fills."""
        one = ownership()
        assert [] == one.of_order(order_view(client_id, status=status))
        assert [] == one.orphans


def moved(asset: str, amount: int, reference: str, text: str) -> CashMoved:
    cause = int(Reason.MANUAL_TRADE)
    return CashMoved(ACCOUNT, VENUE, asset, amount, cause, reference, text, TS)


class TestFills:
    @pytest.mark.parametrize("order_id", [OURS, ""])
    def test_ours(self, order_id: str) -> None:
        """An execution, under our name."""
        one = ownership()
        one.client_id(order_view(OURS))
        assert [translator().fill(fill_view(OURS))] == one.of_fill(fill_view(order_id))

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            (  # 0.2 BTC in, 20.02 USDT out, 0.0002 BTC fee
                {},
                [("BTC", 20_000_000), ("USDT", -2_002_000_000), ("BTC", -20_000)],
            ),
            (
                {"side": "sell", "fee_asset": "USDT", "fee": "0.02"},
                [("BTC", -20_000_000), ("USDT", 2_002_000_000), ("USDT", -2_000_000)],
            ),
            ({"fee": "0"}, [("BTC", 20_000_000), ("USDT", -2_002_000_000)]),
            (  # a rebate comes in
                {"fee_asset": "USDT", "fee": "-0.01"},
                [("BTC", 20_000_000), ("USDT", -2_002_000_000), ("USDT", 1_000_000)],
            ),
        ],
    )
    def test_a_foreign_spot_trade_is_movements_of_cash(
        self, fields: dict[str, Any], expected: list[tuple[str, int]]
    ) -> None:
        """Both sides and the fee, each once and with a reference of its own: no fill of ours."""
        view = fill_view(FOREIGN, **fields)
        text = f"{view.side} 0.2 BTC/USDT at 100.10, not by us"
        names = [f"{SYMBOL} t1", f"{SYMBOL} t1", f"{SYMBOL} t1 fee"]
        moves = [
            moved(asset, amount, name, text)
            for (asset, amount), name in zip(expected, names, strict=False)
        ]
        assert moves == ownership().of_fill(view)

    @pytest.mark.parametrize(("client_id", "whose"), [(FOREIGN, FOREIGN), ("", "v1")])
    def test_a_foreign_perpetual_trade_is_told(self, client_id: str, whose: str) -> None:
        """It changed a position, which no movement of cash can say."""
        view = fill_view(client_id, symbol=PERPETUAL)
        subject = f"{PERPETUAL} trade t1 of {whose}"
        text = f"buy 0.2 {PERPETUAL} at 100.10, not by us"
        kind = int(Reason.FOREIGN_ORDER)
        assert [ForeignActivity(VENUE, subject, kind, text, TS)] == ownership().of_fill(view)

    @pytest.mark.parametrize("is_told", [True, False])
    def test_what_a_stream_told_is_remembered(self, is_told: bool) -> None:
        """What only a history says is not: it may be what the stream lost."""
        one = ownership()
        one.of_fill(fill_view(OURS), is_told=is_told)
        assert is_told == ((SYMBOL, "t1") in one.told_trades)

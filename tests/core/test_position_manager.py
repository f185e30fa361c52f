"""Specification of positions: lots, flips, costs, realised and unrealised PnL."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.position_manager import Position, PositionError, PositionManager
from zvt_trading.messages.codes import (
    AVERAGE,
    BUY,
    FIFO,
    HIFO,
    INVERSE,
    ISOLATED,
    LIFO,
    LINEAR,
    SELL,
    SPOT,
)
from zvt_trading.messages.market import InstrumentSpec

METHODS = [FIFO, LIFO, HIFO, AVERAGE]
KINDS = [SPOT, LINEAR, INVERSE]
Fill = tuple[int, int, int]  # side, price, quantity


def instrument(kind: int = LINEAR, base_scale: int = 8) -> Instrument:
    """Prices on 2 decimals, quantities on 3, money on 8; an inverse contract is worth 100 quote."""
    inverse = kind == INVERSE
    spec = InstrumentSpec(
        venue="sim", symbol="BTC/USD", kind=kind, base="BTC", quote="USD",
        settle="BTC" if inverse else "USD", price_scale=2, quantity_scale=0 if inverse else 3,
        base_scale=base_scale, quote_scale=8, tick=1, lot=1, quantity_min=1,
        contract_size=100 if inverse else 1,
    )  # fmt: skip
    return Instrument(spec)


def usd(text: str) -> int:
    """Dollars as settle units (8 decimals)."""
    return int(Fraction(text) * 10**8)


def filled(method: int, fills: list[Fill], kind: int = LINEAR) -> Position:
    """A position after the fills; fill i happens at ts i + 1 by order "o<i>"."""
    position = Position(instrument(kind), method)
    for index, (side, price, quantity) in enumerate(fills):
        position.apply_fill(side, price, quantity, index + 1, f"o{index}")
    return position


def open_lots(position: Position) -> list[tuple[str, int]]:
    """(opening order, quantity left) in the order they would be closed."""
    return [(lot.order_id, lot.quantity) for lot in position.lots()]


THREE_BUYS = [(BUY, 200_00, 1_000), (BUY, 300_00, 1_000), (BUY, 100_00, 1_000)]
THREE_SELLS = [(SELL, price, quantity) for _, price, quantity in THREE_BUYS]


@pytest.mark.parametrize(
    ("method", "order"),
    [(FIFO, ["o0", "o1", "o2"]), (LIFO, ["o2", "o1", "o0"]), (HIFO, ["o1", "o0", "o2"])],
)
def test_a_long_closes_lots_in_the_methods_order(method: int, order: list[str]) -> None:
    """Oldest, newest or dearest first."""
    assert order == [lot.order_id for lot in filled(method, THREE_BUYS).lots()]


@pytest.mark.parametrize(
    ("method", "order"),
    [(FIFO, ["o0", "o1", "o2"]), (LIFO, ["o2", "o1", "o0"]), (HIFO, ["o2", "o0", "o1"])],
)
def test_a_short_closes_lots_in_the_methods_order(method: int, order: list[str]) -> None:
    """HIFO takes a short's cheapest entry first: the one that realises least."""
    assert order == [lot.order_id for lot in filled(method, THREE_SELLS).lots()]


@pytest.mark.parametrize("side", [BUY, SELL])
def test_hifo_takes_the_oldest_of_equally_priced_lots(side: int) -> None:
    """Ties are broken by age."""
    position = filled(HIFO, [(side, 100_00, 1_000), (side, 100_00, 2_000), (-side, 100_00, 500)])
    assert [("o0", 500), ("o1", 2_000)] == open_lots(position)


@pytest.mark.parametrize(
    ("method", "realized", "left"),
    [
        # 1.5 sold at 250: the parts of the lots at 200, 300 and 100 that went.
        (FIFO, "25", [("o1", 500), ("o2", 1_000)]),  # 50 - 0.5 x 50
        (LIFO, "125", [("o1", 500), ("o0", 1_000)]),  # 150 - 0.5 x 50
        (HIFO, "-25", [("o0", 500), ("o2", 1_000)]),  # -50 + 0.5 x 50
        (AVERAGE, "75", [("o0", 1_500)]),  # 1.5 x (250 - 200)
    ],
)
def test_a_long_realises_exit_value_less_cost(
    method: int, realized: str, left: list[tuple[str, int]]
) -> None:
    """A close over one and a half lots, by each method."""
    position = filled(method, THREE_BUYS)
    assert usd(realized) == position.apply_fill(SELL, 250_00, 1_500, 9, "x")
    assert left == open_lots(position)
    assert (1_500, 1_500) == (position.quantity, position.closed_quantity)


@pytest.mark.parametrize(
    ("method", "realized"), [(FIFO, "-25"), (LIFO, "-125"), (HIFO, "-175"), (AVERAGE, "-75")]
)
def test_a_short_realises_cost_less_exit_value(method: int, realized: str) -> None:
    """1.5 bought back at 250, having been sold at 200, 300 and 100."""
    position = filled(method, THREE_SELLS)
    assert usd(realized) == position.apply_fill(BUY, 250_00, 1_500, 9, "x")
    assert -1_500 == position.quantity


@pytest.mark.parametrize("method", METHODS)
def test_a_flip_closes_everything_and_opens_the_rest(method: int) -> None:
    """Selling 5 against 3: all lots realised, a short of 2 at the fill's price and time."""
    position = filled(method, THREE_BUYS)
    assert usd("150") == position.apply_fill(SELL, 250_00, 5_000, 9, "x")
    (lot,) = position.lots()
    assert (2_000, 250_00, usd("500"), 9, "x") == (
        lot.quantity, lot.price, lot.cost, lot.ts, lot.order_id,
    )  # fmt: skip
    assert (-2_000, usd("500"), 9) == (position.quantity, position.cost, position.opened_ts)


def test_flat_has_no_cost_no_lots_no_opening_time() -> None:
    """A closed position keeps only its history."""
    position = filled(FIFO, [(BUY, 200_00, 1_000), (SELL, 300_00, 1_000)])
    assert (0, 0, 0, []) == (position.quantity, position.cost, position.opened_ts, position.lots())
    assert (usd("100"), 1_000, 1_000, 1_000) == (
        position.realized, position.bought, position.sold, position.closed_quantity,
    )  # fmt: skip


def test_opened_ts_is_when_the_position_left_flat() -> None:
    """Later additions do not move it; they move updated_ts."""
    position = filled(FIFO, THREE_BUYS)
    assert (1, 3) == (position.opened_ts, position.updated_ts)


def test_average_merges_into_the_first_lot_at_the_exact_average() -> None:
    """1 at 100.00 and 2 at 100.01: the cost is exact, the shown price rounded."""
    position = filled(AVERAGE, [(BUY, 100_00, 1_000), (BUY, 100_01, 2_000)])
    (lot,) = position.lots()
    assert (3_000, 100_01, usd("300.02"), 1, "o0") == (
        lot.quantity, lot.price, lot.cost, lot.ts, lot.order_id,
    )  # fmt: skip
    assert Fraction("300.02") / 3 * 100 == Fraction(*position.average_price_ratio())


def test_inverse_pnl_is_in_the_base_asset() -> None:
    """10 contracts of 100 USD from 10,000 to 12,500: 1,000 x (1/10,000 - 1/12,500) = 0.02 BTC."""
    position = filled(FIFO, [(BUY, 10_000_00, 10)], INVERSE)
    assert 10_000_000 == position.cost
    assert 2_000_000 == position.unrealized(12_500_00)
    assert 2_000_000 == position.apply_fill(SELL, 12_500_00, 10, 2, "x")


def test_an_inverse_short_gains_when_the_price_falls() -> None:
    """The mirror: 1,000 x (1/8,000 - 1/10,000) = 0.025 BTC."""
    position = filled(FIFO, [(SELL, 10_000_00, 10)], INVERSE)
    assert 2_500_000 == position.unrealized(8_000_00)
    assert 2_500_000 == position.apply_fill(BUY, 8_000_00, 10, 2, "x")


def test_inverse_average_price_is_the_harmonic_one() -> None:
    """The price at which the whole would have cost the same base amount."""
    position = filled(FIFO, [(BUY, 10_000_00, 10), (BUY, 5_000_00, 10)], INVERSE)
    assert Fraction(2 * 10_000_00 * 5_000_00, 15_000_00) == Fraction(
        *position.average_price_ratio()
    )


def test_average_price_when_flat_is_zero() -> None:
    """(0, 1): no division by zero for the reader."""
    assert (0, 1) == Position(instrument(), FIFO).average_price_ratio()


@pytest.mark.parametrize(("side", "sign"), [(BUY, 1), (SELL, -1)])
def test_unrealized_and_market_value_follow_the_mark(side: int, sign: int) -> None:
    """2 entered at 100, marked at 130."""
    position = filled(FIFO, [(side, 100_00, 2_000)])
    assert sign * usd("60") == position.unrealized(130_00)
    assert sign * usd("260") == position.market_value(130_00)


def test_without_a_mark_or_a_position_nothing_is_unrealized() -> None:
    """A mark of 0 means unknown."""
    assert 0 == filled(FIFO, [(BUY, 100_00, 2_000)]).unrealized(0)
    assert 0 == Position(instrument(), FIFO).unrealized(130_00)


@pytest.mark.parametrize(("price", "quantity"), [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_a_fill_without_price_or_quantity_is_a_bug(price: int, quantity: int) -> None:
    """Refused before anything changes."""
    position = filled(FIFO, THREE_BUYS)
    before = position.state_items()
    with pytest.raises(PositionError, match="must be > 0"):
        position.apply_fill(BUY, price, quantity, 1, "x")
    assert before == position.state_items()


def test_an_unknown_method_is_refused() -> None:
    """The message names the instrument and the method."""
    with pytest.raises(PositionError, match="sim:BTC/USD: no lot method 7"):
        Position(instrument(), 7)


# Base fees: the base asset has 8 decimals, the quantity 3, so a quantity unit is 100,000.


def test_a_base_fee_waits_until_it_is_a_whole_quantity_unit() -> None:
    """What the account holds is quantity x base_unit - carry, to the last unit."""
    position = filled(FIFO, [(BUY, 100_00, 1_000)], SPOT)
    assert 0 == position.pay_base_fee(99_999, 100_00, 2)
    assert (1_000, 99_999) == (position.quantity, position.carry)
    assert 0 == position.pay_base_fee(150_001, 100_00, 3)
    assert (998, 50_000, 2) == (position.quantity, position.carry, position.fee_quantity)


def test_a_base_fee_realises_the_gain_of_the_coins_it_took() -> None:
    """0.002 of a lot bought at 100, paid away when worth 150: 0.10 gained, cost down by 0.20."""
    position = filled(FIFO, [(BUY, 100_00, 1_000)], SPOT)
    assert usd("0.1") == position.pay_base_fee(200_000, 150_00, 2)
    assert (usd("99.8"), usd("0.1")) == (position.cost, position.realized)


def test_a_base_fee_can_take_no_more_than_there_is() -> None:
    """The rest stays owed in carry."""
    position = filled(FIFO, [(BUY, 100_00, 1)], SPOT)
    position.pay_base_fee(250_000, 100_00, 2)
    assert (0, 150_000) == (position.quantity, position.carry)


@pytest.mark.parametrize(
    ("kind", "fills"), [(SPOT, []), (SPOT, [(SELL, 100_00, 9)]), (LINEAR, [(BUY, 100_00, 9)])]
)
def test_a_base_fee_only_touches_a_spot_long(kind: int, fills: list[Fill]) -> None:
    """Anything else just remembers it."""
    position = filled(FIFO, fills, kind)
    before = position.quantity
    assert 0 == position.pay_base_fee(300_000, 100_00, 2)
    assert (before, 300_000) == (position.quantity, position.carry)


def test_a_rebate_in_the_base_asset_is_carried() -> None:
    """A negative fee: the account holds more than the position says, exactly by carry."""
    position = filled(FIFO, [(BUY, 100_00, 1_000)], SPOT)
    position.pay_base_fee(-300_000, 100_00, 2)
    assert (1_000, -300_000) == (position.quantity, position.carry)


@given(
    st.lists(
        st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 10**7), st.integers(1, 10**5)),
        max_size=30,
    ),
    st.integers(1, 10**7),
)
def test_base_fees_are_accounted_for_exactly(sequence: list[Fill], mark: int) -> None:
    """Cash and coins at any mark = realised + unrealised - fees paid - fees carried."""
    position = Position(instrument(SPOT), FIFO)
    unit = position.instrument.base_unit
    cash = coins = 0
    for side, price, wanted in sequence:
        quantity = wanted if side == BUY else min(wanted, coins // unit)
        if quantity:
            position.apply_fill(side, price, quantity, 1, "o")
            cash -= side * position.instrument.value(price, quantity)
            coins += side * quantity * unit
            fee = quantity * unit // 1_000 + 1 if side == BUY else 0
            position.pay_base_fee(fee, price, 1)
            coins -= fee
        assert coins == position.quantity * unit - position.carry
    coin_price = Fraction(position.instrument.value(mark, 1), unit)
    gained = position.realized + position.unrealized(mark) - position.fee_value
    assert cash + coins * coin_price == gained - position.carry * coin_price


# Properties of any sequence of fills.

sequences = st.lists(
    st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 10**7), st.integers(1, 10**5)),
    max_size=20,
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
@given(sequence=sequences)
def test_money_and_quantity_are_conserved(kind: int, method: int, sequence: list[Fill]) -> None:
    """After every fill: position = signed fills, cost = its lots, realised = cash flow + cost."""
    position = Position(instrument(kind), method)
    direction = -1 if kind == INVERSE else 1
    cash = 0
    for side, price, quantity in sequence:
        cash -= side * position.instrument.value(price, quantity)
        before = position.realized
        gain = position.apply_fill(side, price, quantity, 1, "o")
        assert gain == position.realized - before
        assert position.quantity == position.bought - position.sold
        assert abs(position.quantity) == sum(lot.quantity for lot in position.lots())
        assert position.cost == sum(lot.cost for lot in position.lots())
        assert all(lot.quantity > 0 and lot.cost >= 0 for lot in position.lots())
        signed_cost = position.cost if position.quantity > 0 else -position.cost
        assert position.realized == direction * (cash + signed_cost)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("method", METHODS)
@given(sequence=sequences, later=sequences)
def test_a_restored_position_goes_on_the_same(
    kind: int, method: int, sequence: list[Fill], later: list[Fill]
) -> None:
    """state_items holds all that decides the future."""
    position = filled(method, sequence, kind)
    position.leverage, position.margin_mode, position.carry = 5, ISOLATED, 7
    position.isolated_margin, position.liquidation_price = 11, 13
    twin = Position(instrument(kind), method)
    twin.restore(position.state_items())
    for side, price, quantity in later:
        position.apply_fill(side, price, quantity, 99, "later")
        twin.apply_fill(side, price, quantity, 99, "later")
    assert position.state_items() == twin.state_items()


@given(sequence=sequences)
def test_methods_differ_in_when_not_in_how_much(sequence: list[Fill]) -> None:
    """Once flat, every method has realised the same."""
    totals = []
    for method in METHODS:
        position = filled(method, sequence)
        if position.quantity:
            side = SELL if position.quantity > 0 else BUY
            position.apply_fill(side, 500_00, abs(position.quantity), 99, "last")
        totals.append(position.realized)
    assert [totals[0]] * len(METHODS) == totals


def test_a_long_fifo_queue_is_cut_not_kept() -> None:
    """A thousand lots opened and closed one by one behind a standing one: order and sums hold."""
    position = filled(FIFO, [(BUY, 100_00 + index, 2) for index in range(300)])
    for index in range(299):
        position.apply_fill(SELL, 100_00, 2, 1_000, "x")
        assert f"o{index + 1}" == position.lots()[0].order_id
    assert (2, 1) == (position.quantity, len(position.lots()))


def test_contradictory_state_is_refused() -> None:
    """Lots that do not make the position."""
    items = filled(FIFO, THREE_BUYS).state_items()
    with pytest.raises(PositionError, match="do not make a position of 3000"):
        Position(instrument(), FIFO).restore(items[:-5])


def test_state_of_the_wrong_type_is_refused() -> None:
    """Text where a number belongs."""
    items = filled(FIFO, THREE_BUYS).state_items()
    items[0] = "3000"
    with pytest.raises(PositionError, match="3 ints expected"):
        Position(instrument(), FIFO).restore(items)


# The manager.


def test_the_manager_makes_a_position_once() -> None:
    """Same portfolio and instrument, same position; found without being made."""
    manager = PositionManager()
    assert manager.find("main", "sim:BTC/USD") is None
    position = manager.position("main", instrument())
    assert position is manager.position("main", instrument())
    assert position is manager.find("main", "sim:BTC/USD")
    assert [position] == manager.of_portfolio("main")
    assert [] == manager.of_portfolio("other")


def test_a_portfolio_has_one_lot_method() -> None:
    """FIFO unless set, and set only before the first position."""
    manager = PositionManager()
    manager.set_method("tax", HIFO)
    assert HIFO == manager.position("tax", instrument()).method
    assert FIFO == manager.position("main", instrument()).method
    with pytest.raises(PositionError, match="tax: its lot method is fixed"):
        manager.set_method("tax", LIFO)


def test_the_managers_state_does_not_depend_on_the_order_of_opening() -> None:
    """Keys are sorted, so a digest of it is canonical."""
    one, other = PositionManager(), PositionManager()
    for manager, portfolios in ((one, ["a", "b"]), (other, ["b", "a"])):
        for portfolio in portfolios:
            manager.position(portfolio, instrument()).apply_fill(BUY, 100_00, 1, 1, portfolio)
    assert one.state_items() == other.state_items()
    assert ["a", "sim:BTC/USD", FIFO, 20] == one.state_items()[:4]

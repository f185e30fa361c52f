"""Lots and realised PnL, judged by two programs that are not ours: beancount and rp2.

Neither books shorts, so a short is shown to them mirrored: at MIRROR - price a short's gain is a
long's gain, and its cheapest entry the dearest. Where a position flips, the crossing fill is split
in two and the other side starts a new segment.
"""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oracles import lots_beancount
from oracles.lots_rp2 import Rp2
from zvt_trading.core.instrument import Instrument
from zvt_trading.core.position_manager import Position
from zvt_trading.messages.codes import BUY, FIFO, HIFO, LIFO, LINEAR, SELL, SPOT
from zvt_trading.messages.market import InstrumentSpec

MIRROR = 1_000
METHODS = [(FIFO, "FIFO"), (LIFO, "LIFO"), (HIFO, "HIFO")]
Fill = tuple[int, int, int, int]  # side, quantity, price, fee (in the quote asset)
Op = tuple[int, int, int, int]  # signed quantity as a long's, price (mirrored), fee, index of fill
Lots = list[tuple[int, int, int]]  # quantity, price, index of the opening fill

fills = st.lists(
    st.tuples(
        st.sampled_from([BUY, SELL]), st.integers(1, 9), st.integers(1, 40), st.integers(0, 3)
    ),
    min_size=1,
    max_size=25,
)


def instrument(kind: int) -> Instrument:
    """Everything on scale 0: money, prices and quantities are the plain numbers."""
    spec = InstrumentSpec(
        venue="sim", symbol="COIN/USD", kind=kind, base="COIN", quote="USD", settle="USD",
        price_scale=0, quantity_scale=0, base_scale=0, quote_scale=0, tick=1, lot=1, quantity_min=1,
    )  # fmt: skip
    return Instrument(spec)


def ours(method: int, sequence: list[Fill]) -> tuple[list[int], int, Lots]:
    """(gain of each fill, final position, lots left by opening fill) of our own Position."""
    position = Position(instrument(LINEAR), method)
    gains = [
        position.apply_fill(side, price, quantity, index, str(index))
        for index, (side, quantity, price, _) in enumerate(sequence)
    ]
    lots = [(lot.quantity, lot.price, int(lot.order_id)) for lot in position.lots()]
    return gains, position.quantity, sorted(lots, key=lambda lot: lot[2])


def segments(sequence: list[Fill]) -> list[tuple[int, list[Op]]]:
    """The fills as long-only segments (side, ops), split where the position crosses zero."""
    found: list[tuple[int, list[Op]]] = []
    held = 0
    for index, (side, quantity, price, fee) in enumerate(sequence):
        closing = min(quantity, abs(held)) if held * side < 0 else 0
        for part, opens in ((closing, False), (quantity - closing, True)):
            if part == 0:
                continue
            if held == 0:
                found.append((side, []))
            direction, ops = found[-1]
            shown = price if direction == BUY else MIRROR - price
            ops.append((part if opens else -part, shown, fee, index))
            held += side * part
    return found


def judged(
    parts: list[tuple[int, list[Op]]], judgements: list[lots_beancount.Judgement], count: int
) -> tuple[list[int], Lots]:
    """The judgements of the segments as gains of fills and lots left, prices mirrored back."""
    gains = [0] * count
    left: Lots = []
    for (direction, ops), (op_gains, lots) in zip(parts, judgements, strict=True):
        for op, gain in zip(ops, op_gains, strict=True):
            gains[op[3]] += gain
        for quantity, price, at in lots:
            left.append((quantity, price if direction == BUY else MIRROR - price, ops[at][3]))
    return gains, left


@pytest.fixture(scope="module")
def rp2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rp2]:
    """One worker for all examples: importing rp2 takes a second."""
    worker = Rp2(tmp_path_factory.mktemp("rp2"))
    yield worker
    worker.close()


@pytest.mark.parametrize(("method", "name"), METHODS)
@settings(deadline=None)
@given(sequence=fills)
def test_beancount_agrees(method: int, name: str, sequence: list[Fill]) -> None:
    """Long, short, partial, flipping, with fees: the gain of every fill and every lot left."""
    parts = segments(sequence)
    judgements = lots_beancount.judge(name, [[op[:3] for op in ops] for _, ops in parts])
    gains, left = judged(parts, judgements, len(sequence))
    own_gains, quantity, own_left = ours(method, sequence)
    assert gains == own_gains
    assert left == own_left
    assert abs(quantity) == sum(lot[0] for lot in left)


@pytest.mark.parametrize(("method", "name"), METHODS)
@settings(max_examples=60, deadline=None)
@given(sequence=fills)
def test_rp2_agrees(rp2: Rp2, method: int, name: str, sequence: list[Fill]) -> None:
    """The same, by the second judge."""
    parts = segments(sequence)
    judgements = [rp2.judge(name.lower(), [(op[0], op[1], 0) for op in ops]) for _, ops in parts]
    gains, left = judged(parts, judgements, len(sequence))
    own_gains, _, own_left = ours(method, sequence)
    assert gains == own_gains
    assert left == own_left


@pytest.mark.parametrize(("method", "name"), METHODS)
@settings(max_examples=60, deadline=None)
@given(sequence=fills)
def test_a_base_fee_is_a_disposal(rp2: Rp2, method: int, name: str, sequence: list[Fill]) -> None:
    """A fee taken in coins leaves like a sale at the fill's price, say both judges."""
    position = Position(instrument(SPOT), method)
    trades: list[tuple[int, int, int]] = []
    own_gains: list[int] = []
    for side, wanted, price, fee in sequence:
        quantity = wanted if side == BUY else min(wanted, position.quantity)
        if quantity == 0:
            continue
        trades.append((side * quantity, price, 0))
        own_gains.append(position.apply_fill(side, price, quantity, 0, str(len(trades) - 1)))
        due = min(fee, position.quantity)
        if due:
            trades.append((-due, price, 1))
            own_gains.append(position.pay_base_fee(due, price, 0))
    own_left = [(lot.quantity, lot.price, int(lot.order_id)) for lot in position.lots()]
    expected = (own_gains, sorted(own_left, key=lambda lot: lot[2]))
    assert expected == rp2.judge(name.lower(), trades)
    plain = [(quantity, price, 0) for quantity, price, _ in trades]
    assert expected == lots_beancount.judge(name, [plain])[0]

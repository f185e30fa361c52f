"""The judge finds what is broken: each problem's text comes from a state damaged on purpose."""

from collections.abc import Callable

import pytest
from core_world import LINEAR_ID, ONE, CoreWorld

from zvt_trading.core.invariants import problems
from zvt_trading.core.state import Order
from zvt_trading.messages.codes import ACCEPTED, BUY, PENDING, SELL, STOP


class Case:
    """A position, a resting order with a fill, a held stop."""

    def __init__(self) -> None:
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        self.resting: Order = world.order(world.open(BUY, 2 * ONE, 9_900))
        world.fill(self.resting.id, 9_900, ONE)
        self.held: Order = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_500))
        self.world = world


def filled(case: Case) -> None:
    case.resting.filled = -1


def working(case: Case) -> None:
    case.resting.working += 1


def lost(case: Case) -> None:
    del case.resting.holding.orders[case.resting.id]


def held_reserves(case: Case) -> None:
    case.held.working = 1


def twice(case: Case) -> None:
    case.resting.trade_ids.append(case.resting.trade_ids[0])


def count(case: Case) -> None:
    case.world.portfolio.open_orders += 1


def equity(case: Case) -> None:
    case.world.portfolio.equity += 1


def position(case: Case) -> None:
    case.world.holding(LINEAR_ID).position.bought += 1


def lots(case: Case) -> None:
    case.world.holding(LINEAR_ID).position.lots()[0].cost += 1


def open_quantity(case: Case) -> None:
    case.resting.holding.open_buy += 1


def selling(case: Case) -> None:
    case.resting.holding.open_sell += 1


def reservation(case: Case) -> None:
    case.world.balance().held += 1


def margin(case: Case) -> None:
    case.world.balance().margin += 1


def cash(case: Case) -> None:
    case.world.balance().total += 1


Damage = Callable[[Case], None]


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (filled, "filled -1, working 1000"),
        (working, "1001 working, 1000 left"),
        (lost, "is live but not in its holding"),
        (held_reserves, "is held but reserves"),
        (twice, "a trade was applied twice"),
        (count, "main: 3 open orders counted, 2 are"),
        (equity, "main: equity"),
        (position, "position 1000 is not the sum of its fills"),
        (lots, "lots of 1000 at 10000000001 for 1000 at 10000000000"),
        (open_quantity, "open 1001/0, orders 1000/0"),
        (selling, "open 1000/1, orders 1000/0"),
        (reservation, "orders hold"),
        (margin, "positions need"),
        (cash, "the accounts sum to 1, not 0"),
    ],
)
def test_each_damage_is_found(damage: Damage, text: str) -> None:
    """And an undamaged state has none."""
    case = Case()
    assert (ACCEPTED, PENDING) == (case.resting.life, case.held.life)
    world = case.world
    assert [] == problems(world.state)
    damage(case)
    found = problems(world.state)
    assert any(text in problem for problem in found), found

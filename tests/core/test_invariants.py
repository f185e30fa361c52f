"""The judge finds what is broken: each problem's text comes from a state damaged on purpose."""

from collections.abc import Callable

import pytest
from core_world import LINEAR_ID, ONE, CoreWorld

from zvt_trading.core.invariants import problems
from zvt_trading.core.state import Order
from zvt_trading.messages.codes import ACCEPTED, BUY, PENDING, SELL, STOP


def _world() -> tuple[CoreWorld, Order, Order]:
    """A position, a resting order with a fill, a held stop."""
    world = CoreWorld()
    world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
    resting = world.order(world.open(BUY, 2 * ONE, 9_900))
    world.fill(resting.id, 9_900, ONE)
    held = world.order(world.submit(SELL, ONE, kind=STOP, trigger_price=9_500))
    return world, resting, held


def filled(world: CoreWorld, resting: Order, held: Order) -> None:
    resting.filled = -1


def working(world: CoreWorld, resting: Order, held: Order) -> None:
    resting.working += 1


def lost(world: CoreWorld, resting: Order, held: Order) -> None:
    del resting.holding.orders[resting.id]


def held_reserves(world: CoreWorld, resting: Order, held: Order) -> None:
    held.working = 1


def twice(world: CoreWorld, resting: Order, held: Order) -> None:
    resting.trade_ids.append(resting.trade_ids[0])


def count(world: CoreWorld, resting: Order, held: Order) -> None:
    world.portfolio.open_orders += 1


def equity(world: CoreWorld, resting: Order, held: Order) -> None:
    world.portfolio.equity += 1


def position(world: CoreWorld, resting: Order, held: Order) -> None:
    world.holding(LINEAR_ID).position.bought += 1


def lots(world: CoreWorld, resting: Order, held: Order) -> None:
    world.holding(LINEAR_ID).position.lots()[0].cost += 1


def open_quantity(world: CoreWorld, resting: Order, held: Order) -> None:
    resting.holding.open_buy += 1


def selling(world: CoreWorld, resting: Order, held: Order) -> None:
    resting.holding.open_sell += 1


def reservation(world: CoreWorld, resting: Order, held: Order) -> None:
    world.balance().held += 1


def margin(world: CoreWorld, resting: Order, held: Order) -> None:
    world.balance().margin += 1


def cash(world: CoreWorld, resting: Order, held: Order) -> None:
    world.balance().total += 1


Damage = Callable[[CoreWorld, Order, Order], None]


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
    world, resting, held = _world()
    assert (ACCEPTED, PENDING) == (resting.life, held.life)
    assert [] == problems(world.state, world.core.risk)
    damage(world, resting, held)
    found = problems(world.state, world.core.risk)
    assert any(text in problem for problem in found), found

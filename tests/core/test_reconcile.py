"""A venue's statement against what we believe, to the last unit, and what of it may differ."""

import pytest
from core_world import (
    BTC,
    DEPOSIT_BTC,
    INVERSE_ID,
    LINEAR_ID,
    MILLION,
    ONE,
    SPOT_ID,
    CoreWorld,
    spec,
)

from zvt_trading.core.reconcile import (
    ACCOUNT,
    CASH,
    NO_ORDER,
    ORDER,
    POSITION,
    CashRow,
    Difference,
    OpenRow,
    PositionRow,
    Statement,
    differences,
)
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.commands import ListInstrument
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import ForeignActivity


def stated(world: CoreWorld, *, has_exact_costs: bool = True) -> Statement:
    """The statement of a venue that agrees with us in everything."""
    statement = Statement(has_exact_costs=has_exact_costs)
    for balance in world.portfolio.balances:
        if balance.venue == "x":
            statement.cash.append(CashRow("main", balance.asset, balance.total))
    for holding in world.portfolio.holdings.values():
        if not holding.instrument.is_spot:
            position = holding.position
            row = PositionRow("main", holding.instrument.id, position.quantity, position.cost)
            statement.positions.append(row)
        for order in holding.orders.values():
            row_of_order = OpenRow(order.id, order.price, order.quantity, order.filled)
            statement.orders.append(row_of_order)
    return statement


def busy() -> CoreWorld:
    """Cash, a long and an inverse short position, a resting order; elsewhere nothing."""
    world = CoreWorld()
    world.trade_now(BUY, ONE, 10_000)
    world.trade_now(BUY, 2 * ONE, 10_000, instrument=LINEAR_ID)
    world.trade_now(SELL, 3 * ONE, 10_000, instrument=INVERSE_ID)
    world.open(BUY, ONE, 9_990)
    world.do(ListInstrument(spec(venue="y")))
    return world


def only(world: CoreWorld, statement: Statement) -> Difference:
    """The one difference."""
    (found,) = differences(world.state, "x", statement)
    return found


def seen(difference: Difference) -> tuple[str, int, str, int | str, int | str, str]:
    """What a difference consists of, but for the venue."""
    assert "x" == difference.venue
    return (
        difference.account, difference.subject_kind, difference.subject, difference.ours,
        difference.theirs, difference.instrument,
    )  # fmt: skip


class TestAgreement:
    @pytest.mark.parametrize("has_exact_costs", [True, False])
    def test_nothing_differs(self, *, has_exact_costs: bool) -> None:
        world = busy()
        statement = stated(world, has_exact_costs=has_exact_costs)
        assert [] == differences(world.state, "x", statement)

    def test_elsewhere_is_not_here(self) -> None:
        """A venue that we hold nothing at states nothing."""
        assert [] == differences(busy().state, "y", Statement())

    def test_average_cost_and_lots_are_the_same_wealth(self) -> None:
        """A venue that realised another PnL at another cost: wallet less cost is what counts."""
        world = busy()
        statement = stated(world)
        usd = world.balance().total
        cost = world.holding(LINEAR_ID).position.cost
        statement.cash = [CashRow("main", "BTC", world.balance("BTC").total)]
        statement.cash.append(CashRow("main", "USD", usd + 7))
        statement.positions[0] = PositionRow("main", LINEAR_ID, 2 * ONE, cost + 7)
        assert [] == differences(world.state, "x", statement)


class TestDifferences:
    """Each is one subject with both sides of it, and words for a person."""

    def test_cash(self) -> None:
        world = CoreWorld()
        statement = Statement()
        statement.cash.append(CashRow("main", "BTC", DEPOSIT_BTC))
        statement.cash.append(CashRow("main", "USD", MILLION - 3))
        found = only(world, statement)
        assert ("main", CASH, "USD", MILLION, MILLION - 3, "") == seen(found)
        assert "-3" == found.offset()
        assert "x cash main USD" == found.name()
        assert f"main at x: {MILLION} units of USD here, {MILLION - 3} there" == str(found)

    def test_cash_that_one_side_does_not_know(self) -> None:
        """It has none."""
        world = CoreWorld(btc=0)
        statement = stated(world)
        statement.cash.append(CashRow("main", "NEW", 5))
        assert ("main", CASH, "NEW", 0, 5, "") == seen(only(world, statement))
        statement.cash.clear()
        assert ("main", CASH, "USD", MILLION, 0, "") == seen(only(world, statement))

    def test_rows_of_one_asset_add_up(self) -> None:
        """A venue may keep it in several wallets."""
        world = CoreWorld(btc=0)
        statement = Statement()
        statement.cash = [CashRow("main", "USD", MILLION - 3), CashRow("main", "USD", 3)]
        assert [] == differences(world.state, "x", statement)

    def test_a_position(self) -> None:
        world = CoreWorld()
        statement = stated(world)
        statement.positions.append(PositionRow("main", LINEAR_ID, -ONE, 0))
        found = only(world, statement)
        assert ("main", POSITION, LINEAR_ID, 0, -ONE, LINEAR_ID) == seen(found)
        assert f"x position main {LINEAR_ID}" == found.name()
        assert f"main {LINEAR_ID}: a position of 0 here, {-ONE} there" == str(found)

    def test_an_order_that_they_do_not_have(self) -> None:
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        statement = stated(world)
        statement.orders.clear()
        found = only(world, statement)
        terms = f"{ONE} at 9990, 0 filled"
        assert ("", ORDER, order_id, terms, NO_ORDER, SPOT_ID) == seen(found)
        assert f"{terms} here, none there" == found.offset()
        assert f"x order {order_id}" == found.name()
        assert f"x order {order_id}: {terms} here, none there" == str(found)

    @pytest.mark.parametrize("instrument", ["", SPOT_ID])
    def test_an_order_that_we_do_not_have(self, instrument: str) -> None:
        """The venue may say of what."""
        world = CoreWorld()
        statement = stated(world)
        statement.orders.append(OpenRow("alien", 5, 6, 1, instrument))
        expected = ("", ORDER, "alien", NO_ORDER, "6 at 5, 1 filled", instrument)
        assert expected == seen(only(world, statement))

    def test_an_account_of_nobody(self) -> None:
        """Once, however many assets are in it; its positions are nobody's either."""
        world = CoreWorld()
        statement = stated(world)
        statement.cash.extend([CashRow("stranger", "USD", 1), CashRow("stranger", "BTC", 1)])
        statement.positions.append(PositionRow("stranger", LINEAR_ID, ONE, 1))
        found = only(world, statement)
        assert ("stranger", ACCOUNT, "stranger", "none", "one", "") == seen(found)
        assert "x has an account 'stranger' that is no portfolio of ours" == str(found)


class TestForeignOrders:
    @pytest.mark.parametrize(
        ("kind", "count"),
        [(Reason.FOREIGN_ORDER, 0), (Reason.ORPHANED_ORDER, 1), (Reason.LOST_ORDER, 1)],
    )
    def test_somebody_elses_is_no_difference(self, kind: Reason, count: int) -> None:
        """Once it was told; one with our prefix can change what is ours, and stays one."""
        world = CoreWorld()
        statement = stated(world)
        statement.orders.append(OpenRow("alien", 5, 6, 1))
        assert 1 == len(differences(world.state, "x", statement))
        world.report(ForeignActivity("x", "alien", int(kind), "", 0))
        assert count == len(differences(world.state, "x", statement))

    def test_nor_can_one_of_ours_be_declared_foreign(self) -> None:
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        world.report(ForeignActivity("x", order_id, int(Reason.FOREIGN_ORDER), "", 0))
        statement = stated(world)
        statement.orders.clear()
        assert order_id == only(world, statement).subject


class TestRoundedCosts:
    """A live venue's average price: cash waits until no position blurs it."""

    def test_of_positions_of_ours(self) -> None:
        """BTC backs the inverse position, USD the linear one."""
        world = busy()
        statement = stated(world, has_exact_costs=False)
        statement.cash = [CashRow("main", "USD", 1), CashRow("main", "BTC", 1)]
        assert [] == differences(world.state, "x", statement)
        exact = stated(world)
        exact.cash = statement.cash
        assert ["BTC", "USD"] == [one.subject for one in differences(world.state, "x", exact)]

    def test_of_positions_of_theirs(self) -> None:
        """Though we know nothing of them; the position itself differs."""
        world = CoreWorld()
        statement = Statement(has_exact_costs=False)
        statement.cash = [CashRow("main", "USD", 1), CashRow("main", "BTC", 1)]
        statement.positions.append(PositionRow("main", LINEAR_ID, ONE, BTC))
        found = differences(world.state, "x", statement)
        assert [(CASH, "BTC"), (POSITION, LINEAR_ID)] == [
            (one.subject_kind, one.subject) for one in found
        ]

    @pytest.mark.parametrize(
        "row",
        [
            PositionRow("main", LINEAR_ID, 0, 0),
            PositionRow("stranger", LINEAR_ID, ONE, 1),
            PositionRow("main", "x:NONE", ONE, 1),
        ],
    )
    def test_others_excuse_nothing(self, row: PositionRow) -> None:
        """A flat position, another account's, one in what we do not list."""
        world = CoreWorld(btc=0)
        statement = Statement(has_exact_costs=False)
        statement.cash = [CashRow("main", "USD", 1)]
        statement.positions.append(row)
        assert "USD" in [one.subject for one in differences(world.state, "x", statement)]

    def test_positions_elsewhere_excuse_nothing(self) -> None:
        """Nor do flat holdings, nor coins."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000)
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        statement = Statement(has_exact_costs=False)
        statement.cash = [CashRow("main", "USD", 1)]
        found = differences(world.state, "y", statement)
        assert ["USD"] == [one.subject for one in found]
        world.trade_now(SELL, ONE, 10_000, instrument=LINEAR_ID)
        flat = stated(world, has_exact_costs=False)
        flat.cash = [*flat.cash, CashRow("main", "USD", 1)]
        assert "1" == only(world, flat).offset()

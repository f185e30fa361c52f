"""The life of an order from request to end, as the core tells it."""

from typing import Any

import pytest
from core_world import BTC, MILLION, ONE, SPOT_ID, CoreWorld, loose

from zvt_trading.core.limits import CLIENT_TAGS_KEPT, CLOSED_ORDERS_KEPT
from zvt_trading.core.order_ids import sequence_of
from zvt_trading.core.state import Order
from zvt_trading.messages.codes import (
    ACCEPTED,
    BUY,
    CANCELLED,
    EXPIRED,
    FILLED,
    GTD,
    IOC,
    LIMIT,
    PENDING,
    REJECTED,
    SELL,
    STOP,
    SUBMITTED,
    UNKNOWN,
)
from zvt_trading.messages.events import OrderPlaced, OrderRefused
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import OutcomeUnknown, VenueExpired, VenueRejected

NO_ID = "f" * 32
FEE = 10_000_000  # 0.1 % of the 100 dollars that a coin costs, dollars on 8 decimals


def test_a_placed_order_says_what_it_was_decided_on() -> None:
    """The intent carries the request, the reservation and the market it was decided on."""
    world = CoreWorld()
    order_id = world.submit(BUY, ONE, 9_990)
    placed = world.only(OrderPlaced)
    assert order_id == placed.order_id == world.core.orders.last_order_id
    assert SPOT_ID == placed.instrument
    assert (9_999, 10_001) == (placed.bid, placed.ask)
    assert ("USD", 99_900_000_00 + 9_990_000) == (placed.hold_asset, placed.hold)
    assert (False, 0, "") == (placed.held, placed.worst_price, placed.list_id)


def test_the_short_way_in_is_the_same_as_the_command() -> None:
    """`submit` and `command` make the same events."""
    one, other = CoreWorld(), CoreWorld()
    one.submit(BUY, ONE, 9_990)
    other.core.submit(other.now, other.request(BUY, ONE, 9_990))
    other.step()
    assert one.journal == other.journal


def test_a_market_order_is_bounded() -> None:
    """Its worst price is the edge of the collar, and so is its reservation."""
    world = CoreWorld()
    world.submit(BUY, ONE)
    placed = world.only(OrderPlaced)
    assert 10_300 == placed.worst_price
    assert 103 * BTC + 10_300_000 == placed.hold


def test_from_request_to_filled() -> None:
    """SUBMITTED, ACCEPTED, part by part, FILLED; what works and is held shrinks with each fill."""
    world = CoreWorld()
    order = world.order(world.submit(BUY, 10 * ONE, 10_000))
    hold = order.hold
    assert (SUBMITTED, 10 * ONE) == (order.life, order.working)
    world.accept(order.id)
    assert (ACCEPTED, "v0001") == (order.life, order.venue_order_id)
    world.fill(order.id, 10_000, 4 * ONE)
    assert (ACCEPTED, 6 * ONE, hold * 6 // 10) == (order.life, order.working, order.hold)
    world.fill(order.id, 9_990)
    assert (FILLED, 0, 0) == (order.life, order.working, order.hold)
    assert 9_994 == order.average_price()
    assert 10 * ONE == world.position()
    assert 0 == world.portfolio.open_orders
    assert 0 == world.balance().held


@pytest.mark.parametrize(
    ("side", "cash", "coins"),
    [(BUY, -100 * BTC, BTC), (SELL, 100 * BTC, -BTC)],
)
def test_a_spot_fill_moves_both_assets(side: int, cash: int, coins: int) -> None:
    """A buy pays the value and its fee and gets the coins, a sell the other way round."""
    world = CoreWorld()
    order_id = world.open(side, ONE, 10_000)
    world.fill(order_id, 10_000, fee=FEE)
    assert MILLION + cash - FEE == world.balance().total
    assert 100 * BTC + coins == world.balance("BTC").total


def test_an_unknown_order_keeps_its_reservation() -> None:
    """Nothing is given back until the venue says what became of it."""
    world = CoreWorld()
    order = world.order(world.submit(BUY, ONE, 9_990))
    hold = order.hold
    world.report(OutcomeUnknown(order.id, "timeout", 0))
    assert (UNKNOWN, ONE, hold) == (order.life, order.working, order.hold)
    assert [] == world.report(OutcomeUnknown(order.id, "again", 0))
    world.accept(order.id)
    assert ACCEPTED == order.life


def _rejected(world: CoreWorld, order: Order) -> None:
    world.reject(order.id)


def _cancelled(world: CoreWorld, order: Order) -> None:
    world.accept(order.id)
    world.cancel(order.id)
    world.cancelled(order.id)


def _expired(world: CoreWorld, order: Order) -> None:
    world.accept(order.id)
    world.report(VenueExpired(order.id, world.now))


@pytest.mark.parametrize(
    ("end", "life", "reason"),
    [
        (_rejected, REJECTED, Reason.VENUE_REJECTED),
        (_cancelled, CANCELLED, Reason.USER),
        (_expired, EXPIRED, Reason.NONE),
    ],
)
def test_an_end_gives_everything_back(end: Any, life: int, reason: Reason) -> None:
    """However an order ends, nothing of it works and nothing is held."""
    world = CoreWorld()
    order = world.order(world.submit(BUY, ONE, 9_990))
    end(world, order)
    assert (life, reason, 0, 0) == (order.life, order.reason, order.working, order.hold)
    assert (0, 0, 0) == (
        world.portfolio.open_orders, world.balance().held, world.holding().open_buy,
    )  # fmt: skip


def test_a_refused_order_uses_up_its_id_only() -> None:
    """The refusal is an event with the reason; there is no order."""
    world = CoreWorld()
    before = world.balance().held
    order_id = world.submit(BUY, 0)
    refused = world.only(OrderRefused)
    assert (order_id, Reason.INVALID_QUANTITY) == (refused.order_id, refused.reason)
    assert order_id not in world.state.orders
    assert before == world.balance().held
    assert sequence_of(order_id) + 1 == sequence_of(world.submit(BUY, ONE))


@pytest.mark.parametrize(
    ("changes", "reason", "text"),
    [
        ({"portfolio": "none"}, Reason.UNKNOWN_PORTFOLIO, "no portfolio 'none'; open: main"),
        ({"instrument": "x:NONE"}, Reason.UNKNOWN_INSTRUMENT, "no instrument 'x:NONE'"),
        ({"instrument": ":NONE"}, Reason.UNKNOWN_INSTRUMENT, "no instrument ':NONE'"),
        (
            {"instrument": ":BTC/USD", "portfolio": "none"},
            Reason.UNKNOWN_PORTFOLIO,
            "no portfolio 'none'; open: main",
        ),
        ({"client_tag": "t" * 65}, Reason.ID_TOO_LONG, "client id of 65 or strategy of 0"),
        ({"strategy": "s" * 65}, Reason.ID_TOO_LONG, "client id of 0 or strategy of 65"),
        ({"client_tag": "used"}, Reason.DUPLICATE_CLIENT_ID, "client id 'used' was used before"),
    ],
)
def test_names_that_nothing_is_known_of(changes: dict[str, Any], reason: Reason, text: str) -> None:
    """What is wrong with the names of a request is said before anything else."""
    world = CoreWorld()
    world.submit(client_tag="used")
    world.submit(**changes)
    refused = world.only(OrderRefused)
    assert reason == refused.reason
    assert refused.text.startswith(text)


def test_without_any_portfolio_the_refusal_says_none() -> None:
    """The list of what is open is never an empty gap in a sentence."""
    world = CoreWorld()
    world.state.portfolios.clear()
    world.core.submit(world.now, world.request())
    (refused,) = world.core.take()
    assert isinstance(refused, OrderRefused)
    assert "no portfolio 'main'; open: none" == refused.text


def test_client_tags_are_remembered_with_a_bound() -> None:
    """The tag of an order leads to it for as long as it is remembered."""
    world = CoreWorld()
    order_id = world.submit(client_tag="mine")
    assert {"mine": order_id} == world.state.client_tags
    for number in range(CLIENT_TAGS_KEPT - 1):
        world.state.client_tags[f"t{number}"] = order_id
    world.core.submit(world.now, world.request(client_tag="one more"))
    assert "mine" not in world.state.client_tags
    assert "one more" in world.state.client_tags


class TestCancelling:
    def test_a_cancel_is_a_request_until_the_venue_confirms(self) -> None:
        """The order works on; the reason we asked for is kept."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990))
        world.cancel(order.id, Reason.STRATEGY_STOPPED)
        assert (["CancelRequested"], ONE) == (world.names(), order.working)
        world.cancelled(order.id)
        assert (CANCELLED, Reason.STRATEGY_STOPPED) == (order.life, order.reason)

    def test_the_venue_may_cancel_by_itself(self) -> None:
        """Then its reason is the reason."""
        world = CoreWorld()
        order = world.order(world.open(BUY, ONE, 9_990, tif=IOC))
        world.cancelled(order.id, reason=Reason.IMMEDIATE_OR_CANCEL)
        assert Reason.IMMEDIATE_OR_CANCEL == order.reason

    def test_it_may_be_asked_again(self) -> None:
        """A cancel request may be lost: repeating it is allowed."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_990)
        world.cancel(order_id)
        world.cancel(order_id)
        assert ["CancelRequested"] == world.names()

    def test_what_cannot_be_cancelled(self) -> None:
        """An order nobody knows, and one that is over."""
        world = CoreWorld()
        world.cancel(NO_ID)
        assert Reason.UNKNOWN_ORDER == world.why()
        order_id = world.trade_now(BUY, ONE, 10_000)
        world.cancel(order_id)
        assert Reason.ORDER_CLOSED == world.why()

    def test_a_held_order_is_cancelled_at_once(self) -> None:
        """The venue has never heard of it."""
        world = CoreWorld()
        order_id = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500)
        assert PENDING == world.order(order_id).life
        world.cancel(order_id)
        assert ["OrderCancelled"] == world.names()
        assert [] == world.state.markets[SPOT_ID].stops


class TestTheEndOfItsTime:
    def test_a_held_order_expires_by_the_clock(self) -> None:
        """Good till date, kept by the core, so ended by it."""
        world = CoreWorld()
        until = world.now + 2 * 10**9
        order_id = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500, tif=GTD, expire_ts=until)
        world.time(1)
        assert PENDING == world.order(order_id).life
        world.time(1)
        assert EXPIRED == world.order(order_id).life
        assert [] == world.state.markets[SPOT_ID].stops

    def test_a_sent_order_is_the_venues_to_expire(self) -> None:
        """The core's clock does not end what rests at a venue."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_900, tif=GTD, expire_ts=world.now + 10**9)
        world.time(2)
        assert ACCEPTED == world.order(order_id).life

    def test_time_never_goes_back(self) -> None:
        """A command with an older clock is taken at the newest time seen."""
        world = CoreWorld()
        world.time(5)
        world.core.submit(world.now - 10**9, world.request(BUY, ONE, 9_990))
        assert world.now == world.core.take()[0].ts


def test_the_oldest_closed_orders_leave_memory() -> None:
    """Closed orders are bounded; their lists go with their last order."""
    world = CoreWorld()
    first = world.open(BUY, ONE, 9_990)
    legs = world.oco(
        world.request(SELL, ONE, 10_200), world.request(SELL, ONE, kind=STOP, trigger_price=9_800)
    )
    for order_id in (first, *legs):
        world.cancel(order_id)
    for order_id in (first, legs[0]):
        world.cancelled(order_id)
    assert {first, *legs} == set(world.state.closed)
    assert 1 == len(world.state.lists)
    # Fillers: ids that no order has any more.
    world.state.closed.extend(["gone"] * (CLOSED_ORDERS_KEPT - 3))
    closing = [world.core.submit(world.now, world.request(BUY, ONE, 9_980)) for _ in range(4)]
    world.core.take()
    for order_id in closing:
        world.core.report(world.now, _refusal(order_id))
    assert all(order_id not in world.state.orders for order_id in (first, *legs))
    assert {} == world.state.lists
    assert CLOSED_ORDERS_KEPT == len(world.state.closed) - world.state.closed_head
    assert closing[0] in world.state.orders


def _refusal(order_id: str) -> Any:
    return VenueRejected(order_id, int(Reason.VENUE_REJECTED), "", 0)


def test_an_order_that_came_back_to_life_stays() -> None:
    """A rejected order that the venue had after all is not forgotten while it works."""
    world = CoreWorld()
    alive = world.submit(BUY, ONE, 9_990)
    world.reject(alive)
    world.accept(alive)
    world.state.closed.extend(["gone"] * (CLOSED_ORDERS_KEPT - 1))
    other = world.core.submit(world.now, world.request(BUY, ONE, 9_980))
    world.core.report(world.now, _refusal(other))
    assert ACCEPTED == world.state.orders[alive].life


def test_the_list_of_closed_orders_is_cut_now_and_then() -> None:
    """What was taken from its front is dropped in one piece, and nothing is lost."""
    state = CoreWorld().state
    state.closed.extend(str(number) for number in range(CLOSED_ORDERS_KEPT + 5))
    taken = [state.oldest_closed() for _ in range(CLOSED_ORDERS_KEPT)]
    assert [str(number) for number in range(CLOSED_ORDERS_KEPT)] == taken
    assert (5, 0) == (len(state.closed), state.closed_head)
    assert str(CLOSED_ORDERS_KEPT) == state.oldest_closed()


def test_a_limit_order_is_no_market_order() -> None:
    """And nothing has an average price before its first fill."""
    world = CoreWorld(limits=loose(collar_bps=100))
    order = world.order(world.submit(BUY, ONE, 9_990))
    assert LIMIT == order.type
    assert not order.is_market()
    assert not order.is_held()
    assert 0 == order.average_price()


def test_a_closed_leg_stays_while_its_sibling_lives() -> None:
    """What it has filled says how much the sibling may still do."""
    world = CoreWorld()
    world.open(BUY, ONE, 9_990)
    legs = world.oco(
        world.request(SELL, ONE, 10_200), world.request(SELL, ONE, kind=STOP, trigger_price=9_800)
    )
    world.reject(legs[0])
    assert PENDING == world.order(legs[1]).life
    world.state.closed.extend(["gone"] * CLOSED_ORDERS_KEPT)
    other = world.core.submit(world.now, world.request(BUY, ONE, 9_980))
    world.core.report(world.now, _refusal(other))
    assert legs[0] in world.state.orders

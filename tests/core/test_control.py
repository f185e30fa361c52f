"""Everything an operator may ask that is not an order, and what the core does by itself in time."""

from typing import Any

import msgspec
import pytest
from core_world import (
    BTC,
    INVERSE_ID,
    LINEAR_ID,
    MILLION,
    NOW,
    ONE,
    SPOT_ID,
    THREE,
    CoreWorld,
    loose,
    spec,
)

from zvt_trading.core.limits import AMOUNT_MAX
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import DAY
from zvt_trading.messages.codes import (
    ACTIVE,
    BUY,
    CANCELLED,
    HALTED,
    INVERSE,
    LIFO,
    LINEAR,
    REDUCING,
    SCOPE_GLOBAL,
    SCOPE_PORTFOLIO,
    SCOPE_STRATEGY,
    SCOPE_SYMBOL,
    SCOPE_VENUE,
    SELL,
    STOP,
)
from zvt_trading.messages.commands import (
    CancelAll,
    Deposit,
    KillSwitch,
    LimitSet,
    ListInstrument,
    OpenPortfolio,
    SetLeverage,
    SetLimits,
    SetTradingState,
    Transfer,
    Withdraw,
)
from zvt_trading.messages.events import (
    CommandRefused,
    EquitySampled,
    LimitsSet,
    OrderPlaced,
    TradingStateChanged,
)
from zvt_trading.messages.market import VenueStatus
from zvt_trading.messages.reasons import Reason
from zvt_trading.messages.reports import VenueExpired

USD = 10**8
MOST = AMOUNT_MAX * USD


class TestInstruments:
    def test_one_venue_lists_a_symbol_once(self) -> None:
        """Another venue may list it too."""
        world = CoreWorld()
        world.do(ListInstrument(spec()))
        assert Reason.DUPLICATE_INSTRUMENT == world.why()
        world.do(ListInstrument(spec(venue="y")))
        assert 2 == len(world.state.symbols["BTC/USD"].markets)

    @pytest.mark.parametrize(
        ("changes", "text"),
        [
            ({"tick": 0}, "must be > 0"),
            ({"lot": -1}, "must be > 0"),
            ({"quantity_min": 0}, "must be > 0"),
            ({"contract_size": 0}, "must be > 0"),
            ({"leverage_max": 0}, "must be > 0"),
            ({"kind": 3}, "kind 3; 0 spot"),
            ({"settle": "BTC"}, "settles in BTC"),
            ({"kind": INVERSE, "settle": "USD"}, "settles in USD"),
            ({"base_scale": 7}, "BTC has 8 decimals already, not 7"),
            ({"quote_scale": 9}, "USD has 8 decimals already, not 9"),
            ({"base": "ETH", "base_scale": 19}, "ETH has 19 decimals"),
            ({"symbol": "BTC/USD", "price_scale": 3}, "BTC/USD has other scales on x"),
            ({"symbol": "BTC/USD", "quantity_scale": 2}, "BTC/USD has other scales on x"),
            ({"quantity_scale": 7}, "too coarse"),
            ({"quantity_scale": 19}, "0..18 decimals, not 19"),
            ({"price_scale": -1}, "0..18 decimals, not -1"),
            ({"contract_scale": 19}, "0..18 decimals, not 19"),
            ({"leverage_max": 1_001}, "leverage_max 1001; at most 1000"),
            ({"venue": "y" * 65}, "at most 64 characters"),
            ({"symbol": "S" * 65}, "at most 64 characters"),
            ({"base": "B" * 33}, "at most 32 characters"),
            ({"quote": "Q" * 33, "settle": "Q" * 33}, "at most 32 characters"),
        ],
    )
    def test_a_definition_that_contradicts_itself_or_others(
        self, changes: dict[str, Any], text: str
    ) -> None:
        """Refused with what is wrong; nothing is listed."""
        world = CoreWorld()
        fields: dict[str, Any] = {"venue": "y", "symbol": "NEW/USD"}
        fields.update(changes)
        world.do(ListInstrument(spec(**fields)))
        refused = world.only(CommandRefused)
        assert (Reason.INVALID_SPEC, "ListInstrument") == (refused.reason, refused.command)
        assert text in refused.text
        assert "y" not in world.state.venues


class TestPortfolios:
    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            (OpenPortfolio("main", "USD", 8), Reason.DUPLICATE_PORTFOLIO),
            (OpenPortfolio("", "USD", 8), Reason.ID_TOO_LONG),
            (OpenPortfolio("p" * 65, "USD", 8), Reason.ID_TOO_LONG),
            (OpenPortfolio("p", "", 8), Reason.ID_TOO_LONG),
            (OpenPortfolio("p", "A" * 33, 8), Reason.ID_TOO_LONG),
            (OpenPortfolio("p", "USD", 6), Reason.INVALID_SPEC),
            (OpenPortfolio("p", "EUR", 19), Reason.INVALID_SPEC),
            (OpenPortfolio("p", "USD", 8, method=4), Reason.INVALID_SPEC),
        ],
    )
    def test_what_cannot_be_opened(self, command: OpenPortfolio, reason: Reason) -> None:
        """Each for its reason."""
        world = CoreWorld()
        world.do(command)
        assert reason == world.why()

    def test_each_has_its_method(self) -> None:
        """How its lots are consumed."""
        world = CoreWorld(method=LIFO)
        world.do(OpenPortfolio("p" * 64, "EUR", 2))
        assert LIFO == world.holding().position.method
        assert 2 == world.state.asset_scales["EUR"]


class TestCash:
    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            (Deposit("none", "x", "USD", 1), Reason.UNKNOWN_PORTFOLIO),
            (Deposit("main", "none", "USD", 1), Reason.UNKNOWN_INSTRUMENT),
            (Deposit("main", "x", "EUR", 1), Reason.UNKNOWN_ASSET),
            (Deposit("main", "x", "USD", 0), Reason.INVALID_AMOUNT),
            (Deposit("main", "x", "USD", MOST - MILLION + 1), Reason.INVALID_AMOUNT),
            (Withdraw("none", "x", "USD", 1), Reason.UNKNOWN_PORTFOLIO),
            (Withdraw("main", "x", "USD", -1), Reason.INVALID_AMOUNT),
            (Withdraw("main", "x", "USD", MILLION + 1), Reason.INSUFFICIENT_BALANCE),
            (Withdraw("other", "x", "USD", 1), Reason.INSUFFICIENT_BALANCE),
            (Transfer("none", "x", "main", "x", "USD", 1), Reason.UNKNOWN_PORTFOLIO),
            (Transfer("main", "x", "none", "x", "USD", 1), Reason.UNKNOWN_PORTFOLIO),
            (Transfer("main", "x", "other", "x", "USD", MILLION + 1), Reason.INSUFFICIENT_BALANCE),
        ],
    )
    def test_what_cannot_be_moved(self, command: Any, reason: Reason) -> None:
        """Each for its reason, and the refusal names the amount."""
        world = CoreWorld()
        world.do(OpenPortfolio("other", "USD", 8))
        world.do(command)
        assert reason == world.why()
        text = f"{command.amount} units of {command.asset}"
        if reason == Reason.INVALID_AMOUNT:
            text += f"; above 0, and no balance above {MOST}"
        assert text == world.only(CommandRefused).text

    def test_a_balance_may_become_the_largest_there_is(self) -> None:
        """By deposits and by transfers, each to the last unit."""
        world = CoreWorld(usd=0, btc=0)
        world.do(OpenPortfolio("other", "USD", 8))
        world.do(Deposit("main", "x", "USD", MOST))
        assert MOST == world.balance().total
        world.do(Deposit("other", "x", "USD", 1))
        world.do(Transfer("other", "x", "main", "x", "USD", 1))
        assert Reason.INVALID_AMOUNT == world.why()
        world.do(Withdraw("main", "x", "USD", 1))
        world.do(Transfer("other", "x", "main", "x", "USD", 1))
        assert MOST == world.balance().total

    def test_cash_is_neither_profit_nor_loss(self) -> None:
        """The marks that losses are measured from move with it."""
        world = CoreWorld(btc=0)
        world.do(Deposit("main", "x", "USD", USD))
        assert ["Deposited", "EquitySampled"] == world.names()
        world.do(Withdraw("main", "x", "USD", 3 * USD))
        portfolio = world.portfolio
        assert MILLION - 2 * USD == portfolio.equity
        assert portfolio.equity == portfolio.peak_equity == portfolio.day_start_equity
        assert world.balance().total == portfolio.equity

    def test_only_what_is_available_may_leave(self) -> None:
        """What an order reserves stays."""
        world = CoreWorld(specs=[spec(taker_fee=0)], usd=150 * USD, btc=0)
        world.submit(BUY, ONE, 9_900)
        world.do(Withdraw("main", "x", "USD", 52 * USD))
        assert Reason.INSUFFICIENT_BALANCE == world.why()
        world.do(Withdraw("main", "x", "USD", 51 * USD))
        assert 0 == world.balance().available()

    def test_a_transfer_between_portfolios(self) -> None:
        """A withdrawal here, a deposit there."""
        world = CoreWorld(btc=0)
        world.do(OpenPortfolio("other", "USD", 8))
        world.do(Transfer("main", "x", "other", "x", "USD", 5 * USD))
        assert ["Transferred", "EquitySampled", "EquitySampled"] == world.names()
        other = world.state.portfolios["other"]
        assert (MILLION - 5 * USD, 5 * USD) == (world.portfolio.equity, other.equity)
        assert 5 * USD == other.peak_equity

    def test_a_transfer_between_venues(self) -> None:
        """Changes no equity."""
        world = CoreWorld(specs=[spec(), spec(venue="y")], btc=0)
        world.do(Transfer("main", "x", "main", "y", "USD", 5 * USD))
        assert ["Transferred"] == world.names()
        assert 5 * USD == world.balance("USD", "y").total
        assert MILLION == world.portfolio.equity

    def test_an_asset_that_nothing_prices_yet(self) -> None:
        """Its first price is no profit: the marks move when it comes."""
        world = CoreWorld(specs=[spec()], usd=USD, btc=0)
        world.do(ListInstrument(spec("ETH/USD", base="ETH")))
        world.do(Deposit("main", "x", "ETH", 10 * BTC))
        assert ["Deposited"] == world.names()
        world.at(2_000, "x:ETH/USD")
        assert USD + 200 * USD == world.portfolio.equity
        assert USD == world.portfolio.peak_equity
        world.time(1)
        assert 201 * USD == world.portfolio.peak_equity == world.portfolio.day_start_equity


class TestLeverage:
    @pytest.mark.parametrize(
        ("command", "reason"),
        [
            (SetLeverage("none", LINEAR_ID, 2, 0), Reason.UNKNOWN_PORTFOLIO),
            (SetLeverage("main", "x:NONE", 2, 0), Reason.UNKNOWN_INSTRUMENT),
            (SetLeverage("main", SPOT_ID, 2, 0), Reason.INVALID_LEVERAGE),
            (SetLeverage("main", LINEAR_ID, 0, 0), Reason.INVALID_LEVERAGE),
            (SetLeverage("main", LINEAR_ID, 101, 0), Reason.INVALID_LEVERAGE),
            (SetLeverage("main", LINEAR_ID, 2, 2), Reason.INVALID_LEVERAGE),
        ],
    )
    def test_what_cannot_be_set(self, command: SetLeverage, reason: Reason) -> None:
        """Each for its reason."""
        world = CoreWorld()
        world.do(command)
        assert reason == world.why()

    def test_only_while_flat_and_without_orders(self) -> None:
        """A position's margin does not change under it."""
        world = CoreWorld()
        order_id = world.open(BUY, ONE, 9_900, instrument=LINEAR_ID)
        world.do(SetLeverage("main", LINEAR_ID, 2, 0))
        assert Reason.INVALID_LEVERAGE == world.why()
        world.fill(order_id)
        world.do(SetLeverage("main", LINEAR_ID, 2, 0))
        assert Reason.INVALID_LEVERAGE == world.why()
        world.trade_now(SELL, ONE, 10_000, instrument=LINEAR_ID)
        world.do(SetLeverage("main", LINEAR_ID, 2, 1))
        assert ["LeverageSet"] == world.names()

    def test_it_divides_the_margin(self) -> None:
        """Ten times: a tenth."""
        world = CoreWorld(specs=[spec("BTC/USD:USD", LINEAR, taker_fee=0)], btc=0)
        world.do(SetLeverage("main", LINEAR_ID, 10, 0))
        world.submit(BUY, ONE, 10_000, instrument=LINEAR_ID)
        assert 10 * USD == world.only(OrderPlaced).hold


class TestTradingStates:
    @pytest.mark.parametrize(
        ("scope", "key"),
        [
            (SCOPE_GLOBAL, ""),
            (SCOPE_PORTFOLIO, "main"),
            (SCOPE_STRATEGY, "s"),
            (SCOPE_VENUE, "x"),
            (SCOPE_SYMBOL, "BTC/USD"),
        ],
    )
    def test_halted_and_reducing_by_scope(self, scope: int, key: str) -> None:
        """HALTED lets nothing pass, REDUCING what makes the position smaller."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, strategy="s")
        world.do(SetTradingState(scope, key, REDUCING, text="careful"))
        changed = world.only(TradingStateChanged)
        assert (Reason.OPERATOR, "careful") == (changed.reason, changed.text)
        world.submit(BUY, ONE, strategy="s")
        assert Reason.TRADING_REDUCING == world.why()
        world.submit(SELL, ONE, strategy="s")
        assert ["OrderPlaced"] == world.names()
        world.do(SetTradingState(scope, key, HALTED, int(Reason.STORE_FAILED)))
        assert Reason.STORE_FAILED == world.only(TradingStateChanged).reason
        world.submit(SELL, ONE // 2, strategy="s")
        assert Reason.TRADING_HALTED == world.why()
        world.do(SetTradingState(scope, key, ACTIVE))
        world.submit(BUY, ONE, strategy="s")
        assert ["OrderPlaced"] == world.names()

    @pytest.mark.parametrize(
        ("scope", "key", "state"),
        [
            (SCOPE_GLOBAL, "x", HALTED),
            (SCOPE_GLOBAL, "", 3),
            (SCOPE_GLOBAL, "", -1),
            (SCOPE_PORTFOLIO, "none", HALTED),
            (SCOPE_STRATEGY, "s" * 65, HALTED),
            (SCOPE_VENUE, "none", HALTED),
            (SCOPE_SYMBOL, "none", HALTED),
            (5, "", HALTED),
        ],
    )
    def test_scopes_and_states_that_do_not_exist(self, scope: int, key: str, state: int) -> None:
        """Refused; a strategy need not have been seen."""
        world = CoreWorld()
        world.do(SetTradingState(scope, key, state))
        assert Reason.INVALID_SCOPE == world.why()


class TestLimits:
    def test_they_are_replaced(self) -> None:
        """The next order is judged by them."""
        world = CoreWorld()
        world.do(SetLimits(loose(order_notional_max=50 * USD)))
        world.submit(BUY, ONE)
        assert Reason.MAX_ORDER_NOTIONAL == world.why()

    def test_a_set_that_cannot_be(self) -> None:
        """Refused as a whole."""
        world = CoreWorld()
        world.do(SetLimits(LimitSet(scope=0, collar_bps=-1)))
        assert Reason.INVALID_LIMIT == world.why()

    @pytest.mark.parametrize(
        ("notional", "refused"),
        [(90_000 * 10**10, False), (110_000 * 10**10, True)],
    )
    def test_money_is_on_the_portfolio_s_own_scale(self, notional: int, refused: bool) -> None:
        """A portfolio of 10 decimals: the global default of 100,000 is 100,000 * 10^10 there."""
        world = CoreWorld()
        world.do(OpenPortfolio("fine", "EUR", 10))
        world.do(SetLimits(LimitSet(scope=SCOPE_GLOBAL)))
        world.do(
            SetLimits(LimitSet(scope=SCOPE_PORTFOLIO, key="fine", order_notional_max=notional))
        )
        assert (["CommandRefused"] if refused else ["LimitsSet"]) == world.names()

    @pytest.mark.parametrize(("key", "scale"), [("BTC/USD", 3), ("new", 0)])
    @pytest.mark.parametrize("excess", [0, 1])
    def test_quantities_are_on_the_symbol_s_own_scale(
        self, key: str, scale: int, excess: int
    ) -> None:
        """The largest there is, and the next; without decimals while nobody lists the symbol."""
        world = CoreWorld()
        quantity = AMOUNT_MAX * 10**scale + excess
        limits = LimitSet(scope=SCOPE_SYMBOL, key=key, position_quantity_max=quantity)
        world.do(SetLimits(limits))
        assert (["CommandRefused"] if excess else ["LimitsSet"]) == world.names()

    def test_they_may_be_set_before_there_is_a_portfolio(self) -> None:
        """Money then has the usual 8 decimals."""
        core = TradingCore()
        core.command(1, SetLimits(LimitSet(scope=SCOPE_GLOBAL, order_notional_max=10**13)))
        assert [LimitsSet] == [type(event) for event in core.take()]


class TestKillSwitch:
    def test_it_cancels_and_halts(self) -> None:
        """Held orders end at once, sent ones are asked back, nothing new passes; repeatable."""
        world = CoreWorld()
        sent = world.open(BUY, ONE, 9_900)
        held = world.submit(SELL, ONE, kind=STOP, trigger_price=9_500)
        world.do(KillSwitch(text="stop"))
        assert [
            "KillSwitchPulled", "TradingStateChanged", "CancelRequested", "OrderCancelled",
        ] == world.names()  # fmt: skip
        assert CANCELLED == world.order(held).life
        assert Reason.KILL_SWITCH == world.order(sent).reason
        world.submit(BUY, ONE)
        assert Reason.TRADING_HALTED == world.why()
        world.do(KillSwitch())
        assert ["KillSwitchPulled", "TradingStateChanged"] == world.names()
        world.cancelled(sent)
        assert ["OrderCancelled"] == world.names()

    @pytest.mark.parametrize("side", [BUY, SELL])
    @pytest.mark.parametrize("instrument", [LINEAR_ID, INVERSE_ID])
    def test_flattening_a_perpetual(self, side: int, instrument: str) -> None:
        """The whole position, at market, at once, reduce-only."""
        world = CoreWorld()
        world.trade_now(side, 3 * ONE, 10_000, instrument=instrument)
        world.open(-side, ONE, 10_000 + side * 100, instrument=instrument)
        world.do(KillSwitch(flatten=True))
        placed = world.only(OrderPlaced)
        assert (-side, 3 * ONE, True) == (
            placed.request.side, placed.request.quantity, placed.request.reduce_only,
        )  # fmt: skip
        assert 0 == placed.hold

    def test_flattening_spot_sells_what_is_free_then_the_rest(self) -> None:
        """Coins that a resting sell holds are sold when its cancel is confirmed."""
        world = CoreWorld(btc=0)
        world.trade_now(BUY, 3 * ONE, 10_000)
        resting = world.open(SELL, ONE, 10_200)
        world.do(KillSwitch(flatten=True))
        assert 2 * ONE == world.only(OrderPlaced).request.quantity
        world.accept(world.core.orders.last_order_id)
        world.cancelled(resting)
        assert ONE == world.only(OrderPlaced).request.quantity

    def test_all_coins_held(self) -> None:
        """Nothing can be sold before the cancel is confirmed; then all of it is."""
        world = CoreWorld(btc=0)
        world.trade_now(BUY, ONE, 10_000)
        resting = world.open(SELL, ONE, 10_200)
        world.do(KillSwitch(flatten=True))
        assert "OrderPlaced" not in world.names()
        world.cancelled(resting)
        assert ONE == world.only(OrderPlaced).request.quantity
        closing = world.core.orders.last_order_id
        world.reject(closing, Reason.VENUE_NO_LIQUIDITY)
        assert ["OrderRejected"] == world.names()  # a refusing venue is not asked for ever

    def test_an_order_that_fills_during_the_kill(self) -> None:
        """What it opened is closed as well, and not what is being closed already."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        racing = world.open(BUY, 2 * ONE, 9_990, instrument=LINEAR_ID)
        world.do(KillSwitch(flatten=True))
        assert ONE == world.only(OrderPlaced).request.quantity
        world.fill(racing, 9_990, ONE)
        assert ["OrderFilled"] == world.names()
        world.cancelled(racing)
        assert ONE == world.only(OrderPlaced).request.quantity

    def test_dust_below_a_lot_stays(self) -> None:
        """It cannot be sold."""
        world = CoreWorld(specs=[spec(lot=10, quantity_min=10)], btc=0)
        order_id = world.open(BUY, 100, 10_000)
        world.fill(order_id, fee=5 * 10**5, asset="BTC")
        assert 95 == world.position()
        world.do(KillSwitch(flatten=True))
        assert 90 == world.only(OrderPlaced).request.quantity

    def test_rearming_ends_the_flattening(self) -> None:
        """A late report then closes nothing."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        racing = world.open(BUY, ONE, 9_990, instrument=LINEAR_ID)
        world.do(KillSwitch(flatten=True))
        world.do(SetTradingState(SCOPE_GLOBAL, "", ACTIVE))
        world.report(VenueExpired(racing, 0, ONE))
        world.fill(racing, 9_990, ONE)
        assert ["OrderFilled"] == world.names()

    def test_a_venue_that_is_away(self) -> None:
        """The closing order is refused, and says why."""
        world = CoreWorld()
        world.trade_now(BUY, ONE, 10_000, instrument=LINEAR_ID)
        world.market(VenueStatus("x", healthy=False, ts=world.now))
        world.do(KillSwitch(flatten=True))
        assert Reason.VENUE_UNHEALTHY == world.why()


class TestTime:
    def test_equity_is_sampled_when_it_is_a_new_day_or_peak(self) -> None:
        """Once a second at most; nothing is said when nothing is new."""
        world = CoreWorld(usd=MILLION, btc=0)
        world.trade_now(BUY, 100 * ONE, 10_000)
        world.time(1)
        world.at(10_100)
        assert [] == world.time()
        world.time(1)
        sampled = world.only(EquitySampled)
        assert MILLION + 100 * USD == sampled.equity == sampled.peak
        assert MILLION == sampled.day_start
        world.at(10_050)
        assert [] == world.time(1)

    def test_a_new_day_starts_from_todays_equity(self) -> None:
        """And keeps the peak."""
        world = CoreWorld(btc=0)
        world.trade_now(BUY, 100 * ONE, 10_000)
        world.at(9_900)
        world.time((DAY - NOW % DAY) // 10**9)
        sampled = world.only(EquitySampled)
        assert (world.now // DAY, MILLION - 100 * USD) == (sampled.day, sampled.day_start)
        assert MILLION == sampled.peak

    @pytest.mark.parametrize(
        ("changes", "reason", "limit", "value"),
        [
            ({"daily_loss_max": 50 * USD}, Reason.DAILY_LOSS, 50 * USD, 100 * USD),
            ({"drawdown_bps_max": 0, "daily_loss_bps_max": 10_000}, Reason.DRAWDOWN, 0, 1),
        ],
    )
    def test_a_breach_makes_the_portfolio_reducing(
        self, changes: dict[str, int], reason: Reason, limit: int, value: int
    ) -> None:
        """By itself, once; a person re-arms it."""
        world = CoreWorld(limits=loose(**changes), btc=0)
        world.trade_now(BUY, 100 * ONE, 10_000)
        world.at(9_900)
        world.time(1)
        changed = world.only(TradingStateChanged)
        assert (SCOPE_PORTFOLIO, "main", REDUCING) == (changed.scope, changed.key, changed.state)
        assert (reason, limit, value) == (changed.reason, changed.limit, changed.value)
        assert [] == world.time(1)
        world.submit(BUY, ONE)
        assert Reason.TRADING_REDUCING == world.why()

    def test_a_portfolio_without_money_is_sampled_too(self) -> None:
        """Its first day begins with nothing."""
        world = CoreWorld(usd=0, btc=0)
        assert ["EquitySampled"] == [type(event).__name__ for event in world.time(1)]
        assert 0 == world.portfolio.day_start_equity


def test_a_venue_that_would_not_do_it() -> None:
    """The shell says so, and it is on record as a refusal of that command."""
    world = CoreWorld()
    world.core.refuse(
        world.now, Withdraw("main", "x", "USD", 1), Reason.VENUE_BALANCE, "locked by the venue"
    )
    world.step()
    refused = world.only(CommandRefused)
    assert ("Withdraw", "locked by the venue") == (refused.command, refused.text)
    assert Reason.VENUE_BALANCE == refused.reason


def test_a_command_that_is_none() -> None:
    """A bug of the caller, not a refusal."""
    world = CoreWorld()
    wrong: Any = msgspec.Raw(b"{}")
    with pytest.raises(TypeError):
        world.core.command(world.now, wrong)


def test_cancel_all_says_nothing_when_there_is_nothing() -> None:
    """No orders, no events."""
    world = CoreWorld(specs=THREE)
    world.do(CancelAll())
    assert [] == world.last

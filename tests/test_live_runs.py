"""Paper and live runs on emulated exchanges: how they begin, what they refuse, how they end."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from live_run_world import World, live_run_world
from zvt_trading import live_runs
from zvt_trading.adapters.ccxt.accounts import dialect_of
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.model import Mode, Settings, VenueSettings
from zvt_trading.bootstrap import stored_memory
from zvt_trading.core.risk_limits import ORDER_NOTIONAL
from zvt_trading.emulator.faults import FRAME_DROP, PUBLIC, Fault, Rate
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.errors import EngineError, VenueError
from zvt_trading.live_runs import RunStatus
from zvt_trading.live_setup import Keys, paper_setup, start_engine, timing_of
from zvt_trading.messages.codes import CROSS, SCOPE_GLOBAL

BUYER = """
from zvt_trading.strategies import Strategy

class Buyer(Strategy):
    '''Buys once, and rests an order far below the market.'''

    def __init__(self, quantity="0.01"):
        self.quantity = quantity
        self.is_done = False

    def on_quote(self, quote):
        if quote.instrument != "okx:BTC/USDT" or not quote.bid or self.is_done:
            return
        self.is_done = True
        self.context.place("BTC/USDT", "buy", self.quantity, exchange="okx")
        self.context.place(
            "BTC/USDT", "buy", "0.002", exchange="okx", order_type="limit", price="59000"
        )
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with live_run_world(tmp_path, "okx") as made:
        yield made


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """How it stands is said often, so that no test waits for it."""
    monkeypatch.setattr(live_runs, "STATUS_SECONDS", 0.1)


def buyer(folder: Path, parameters: str = "{}") -> str:
    path = folder / "buyer.py"
    path.write_text(BUYER, encoding="utf-8")
    return f'[strategies.buyer]\nclass = "{path}:Buyer"\nparameters = {parameters}\n'


def test_a_live_run_takes_the_account_over_trades_and_leaves_nothing_open(
    world: World, tmp_path: Path
) -> None:
    """It begins with the venue's balances; its resting order is cancelled at the end."""
    before = world.at_venue("okx")
    settings = world.settings(Mode.LIVE, buyer(tmp_path))
    statuses = world.run(settings, lambda status: status.open_orders == 1)
    assert ("", "", {}) == (statuses[-1].suspended, statuses[-1].store, statuses[-1].stopped)
    assert [] == [order for order in world.emulator.houses["okx"].orders.values() if order.is_open]
    after = world.at_venue("okx")
    assert before["BTC"] + Decimal("0.00999") == after["BTC"]  # 0.1 % fee, of what came in
    assert after["USDT"] < before["USDT"]
    traded = {asset: amount for asset, amount in after.items() if asset != "ETH"}
    assert traded == world.in_store()


def test_a_second_life_goes_on(world: World, tmp_path: Path) -> None:
    """Nothing is deposited twice, and what was bought is still there."""
    world.run(world.settings(Mode.LIVE, buyer(tmp_path)), lambda status: status.open_orders == 1)
    first = world.in_store()
    world.run(world.settings(Mode.LIVE))
    assert first == world.in_store()


def test_paper_needs_no_keys_and_moves_nothing_at_the_venue(world: World, tmp_path: Path) -> None:
    """The market is the venue's, the money is the config's."""
    before = world.at_venue("okx")
    settings = world.settings(Mode.PAPER, buyer(tmp_path, '{ quantity = "0.02" }'))
    statuses = world.run(settings, lambda status: status.open_orders == 1)
    assert before == world.at_venue("okx")
    bought = world.in_store()
    assert Decimal("0.02") == bought["BTC"].quantize(Decimal("0.001"))
    assert bought["USDT"] < Decimal(5000)
    assert abs(statuses[-1].equity["default"] - 5000) < 10


def test_paper_goes_on_in_its_store(world: World, tmp_path: Path) -> None:
    """With its simulated venues as they were left."""
    world.run(world.settings(Mode.PAPER, buyer(tmp_path)), lambda status: status.open_orders == 1)
    first = world.in_store()
    world.run(world.settings(Mode.PAPER))
    assert first == world.in_store()


@pytest.mark.parametrize(("first", "second"), [(Mode.PAPER, Mode.LIVE), (Mode.LIVE, Mode.PAPER)])
def test_a_store_is_for_one_mode(world: World, first: Mode, second: Mode) -> None:
    """Paper money in a live store would be taken for real."""
    world.run(world.settings(first))
    with pytest.raises(
        ConfigError,
        match=rf"is for {first} trading: okx \(testnet\), and this run is for {second} trading",
    ):
        world.run(world.settings(second))


def test_a_store_of_something_else_is_refused(world: World) -> None:
    """Of a demo, for one."""
    from zvt_trading.runs import run_demo

    run_demo(duration_seconds=1, strategies=("twap",), db_url=world.url)
    with pytest.raises(ConfigError, match="was not made by `zvt-trading run`"):
        world.run(world.settings(Mode.PAPER))


def test_live_has_one_portfolio(world: World) -> None:
    """An account does not say whose money it has; paper accounts do."""
    two = '[[portfolio]]\nname = "a"\ncash = { okx = "10" }\n[[portfolio]]\nname = "b"\n'
    with pytest.raises(ConfigError, match=r"^portfolio: live trading has one portfolio, not 2"):
        world.run(world.settings(Mode.LIVE, portfolio=two))
    [status] = world.run(world.settings(Mode.PAPER, portfolio=two))
    assert {"a": Decimal(10), "b": Decimal(0)} == status.equity


@pytest.mark.parametrize(
    ("portfolio", "said"),
    [
        ('name = "other"', "portfolio.0.name: the store has no 'other', it has: default"),
        ('base_asset = "BTC"', "portfolio.0.base_asset: in the store it is USDT"),
        ('method = "lifo"', "portfolio.0.method: in the store it is another one"),
    ],
)
def test_a_portfolio_is_what_the_store_says(world: World, portfolio: str, said: str) -> None:
    """It is opened at the first start; a config that means another one is not followed."""
    world.run(world.settings(Mode.LIVE))
    with pytest.raises(ConfigError) as caught:
        world.run(world.settings(Mode.LIVE, portfolio=f"[[portfolio]]\n{portfolio}\n"))
    assert str(caught.value).startswith(said)
    world.run(world.settings(Mode.LIVE))  # the lease was given back


def test_limits_and_leverage_are_set(world: World) -> None:
    """At the venue too; once is enough."""
    settings = world.settings(
        Mode.LIVE, "[risk.global]\norder_notional_max = 750.5\n", venue="leverage = 3\n"
    )
    world.run(settings)
    world.run(settings)
    listing = world.emulator.houses["okx"].exchange.desk.listings["okx:BTC/USDT:USDT"]
    seat = listing.seats["default"]
    assert (3, CROSS) == (seat.leverage, seat.margin_mode)
    memory = stored_memory(world.url)
    try:
        state, risk = memory.core.state, memory.core.risk
        position = state.portfolios["default"].holdings["okx:BTC/USDT:USDT"].position
        assert (3, CROSS) == (position.leverage, position.margin_mode)
        unit = 10 ** state.portfolios["default"].base_scale
        assert 7505 * unit == 10 * risk.limits.own(ORDER_NOTIONAL, SCOPE_GLOBAL, "")
    finally:
        memory.close()


def test_leverage_that_the_venue_refuses_ends_the_start(world: World) -> None:
    """Our books must not say otherwise than the venue."""
    settings = world.settings(Mode.LIVE, venue='leverage = 3\nmargin_mode = "isolated"\n')
    with pytest.raises(VenueError, match=r"okx set no leverage: .* isolated"):
        world.run(settings)
    world.run(world.settings(Mode.LIVE))  # the lease was given back


def test_an_engine_that_fails_ends_the_run(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """EngineError: it does not look as if it still traded; the store can be used again."""
    engines: list[CryptoTradingEngine] = []

    def start(settings: Settings, keys: Keys) -> CryptoTradingEngine:
        engines.append(start_engine(settings, keys))
        return engines[0]

    def break_it(_: RunStatus) -> bool:
        with pytest.raises(EngineError):
            engines[0]._driver.guarded(lambda: 1 // 0)
        return False

    with monkeypatch.context() as patch:
        patch.setattr(live_runs, "start_engine", start)
        with pytest.raises(EngineError, match="ZeroDivisionError"):
            world.run(world.settings(Mode.LIVE), break_it)
    world.run(world.settings(Mode.LIVE))


def silence(world: World) -> None:
    """The market's streams are open, and say nothing."""
    silent = Rate(Fault(kind=FRAME_DROP, endpoint=PUBLIC), 10_000)
    world.emulator.houses["okx"].faults.set_profile(1, (silent,))


def test_who_stops_it_before_it_began_gets_no_orders(world: World, tmp_path: Path) -> None:
    """The strategies wait for prices, and are never started."""
    silence(world)
    before = world.at_venue("okx")
    [status] = world.run(world.settings(Mode.LIVE, buyer(tmp_path)))
    assert not status.is_ready
    assert (before, {}) == (world.at_venue("okx"), world.emulator.houses["okx"].orders)


def test_a_market_that_is_not_heard_is_told_of_and_not_waited_for_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Strategies begin without it: what it lists can be traded elsewhere."""
    silence(world)
    monkeypatch.setattr(live_runs, "START_SECONDS_MAX", 0)
    [status] = world.run(world.settings(Mode.PAPER))
    assert ("okx:BTC/USDT", "okx:BTC/USDT:USDT") == status.unpriced
    assert not status.is_ready


def test_a_strategy_that_cannot_be_made_is_refused_first(world: World, tmp_path: Path) -> None:
    """No venue was asked anything, and there is no store."""
    with pytest.raises(
        ConfigError, match=r"^strategies\.buyer: .* has no parameter 'size'; it has: quantity$"
    ):
        world.run(world.settings(Mode.LIVE, buyer(tmp_path, "{ size = 1 }")))
    assert not (tmp_path / "run.db").exists()


def test_a_strategy_that_fails_is_told_of(world: World, tmp_path: Path) -> None:
    """The run goes on, and its status names the strategy and the error."""
    more = buyer(tmp_path, '{ quantity = "none" }')
    statuses = world.run(world.settings(Mode.PAPER, more), lambda status: bool(status.stopped))
    assert "none" in statuses[-1].stopped["buyer"]


def test_a_venue_that_lists_it_not_is_named(world: World) -> None:
    """And the store can be used again at once."""
    settings = world.settings(Mode.LIVE)
    symbols = {"okx": settings.venues["okx"].model_copy(update={"symbols": ("XRP/USDT",)})}
    with pytest.raises(VenueError, match="okx does not list 'XRP/USDT'"):
        world.run(settings.model_copy(update={"venues": symbols}))
    world.run(settings)


def test_a_venue_is_waited_for_as_the_settings_and_its_rules_say() -> None:
    """Absence: the time it may still take an order, what its queries are behind, and the clocks.

    It is asked a tenth earlier than said, so that the answer is there in time.
    """
    given = VenueSettings(symbols=("BTC/USDT",), answer_timeout_ms=2_500, reconcile_seconds=7)
    profile = dialect_of("okx").profile
    timing = timing_of(profile, given)
    assert (2_500_000_000, 6_300_000_000) == (timing.answer_timeout, timing.poll_every)
    absence_ms = profile.validity_ms + profile.read_lag_ms + 1_000
    assert absence_ms * 1_000_000 == timing.absence_after


def test_paper_cash_is_by_venue(world: World) -> None:
    """Of those that are enabled."""
    portfolio = '[[portfolio]]\ncash = { okx = "5000.5" }\n'
    settings = world.settings(Mode.PAPER, portfolio=portfolio)
    setup = paper_setup(settings.portfolios[0], settings)
    assert (0, (("okx", "USDT", Decimal("5000.5")),)) == (setup.cash, setup.coins)

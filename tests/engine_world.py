"""A tiny world made by hand: two spot venues and a perpetual, prices as the test says, no latency.

BTC/USDT is quoted 59,999.0 / 60,001.0 on alpha and 59,998.0 / 60,000.0 on beta; alpha's taker fee
is 10 bps, beta's 20. The tick is 0.1, the lot 0.0001, the least notional 5 USDT.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal

from zvt_trading.bootstrap import NO_LATENCY, PortfolioSetup, build_world
from zvt_trading.core.invariants import problems
from zvt_trading.core.units import SECOND
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.codes import LINEAR, SPOT
from zvt_trading.messages.market import InstrumentSpec, MarginTier, MarketData, QuoteTick
from zvt_trading.runtime.world import World
from zvt_trading.sim.fills import RecordedMarket
from zvt_trading.sim.link import LinkProfile
from zvt_trading.types import Number, OrderInfo, OrderRequest

START = 1_700_000_000 * SECOND
BTC = "BTC/USDT"
PERPETUAL = "BTC/USDT:USDT"


class ListFeed:
    """Messages from memory."""

    def __init__(self, messages: Sequence[MarketData]) -> None:
        self._messages = messages
        self._given = 0

    def __iter__(self) -> Iterator[MarketData]:
        """The messages, once."""
        for message in self._messages:
            self._given += 1
            yield message

    def progress(self) -> tuple[int, int]:
        """Messages given, of all."""
        return self._given, len(self._messages)


def spec(venue: str, symbol: str = BTC, maker: int = 8, taker: int = 10) -> InstrumentSpec:
    """An instrument; fees in basis points."""
    perpetual = symbol.count(":") == 1
    return InstrumentSpec(
        venue=venue,
        symbol=symbol,
        kind=LINEAR if perpetual else SPOT,
        base=symbol.partition("/")[0],
        quote="USDT",
        settle="USDT",
        price_scale=2,
        quantity_scale=5,
        base_scale=8,
        quote_scale=8,
        tick=10,
        lot=10,
        quantity_min=10,
        notional_min=5 * 10**8,
        maker_fee=maker * 10_000,
        taker_fee=taker * 10_000,
        leverage_max=20 if perpetual else 1,
        margin_tiers=(MarginTier(0, 400_000, 0, 20),) if perpetual else (),
    )


SPECS = (spec("alpha"), spec("beta", taker=20), spec("alpha", PERPETUAL, maker=2, taker=5))


def quote(
    instrument: str, bid: str, ask: str, *, after: float = 0.0, size: str = "10"
) -> QuoteTick:
    """A quote `after` seconds from the start."""
    lots = int(Decimal(size) * 100_000)
    prices = [int(Decimal(price) * 100) for price in (bid, ask)]
    ts = START + int(after * SECOND)
    return QuoteTick(instrument, prices[0], lots, prices[1], lots, ts)


OPENING = (
    quote("alpha:BTC/USDT", "59999", "60001"),
    quote("beta:BTC/USDT", "59998", "60000"),
    quote("alpha:BTC/USDT:USDT", "60009", "60011"),
)
CLOSE = quote("alpha:BTC/USDT", "59999", "60001", after=3_600)
"""Keeps the feed from ending before a test is over."""


def second_quotes(count: int) -> list[QuoteTick]:
    """Quotes of alpha, a second apart from the first on."""
    return [quote("alpha:BTC/USDT", "59999", "60001", after=n) for n in range(1, count + 1)]


def world_of(
    *later: MarketData,
    specs: Sequence[InstrumentSpec] = SPECS,
    latency: LinkProfile = NO_LATENCY,
    portfolios: Sequence[PortfolioSetup] = (
        PortfolioSetup(coins=(("alpha", "BTC", 1), ("beta", "BTC", 1))),
    ),
) -> World:
    """The world before its first message."""
    return build_world(
        specs,
        ListFeed([*OPENING, *later, CLOSE]),
        lambda listed: RecordedMarket(listed.tick),
        portfolios=portfolios,
        outward=latency,
        inward=latency,
    )


def engine_of(
    *later: MarketData, latency: LinkProfile = NO_LATENCY, specs: Sequence[InstrumentSpec] = SPECS
) -> CryptoTradingEngine:
    """An engine that has seen the opening quotes."""
    engine = CryptoTradingEngine(world_of(*later, latency=latency, specs=specs))
    engine.advance("0.001")
    return engine


def order(side: str = "buy", quantity: Number = "0.1", **fields: object) -> OrderRequest:
    """An order for BTC/USDT on alpha, at market unless told."""
    given: dict[str, object] = {"symbol": BTC, "exchange": "alpha", **fields}
    return OrderRequest(side=side, quantity=quantity, **given)  # type: ignore[arg-type]  # a table


def limit(side: str, quantity: str, price: str, **fields: object) -> OrderRequest:
    """A limit order for BTC/USDT on alpha."""
    return order(side, quantity, order_type="limit", price=price, **fields)


def assert_sound(engine: CryptoTradingEngine) -> None:
    """Every invariant of the core holds and the books are exact."""
    core = engine.world.simulation.core
    assert [] == problems(core.state)
    assert {0} == {row.difference for row in engine.ledger()} | {0}


def picture(engine: CryptoTradingEngine) -> tuple[list[OrderInfo], str, str]:
    """Orders, balances and positions: all that a request that did nothing leaves unchanged."""
    summary = engine.get_portfolio_summary("default")
    return engine.get_orders(), str(summary.balances), str(summary.positions)

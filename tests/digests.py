"""Digests of fixed runs, one `name=digest` a line: `PYTHONPATH=.. python -m digests` in tests/.

Two builds (interpreted, compiled) must print the same; see tools/compare_digests.py. Nothing in
here depends on the time a run takes. It fails when a journal's rows are not the same on SQLite and
on PostgreSQL (stored_digests.py).
"""

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import stored_digests
from engine_world import PERPETUAL, engine_of, limit, order, quote
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.commands import LimitSet
from zvt_trading.messages.market import MarketData
from zvt_trading.runs import run_demo, run_replay
from zvt_trading.sim.link import LinkProfile
from zvt_trading.types import OrderRequest, RunReport

ROOT = Path(__file__).resolve().parent.parent
RECORDING = "binance/spot_btcusdt_20240808.gz"
DEMO_SECONDS = 20

FAULTY = LinkProfile(
    delay_min=2_000_000,
    delay_max=8_000_000,
    loss_ppm=20_000,
    duplicate_ppm=50_000,
    reorder_ppm=50_000,
    reorder_delay=20_000_000,
)
"""Loses, doubles and reorders messages, so that the protocol of unknown outcomes is at work."""


def main() -> None:
    """Print them all."""
    for seed in (1, 2, 3):
        report = run_demo(seed=seed, duration_seconds=DEMO_SECONDS)
        print(f"demo_{seed}={report_digest(report)}", flush=True)
    for name, link in (("", LinkProfile()), ("_faulty", FAULTY)):
        engine = engine_of(*market(), latency=link)
        print(f"scenario{name}={scenario(engine)}", flush=True)
    data = Path(os.environ.get("ZVT_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if (data / RECORDING).exists():
        print(f"replay_spot={report_digest(run_replay([data / RECORDING]))}", flush=True)
    for line in stored_digests.lines():
        print(line, flush=True)


def report_digest(report: RunReport) -> str:
    """The state's digest and everything that the report shows, but how long it took."""
    shown = (
        report.digest, report.orders, report.fills, report.positions, report.portfolios,
        report.ledger, report.equity_curve, report.prices, sorted(report.refusals.items()),
        report.events, report.market_messages, report.book_checks,
    )  # fmt: skip
    return blake2b(repr(shown).encode(), digest_size=16).hexdigest()


def market() -> list[MarketData]:
    """Two minutes of prices that go up and down far enough to fire every stop below."""
    messages: list[MarketData] = []
    for second in range(1, 120):
        middle = 60_000 + (second * 37) % 400 - 200 + (second % 40) * 10
        for name, shift in (("alpha:BTC/USDT", 0), ("beta:BTC/USDT", 3), (f"alpha:{PERPETUAL}", 9)):
            price = middle + shift
            messages.append(quote(name, str(price - 1), str(price + 1), after=second, size="0.4"))
    return messages


def orders() -> Iterator[OrderRequest]:
    """Every order type, time in force, side, market, and the router."""
    for symbol, exchange in (("BTC/USDT", "alpha"), ("BTC/USDT", None), (PERPETUAL, "alpha")):
        for side, near, far in (("buy", 60_200, 59_900), ("sell", 59_800, 60_100)):
            place = {"symbol": symbol, "exchange": exchange}
            stop = {"order_type": "stop", "trigger_price": near}
            yield order(side, "0.05", **place)
            yield limit(side, "0.05", str(far), **place)
            yield limit(side, "0.5", str(near), time_in_force="ioc", **place)
            yield limit(side, "0.5", str(near), time_in_force="fok", **place)
            yield limit(side, "0.05", str(far), post_only=True, **place)
            yield order(side, "0.03", **stop, **place)
            yield order(
                side, "0.03", **{**stop, "order_type": "stop_limit", "price": near}, **place
            )
            yield order(side, "0.03", order_type="take_profit", trigger_price=far, **place)
            yield order(
                side, "0.03", order_type="take_profit_limit", trigger_price=far, price=far, **place
            )
            yield order(side, "0.02", order_type="trailing_stop", trailing_offset=50, **place)
            yield order(side, "0.02", order_type="trailing_stop", trailing_offset_bps=10, **place)


def scenario(engine: CryptoTradingEngine) -> str:
    """Place them all while the market moves, amend, cancel, link, move money, kill; the digest."""
    engine.set_limits(LimitSet(scope=0, repeated_executions_max=10_000))
    engine.set_leverage("default", PERPETUAL, "alpha", 3, "isolated")
    answers: list[str] = []
    for index, request in enumerate(orders()):
        result = engine.place_order(request)
        answers.append(f"{result.status.value} {result.reason} {result.avg_fill_price}")
        if index % 7 == 3 and result.success:
            engine.amend_order(result.order_id, quantity="0.04")
        if index % 11 == 5 and result.success:
            engine.cancel_order(result.order_id)
        engine.advance(1)
    engine.place_oco(
        limit("sell", "0.1", "60900"), order("sell", order_type="stop", trigger_price="59800")
    )
    engine.place_bracket(order("buy", "0.1"), take_profit="60900", stop_loss="59800")
    engine.transfer("USDT", 100, from_exchange="alpha", to_exchange="beta")
    engine.advance(30)
    engine.cancel_all(side="buy")
    for _ in range(4):  # the book is thin: a part is sold each time
        engine.kill_switch(flatten=True)
        engine.advance(1)
    engine.close()
    shown = (engine.digest(), answers, engine.get_orders(), engine.get_fills(), engine.ledger())
    return blake2b(repr(shown).encode(), digest_size=16).hexdigest()


if __name__ == "__main__":
    main()

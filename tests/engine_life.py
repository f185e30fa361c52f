"""A life of an engine on a store, and what its public interface says of it, before and after.

python -c "from engine_life import *; die(URL)"     the same, ended by SIGKILL
"""

import os
import signal
import subprocess
import sys
from typing import Any, Final

import msgspec

from conftest import ROOT
from zvt_trading.bootstrap import generated_world, stored_memory
from zvt_trading.engine import CryptoTradingEngine
from zvt_trading.messages.events import Event, OrderPlaced
from zvt_trading.sim.link import LinkProfile
from zvt_trading.types import OrderRequest, OrderResult

SPOT: Final = "BTC/USDT"
PERPETUAL: Final = "BTC/USDT:USDT"
SECOND: Final = 10**9
SLOW: Final = LinkProfile(delay_min=5 * SECOND, delay_max=5 * SECOND)
"""A message takes so long that an engine can be seen waiting for its answer."""

_OF_THE_MARKET: Final = ("mark_price", "market_value", "unrealized_pnl", "liquidation_price")
_SUMMED: Final = (
    "portfolio_id", "base_asset", "realized_pnl", "fees", "funding", "open_orders",
    "trading_state", "accounting_method",
)  # fmt: skip

Said = dict[str, Any]


def order(side: str, quantity: str, **fields: Any) -> OrderRequest:
    """An order for BTC/USDT on binance, at market unless told."""
    return OrderRequest(
        **{"symbol": SPOT, "exchange": "binance", **fields}, side=side, quantity=quantity
    )


def limit(side: str, quantity: str, price: str, **fields: Any) -> OrderRequest:
    """One that rests: the market is at 60,000."""
    return order(side, quantity, order_type="limit", price=price, **fields)


def trade(engine: CryptoTradingEngine) -> None:
    """Everything that leaves a trace."""
    engine.open_portfolio("second", "USDT", "lifo")
    engine.deposit("second", "binance", "USDT", 20_000)
    engine.transfer("USDT", 1_000, from_exchange="okx", to_exchange="bybit")
    engine.withdraw("default", "coinbase", "USDT", "0.5")
    engine.set_leverage("default", PERPETUAL, "okx", 5, "isolated")
    engine.set_trading_state("reducing", "symbol", "ETH/USDT")
    taken = [
        order("buy", "0.05", client_order_id="first", metadata={"why": "test"}),
        order("sell", "0.02"),
        order("buy", "0.04", strategy_id="mine"),
        order("buy", "0.03", exchange="bybit"),
        order("sell", "0.1", symbol=PERPETUAL, exchange="okx"),
        order("buy", "0.02", portfolio_id="second"),
        limit("buy", "0.05", "50000"),
        limit("buy", "0.01", "51000", strategy_id="mine", post_only=True),
        limit("sell", "0.02", "70000", portfolio_id="second"),
        limit("buy", "0.05", "52000", symbol=PERPETUAL, exchange="okx", reduce_only=True),
        order("sell", "0.01", order_type="stop", trigger_price="55000", exchange="bybit"),
        order("sell", "0.01", order_type="trailing_stop", trailing_offset_bps=900),
    ]
    placed = [accepted(engine.place_order(request)) for request in taken]
    bracket = engine.place_bracket(
        limit("buy", "0.02", "53000"), take_profit="71000", stop_loss="45000"
    )
    assert all(result.success for result in bracket)
    assert engine.amend_order(placed[6], price="50100").success
    gone = accepted(engine.place_order(limit("buy", "0.015", "49000")))
    assert engine.cancel_order(gone)
    engine.advance(3)


def accepted(result: OrderResult) -> str:
    """Its id; it must have been placed."""
    assert result.success, result.message
    return result.order_id


def said(engine: CryptoTradingEngine) -> Said:
    """What does not move with the market, as JSON has it."""
    summaries = [engine.get_portfolio_summary(name) for name in ("default", "second")]
    positions = [
        {
            name: value
            for name, value in msgspec.to_builtins(position).items()
            if name not in _OF_THE_MARKET
        }
        for summary in summaries
        for position in summary.positions
    ]
    balances = [
        (summary.portfolio_id, b.exchange, b.asset, b.total, b.reserved, b.margin, b.available)
        for summary in summaries
        for b in summary.balances
    ]
    told = {
        "orders": engine.get_orders(),
        "positions": positions,
        "balances": sorted(balances),
        "summaries": [[str(getattr(summary, name)) for name in _SUMMED] for summary in summaries],
        "ledger": engine.ledger(),
    }
    found: Said = msgspec.json.decode(msgspec.json.encode(told))
    return found


def live(url: str) -> Said:
    """A life that ends in order; what was said last."""
    with CryptoTradingEngine(db_url=url) as engine:
        trade(engine)
        return said(engine)


def die(url: str) -> None:
    """The same life; then the process is gone between two instructions."""
    engine = CryptoTradingEngine(db_url=url)
    trade(engine)
    _leave(said(engine))


def die_sending(url: str) -> None:
    """Gone when an order is durable and on its way, and its answer is not here."""
    engine = slow_engine(url)

    def kill(event: Event) -> None:
        if isinstance(event, OrderPlaced):
            _leave({"order_id": event.order_id})

    engine.subscribe(kill)
    engine.place_order(limit("buy", "0.05", "50000"))


def slow_engine(url: str) -> CryptoTradingEngine:
    """On venues far away."""
    return CryptoTradingEngine(generated_world(memory=stored_memory(url), latency=SLOW))


def _leave(told: Said) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(told))
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def killed(life: str, url: str) -> Said:
    """Run a life of this module in another process until it dies; what it said last."""
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "tests" / "store"), *sys.path])
    died = subprocess.run(
        [sys.executable, "-c", f"import sys, engine_life; engine_life.{life}(sys.argv[1])", url],
        env={**os.environ, "PYTHONPATH": path},
        check=False,
        capture_output=True,
    )
    assert -signal.SIGKILL == died.returncode, died.stderr.decode()
    told: Said = msgspec.json.decode(died.stdout)
    return told

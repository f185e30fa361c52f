"""The verdict over a live run: the engine's journal against the emulated exchange's own record."""

import json
import urllib.request
from collections import Counter
from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from proof.judge import Verdict, judge_orders
from proof.live.venue import Address
from zvt_trading.core.invariants import problems
from zvt_trading.core.order_fsm import is_closed
from zvt_trading.core.trading_core import TradingCore
from zvt_trading.core.units import SECOND
from zvt_trading.messages.events import Event, OrderFilled
from zvt_trading.ports.store import FIRST_CHECKSUM, Store
from zvt_trading.runtime.entries import checked
from zvt_trading.runtime.maintenance.verify import verify
from zvt_trading.runtime.numbers import to_decimal

FOUND_SECONDS: Final = 10
"""A fill is in the books at most so long after it happened, when only frames were lost."""

Line = dict[str, Any]


class Numbers(Struct):
    """Besides the verdict: how long the latest fill took to be known, requests inside bans."""

    latest_fill_seconds: float = 0.0
    requests_during_ban: int = 0
    faults: dict[str, int] = {}


def asked(address: Address, path: str) -> Any:
    """What the emulator's panel says."""
    url = f"http://127.0.0.1:{address.admin_port}/{path}"
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def judge(store: Store, address: Address) -> tuple[Verdict, Numbers]:
    """Everything, after the last life has settled."""
    verdict = Verdict(problems=[])
    events = [event for _, event in checked(store.entries(0), store.name, 0, FIRST_CHECKSUM)]
    core = TradingCore(store.info().engine_tag)
    for event in events:
        core.replay(event)
    verdict.events = len(events)
    record: list[Line] = asked(address, f"{address.exchange}/record")
    ours = [line for line in record if line["account"] == address.key.account]
    accepted = Counter(line["client_id"] for line in ours if line["kind"] == "accepted")
    judge_orders(verdict, address.exchange, accepted, events)
    latest = _judge_fills(verdict, ours, events, core)
    _judge_money(verdict, address, core)
    _judge_open(verdict, ours, core)
    for problem in problems(core.state):
        verdict.ledger_errors += 1
        verdict.problems.append(problem)
    for problem in verify(store).problems:
        verdict.other += 1
        verdict.problems.append(problem)
    exchange = asked(address, "exchanges")[address.exchange]
    numbers = Numbers(latest, exchange["requests_during_ban"], exchange["faults"])
    if numbers.requests_during_ban:
        verdict.other += 1
        verdict.problems.append(f"{numbers.requests_during_ban} requests inside a ban")
    return verdict, numbers


def _judge_fills(
    verdict: Verdict, record: list[Line], events: list[Event], core: TradingCore
) -> float:
    """I4: each fill was applied once, with the exchange's numbers; how late the latest was."""
    theirs = Counter(
        (line["client_id"], *(Decimal(line[name]) for name in ("price", "quantity", "amount")))
        for line in record
        if line["kind"] == "fill"
    )
    happened = Counter(line["client_id"] for line in record if line["kind"] == "fill")
    ours: Counter[tuple[Any, ...]] = Counter()
    for event in events:
        if isinstance(event, OrderFilled):
            ours[_fill_key(event, core)] += 1
    verdict.fills += happened.total()
    for key in theirs - ours:
        verdict.fills_missed += 1
        verdict.problems.append(f"I4 not applied {key}")
    for key in ours - theirs:
        verdict.fills_twice += 1
        verdict.problems.append(f"I4 applied and never happened {key}")
    delays = [event.ts - event.ts_venue for event in events if isinstance(event, OrderFilled)]
    return max(delays, default=0) / SECOND


def _fill_key(event: OrderFilled, core: TradingCore) -> tuple[Any, ...]:
    instrument = core.state.markets[event.instrument].instrument
    fee_scale = core.state.asset_scales[event.fee_asset]
    return (
        event.order_id,
        to_decimal(event.price, instrument.price_scale),
        to_decimal(event.quantity, instrument.quantity_scale),
        to_decimal(event.fee, fee_scale),
    )


def _judge_money(verdict: Verdict, address: Address, core: TradingCore) -> None:
    """I5: every asset to the last unit."""
    theirs = asked(address, f"{address.exchange}/balances?account={address.key.account}")
    ours: dict[str, Decimal] = {}
    for portfolio in core.state.portfolios.values():
        for balance in portfolio.balances:
            scale = core.state.asset_scales[balance.asset]
            ours[balance.asset] = ours.get(balance.asset, Decimal(0)) + to_decimal(
                balance.total, scale
            )
    for asset, amount in ours.items():
        stated = Decimal(theirs.get(asset, {"total": "0"})["total"])
        if amount != stated:
            verdict.ledger_errors += 1
            verdict.problems.append(f"I5 {amount} {asset} here, {stated} there")


def _judge_open(verdict: Verdict, record: list[Line], core: TradingCore) -> None:
    """I3 and I9: what is open there is open here, and nothing is unknown."""
    ended = ("cancelled", "expired")
    left: dict[str, Decimal] = {}
    for line in record:
        if line["kind"] in {"accepted", "amended"}:
            left[line["client_id"]] = Decimal(line["quantity"])
    filled: dict[str, Decimal] = {}
    for line in record:
        if line["kind"] == "fill":
            name = line["client_id"]
            filled[name] = filled.get(name, Decimal(0)) + Decimal(line["quantity"])
    over = {line["client_id"] for line in record if line["kind"] in ended}
    theirs = {
        name for name, size in left.items() if name not in over and filled.get(name, 0) < size
    }
    ours = {order.id for order in core.state.orders.values() if not is_closed(order.life)}
    for name in sorted(theirs ^ ours):
        verdict.lost += 1
        where = "there" if name in theirs else "here"
        verdict.problems.append(f"I3 order {name} is open {where} only")

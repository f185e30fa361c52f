"""The rows agree with each other, and with the engine's books: sums that nobody wrote down twice.

Everything here is added up from the rows' text, as a person with a database would do it.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, localcontext
from functools import cache
from typing import Any, Final

import msgspec
import pytest
from store_world import Tables, projected, replayed, simulated

from zvt_trading.core.risk_limits import LIMIT_NAMES
from zvt_trading.core.state import State
from zvt_trading.messages.codes import BUY
from zvt_trading.messages.events import (
    AmendRefused,
    CommandRefused,
    EquitySampled,
    FundingSettled,
    LimitsSet,
    OrderFilled,
    OrderPlaced,
    OrderRefused,
    PositionLiquidated,
)
from zvt_trading.ports.tables import (
    BALANCE,
    EQUITY,
    LEDGER,
    LOT,
    ORDER,
    PORTFOLIO,
    POSITION,
    REFUSAL,
    RISK_LIMIT,
    TRADE,
)
from zvt_trading.runtime.codes import SCOPES

SEEDS: Final = range(16)
ZERO: Final = Decimal(0)

Fields = dict[str, Any]


@pytest.fixture(autouse=True)
def all_digits() -> Iterator[None]:
    """No sum is rounded."""
    with localcontext(prec=100):
        yield


@pytest.fixture(params=SEEDS)
def seed(request: pytest.FixtureRequest) -> int:
    """A journal's."""
    number: int = request.param
    return number


@pytest.fixture
def tables(seed: int) -> Tables:
    """What the journal gives."""
    return tables_of(seed)


@pytest.fixture
def state(seed: int) -> State:
    """The engine's own state after the journal."""
    return state_of(seed)


@cache
def tables_of(seed: int) -> Tables:
    """The rows after a journal; only looked at."""
    return projected(simulated(seed))


@cache
def state_of(seed: int) -> State:
    """The state after a journal; only looked at."""
    return replayed(simulated(seed)).state


def by_id(tables: Tables, table: str) -> dict[str, Fields]:
    """A table's rows by their id."""
    return {row["id"]: row for row in tables.fields(table)}


def names(tables: Tables) -> dict[str, str]:
    """Of the portfolios, by id."""
    return {row["id"]: row["name"] for row in tables.fields(PORTFOLIO)}


def scaled(value: int, scale: int) -> Decimal:
    """The engine's int as a number."""
    return Decimal(value).scaleb(-scale)


def test_trades_sum_to_what_is_filled(tables: Tables) -> None:
    """Quantity and value of each order, and the average price they give."""
    quantity: dict[str, Decimal] = defaultdict(Decimal)
    value: dict[str, Decimal] = defaultdict(Decimal)
    for trade in tables.fields(TRADE):
        if trade["order_id"] is not None:
            amount = Decimal(trade["quantity"])
            quantity[trade["order_id"]] += amount
            value[trade["order_id"]] += amount * Decimal(trade["price"])
    for order in tables.fields(ORDER):
        filled = Decimal(order["filled_quantity"]) + Decimal(order["overfilled_quantity"])
        assert filled == quantity[order["id"]]
        assert Decimal(order["filled_value"]) == value[order["id"]]
        if filled:
            difference = Decimal(order["avg_fill_price"]) - value[order["id"]] / filled
            assert abs(difference) <= Decimal("5E-19")
        else:
            assert order["avg_fill_price"] is None
            assert (None, None) == (order["first_filled_at"], order["last_filled_at"])


def test_trades_sum_to_an_orders_fees(tables: Tables) -> None:
    """Asset by asset, the first one beside."""
    fees: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for trade in tables.fields(TRADE):
        fee = Decimal(trade["fee"])
        if trade["order_id"] is not None and fee:
            paid = fees[trade["order_id"]]
            paid[trade["fee_asset"]] = paid.get(trade["fee_asset"], ZERO) + fee
    for order in tables.fields(ORDER):
        expected = fees.get(order["id"], {})
        stated = {asset: Decimal(fee) for asset, fee in msgspec.json.decode(order["fees"]).items()}
        assert expected == stated
        first = next(iter(expected), None)
        assert first == order["fee_asset"]
        assert (expected[first] if first else None) == (
            Decimal(order["fee"]) if order["fee"] is not None else None
        )


def test_trades_are_the_fills_of_the_journal(seed: int, tables: Tables) -> None:
    """Each execution once, in order; liquidations among them."""
    events = [
        event for event in simulated(seed) if isinstance(event, OrderFilled | PositionLiquidated)
    ]
    found = tables.fields(TRADE)
    assert [event.seq for event in events] == [row["seq"] for row in found]
    for event, row in zip(events, found, strict=True):
        side = "buy" if event.side == BUY else "sell"
        instrument = f"{row['venue']}:{row['symbol']}"
        assert (event.trade_id, side) == (row["trade_id"], row["side"])
        assert (event.portfolio, event.instrument) == (row["account"], instrument)
        assert ("fill" if isinstance(event, OrderFilled) else "liquidation") == row["kind"]


def test_ledger_entries_sum_to_the_balances(tables: Tables) -> None:
    """Per portfolio, venue and asset: money went nowhere else."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for entry in tables.fields(LEDGER):
        amount = Decimal(entry["amount"])
        for account, sign in ((entry["into_account"], 1), (entry["out_of_account"], -1)):
            portfolio, is_cash, venue = account.rpartition("/@")
            if is_cash:
                sums[portfolio, venue, entry["asset"]] += sign * amount
    owners = names(tables)
    balances = {
        (owners[row["portfolio_id"]], row["venue"], row["asset"]): Decimal(row["total"])
        for row in tables.fields(BALANCE)
    }
    assert {key: total for key, total in sums.items() if total} == {
        key: total for key, total in balances.items() if total
    }


def test_ledger_entries_say_why_money_moved(tables: Tables, state: State) -> None:
    """Per portfolio, asset and kind: the engine's own proof of its books."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    owners = names(tables)
    for entry in tables.fields(LEDGER):
        owner = owners[entry["portfolio_id"]]
        assert entry["into_account"].startswith(f"{owner}/@")
        assert entry["out_of_account"].startswith(f"{owner}/")
        if entry["kind"] != "transfer":
            assert entry["out_of_account"] == f"{owner}/{entry['kind']}"
            sums[owner, entry["asset"], entry["kind"]] += Decimal(entry["amount"])
    for name in state.portfolios:
        for row in state.ledger.proof(name):
            scale = state.asset_scales.get(row.asset, 8)
            for kind, total in (
                ("external", row.deposits), ("trading", row.trading), ("fees", row.fees),
                ("funding", row.funding), ("insurance", row.insurance),
            ):  # fmt: skip
                assert scaled(total, scale) == sums[name, row.asset, kind], (name, kind)


def test_balances_are_the_engines(tables: Tables, state: State) -> None:
    """Total, reserved, margin and available, each; and they add up."""
    owners = names(tables)
    found = {
        (owners[row["portfolio_id"]], row["venue"], row["asset"]): row
        for row in tables.fields(BALANCE)
    }
    for row in found.values():
        parts = [Decimal(row[part]) for part in ("reserved", "margin", "available")]
        assert Decimal(row["total"]) == sum(parts)
    for balance in state.ledger.balances():
        scale = state.asset_scales.get(balance.asset, 8)
        row = found.get((balance.portfolio, balance.venue, balance.asset), {})
        for part, units in (
            ("total", balance.total), ("reserved", balance.held), ("margin", balance.margin),
            ("available", balance.available()),
        ):  # fmt: skip
            assert scaled(units, scale) == Decimal(row.get(part, 0)), (balance.name(), part)


def test_open_orders_reserve_what_is_reserved(tables: Tables) -> None:
    """The orders' reservations sum to the balances'."""
    held: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for order in tables.fields(ORDER):
        held[order["portfolio_id"], order["venue"], order["reserved_asset"]] += Decimal(
            order["reserved"]
        )
    for row in tables.fields(BALANCE):
        key = (row["portfolio_id"], row["venue"], row["asset"])
        assert Decimal(row["reserved"]) == held[key]


def test_positions_are_the_signed_trades(tables: Tables) -> None:
    """Of perpetuals exactly; of spot, where coins pay fees too, at most."""
    signed: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for trade in tables.fields(TRADE):
        quantity = Decimal(trade["quantity"])
        key = (trade["portfolio_id"], trade["venue"], trade["symbol"])
        signed[key] += quantity if trade["side"] == "buy" else -quantity
    for row in tables.fields(POSITION):
        key = (row["portfolio_id"], row["venue"], row["symbol"])
        quantity = Decimal(row["quantity"])
        if row["instrument_kind"] == "spot":
            assert quantity <= signed.pop(key, ZERO)
        else:
            assert quantity == signed.pop(key, ZERO)
    assert {} == signed


def test_lots_sum_to_the_positions(tables: Tables) -> None:
    """Quantity and cost, and the average price they give; the side is the sign."""
    quantity: dict[str, Decimal] = defaultdict(Decimal)
    cost: dict[str, Decimal] = defaultdict(Decimal)
    count: dict[str, int] = defaultdict(int)
    for lot in tables.fields(LOT):
        quantity[lot["position_id"]] += Decimal(lot["quantity"])
        cost[lot["position_id"]] += Decimal(lot["cost"])
        count[lot["position_id"]] += 1
    for row in tables.fields(POSITION):
        held = Decimal(row["quantity"])
        assert abs(held) == quantity[row["id"]]
        assert Decimal(row["cost"]) == cost[row["id"]]
        assert ("long" if held > 0 else "short" if held else "flat") == row["side"]
        assert (held == 0) == (row["opened_at"] is None) == (row["avg_entry_price"] is None)
        assert count[row["id"]] <= row["lot_count"]
        if held and row["instrument_kind"] != "inverse":
            difference = Decimal(row["avg_entry_price"]) * abs(held) - cost[row["id"]]
            assert abs(difference) <= abs(held) * Decimal("1E-18")


def test_positions_are_the_engines(tables: Tables, state: State) -> None:
    """Realised PnL is the trades', fees and funding the state's; lots the same number."""
    realized: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for trade in tables.fields(TRADE):
        key = (trade["portfolio_id"], trade["venue"], trade["symbol"])
        realized[key] += Decimal(trade["realized_pnl"])
    owners = names(tables)
    for row in tables.fields(POSITION):
        instrument = f"{row['venue']}:{row['symbol']}"
        holding = state.portfolios[owners[row["portfolio_id"]]].holdings[instrument]
        position = holding.position
        scale = holding.instrument.settle_scale
        assert scaled(position.realized, scale) == Decimal(row["realized_pnl"])
        assert scaled(holding.fees, scale) == Decimal(row["fees"])
        assert scaled(holding.funding, scale) == Decimal(row["funding"])
        assert len(position.lots()) == row["lot_count"]
        assert position.leverage == row["leverage"]
        assert (
            Decimal(row["realized_pnl"])
            == realized[row["portfolio_id"], row["venue"], row["symbol"]]
        )


def test_funding_of_the_positions_is_that_of_the_journal(seed: int, tables: Tables) -> None:
    """Payment by payment."""
    paid: dict[tuple[str, str], int] = defaultdict(int)
    for event in simulated(seed):
        if isinstance(event, FundingSettled):
            paid[event.portfolio, event.instrument] += event.amount
    owners = names(tables)
    for row in tables.fields(POSITION):
        key = (owners[row["portfolio_id"]], f"{row['venue']}:{row['symbol']}")
        assert scaled(paid[key], 8) == Decimal(row["funding"])


def test_orders_are_the_engines(seed: int, tables: Tables, state: State) -> None:
    """One row each, in the order they were placed, with the life that the state knows."""
    placed = [event for event in simulated(seed) if isinstance(event, OrderPlaced)]
    found = by_id(tables, ORDER)
    assert sorted(event.order_id for event in placed) == sorted(found)
    for event in placed:
        row = found[event.order_id]
        order = state.orders[event.order_id]
        scale = order.instrument.quantity_scale
        assert event.seq == row["created_seq"] <= row["last_seq"]
        assert scaled(order.quantity, scale) == Decimal(row["quantity"])
        assert (event.request.client_tag or None) == row["client_order_id"]
        assert event.request.strategy == row["strategy_id"]
        is_open = row["status"] in (
            "pending", "submitted", "unknown", "accepted", "partially_filled",
        )  # fmt: skip
        assert is_open == (row["closed_at"] is None)
        if row["list_role"] in ("take_profit", "stop_loss"):
            entry = found[row["parent_order_id"]]
            assert ("entry", row["list_id"]) == (entry["list_role"], entry["list_id"])
        else:
            assert row["parent_order_id"] is None


def test_open_orders_are_counted(tables: Tables) -> None:
    """Per portfolio."""
    counted: dict[str, int] = defaultdict(int)
    for order in tables.fields(ORDER):
        if order["closed_at"] is None:
            counted[order["portfolio_id"]] += 1
    for row in tables.fields(PORTFOLIO):
        assert counted[row["id"]] == row["open_orders"]


def test_cash_is_the_base_currency_and_its_pars(tables: Tables) -> None:
    """One for one."""
    cash: dict[str, Decimal] = defaultdict(Decimal)
    portfolios = by_id(tables, PORTFOLIO)
    for row in tables.fields(BALANCE):
        portfolio = portfolios[row["portfolio_id"]]
        pars = msgspec.json.decode(portfolio["par_assets"])
        if row["asset"] == portfolio["base_currency"] or row["asset"] in pars:
            cash[row["portfolio_id"]] += Decimal(row["total"])
    for portfolio_id, row in portfolios.items():
        assert Decimal(row["cash"]) == cash[portfolio_id]


def test_a_portfolio_is_as_its_last_sample_says(seed: int, tables: Tables) -> None:
    """Value, peak and day's beginning; the samples are those of the journal."""
    samples = [event for event in simulated(seed) if isinstance(event, EquitySampled)]
    found = tables.fields(EQUITY)
    assert [event.seq for event in samples] == [row["seq"] for row in found]
    owners = names(tables)
    for event, row in zip(samples, found, strict=True):
        assert event.portfolio == owners[row["portfolio_id"]]
        assert scaled(event.equity, 8) == Decimal(row["value"])
    last = {row["portfolio_id"]: row for row in found}
    for row in tables.fields(PORTFOLIO):
        sample = last.get(row["id"])
        if sample is not None:
            for column in ("value", "peak_value", "day_start_value", "trading_day"):
                assert sample[column] == row[column]
            assert sample["sampled_at"] == row["valued_at"]


def test_wins_and_losses_are_the_trades(tables: Tables) -> None:
    """A trade that closed something is one or the other, less its own fee."""
    won: dict[str, int] = defaultdict(int)
    lost: dict[str, int] = defaultdict(int)
    for trade in tables.fields(TRADE):
        gain = Decimal(trade["realized_pnl"])
        if gain:
            if trade["fee_asset"] == trade["settle_asset"]:
                gain -= Decimal(trade["fee"])
            (won if gain > 0 else lost)[trade["portfolio_id"]] += 1
    for row in tables.fields(PORTFOLIO):
        assert (won[row["id"]], lost[row["id"]]) == (row["winning_trades"], row["losing_trades"])
        total = won[row["id"]] + lost[row["id"]]
        if total:
            assert abs(Decimal(row["win_rate"]) - Decimal(won[row["id"]]) / total) < Decimal(
                "1E-18"
            )
        else:
            assert row["win_rate"] is None


def test_refusals_are_those_of_the_journal(seed: int, tables: Tables) -> None:
    """Orders, amends and commands, with what was asked for."""
    events = [
        event
        for event in simulated(seed)
        if isinstance(event, OrderRefused | AmendRefused | CommandRefused)
    ]
    found = tables.fields(REFUSAL)
    assert [event.seq for event in events] == [row["seq"] for row in found]
    for event, row in zip(events, found, strict=True):
        if isinstance(event, OrderRefused):
            asked = msgspec.json.decode(row["request"])
            assert ("order", event.order_id) == (row["kind"], row["order_id"])
            assert event.request.quantity == asked["quantity"]
        elif isinstance(event, CommandRefused):
            assert (event.command, None) == (row["kind"], row["request"])
        else:
            assert ("amend", None) == (row["kind"], row["request"])


def test_limits_are_those_of_the_last_set(seed: int, tables: Tables) -> None:
    """Of each scope, and no others."""
    last = {}
    for event in simulated(seed):
        if isinstance(event, LimitsSet):
            last[SCOPES[event.limits.scope].value, event.limits.key] = event
    expected = {
        (scope, key, name): event.seq
        for (scope, key), event in last.items()
        for name in LIMIT_NAMES
        if getattr(event.limits, name) is not None
    }
    found = tables.fields(RISK_LIMIT)
    assert expected == {(row["scope"], row["key"], row["name"]): row["set_seq"] for row in found}
    for row in found:
        limits = last[row["scope"], row["key"]].limits
        if row["unit"] not in ("money", "quantity"):
            assert Decimal(row["value"]) == getattr(limits, row["name"])


def test_times_go_forward(tables: Tables) -> None:
    """Of an order's life, and of what was booked."""
    for order in tables.fields(ORDER):
        lived = [order["created_at"], order["submitted_at"], order["first_filled_at"]]
        lived = [when for when in lived if when is not None]
        assert sorted(lived) == lived
        assert order["created_at"] <= order["updated_at"]
        if order["last_filled_at"] is not None:
            assert order["first_filled_at"] <= order["last_filled_at"] <= order["updated_at"]
    booked = [row["booked_at"] for row in tables.fields(LEDGER)]
    assert sorted(booked) == booked

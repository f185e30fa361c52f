"""What the databases refuse, the same on both: the last line against a bug of ours."""

from typing import Any, Final

import pytest
from row_world import GOOD, ONE, ZERO, all_good, row, some_id, upserts
from store_world import read_all

from zvt_trading.adapters.store.schema import Base
from zvt_trading.ports.store import Changes, Store, TablesRefusedError
from zvt_trading.ports.tables import (
    BALANCE,
    COLUMNS,
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
from zvt_trading.types import (
    AccountingMethod,
    MarginMode,
    OrderSide,
    OrderStatus,
    OrderType,
    Scope,
    TimeInForce,
    TradingState,
)

pytest_plugins = ("store_fixtures",)

MINUS: Final = "-0." + 17 * "0" + "1"
LEAST: Final = "0." + 17 * "0" + "1"
NINES: Final = 20 * "9" + "."
BINARY: Final = "9007199254740993."  # 2**53 + 1, which no float is

NAMES: Final[tuple[tuple[str, str, list[str]], ...]] = (
    (PORTFOLIO, "accounting_method", [one.value for one in AccountingMethod]),
    (PORTFOLIO, "trading_state", [one.value for one in TradingState]),
    (ORDER, "side", [one.value for one in OrderSide]),
    (ORDER, "order_type", [one.value for one in OrderType]),
    (ORDER, "time_in_force", [one.value for one in TimeInForce]),
    (ORDER, "status", [one.value for one in OrderStatus]),
    (ORDER, "pending_request", ["none", "cancel", "amend"]),
    (ORDER, "list_type", ["single", "oco", "bracket"]),
    (TRADE, "kind", ["fill", "liquidation"]),
    (TRADE, "side", [one.value for one in OrderSide]),
    (TRADE, "liquidity", ["maker", "taker"]),
    (POSITION, "instrument_kind", ["spot", "linear", "inverse"]),
    (POSITION, "side", ["long", "short", "flat"]),
    (POSITION, "margin_mode", [one.value for one in MarginMode]),
    (POSITION, "accounting_method", [one.value for one in AccountingMethod]),
    (RISK_LIMIT, "scope", [one.value for one in Scope]),
    (RISK_LIMIT, "unit", ["money", "quantity", "bps", "ms", "leverage", "count"]),
)
"""Columns of names, with the only ones there are."""

NOT_NEGATIVE: Final = (
    (PORTFOLIO, "drawdown"), (PORTFOLIO, "max_drawdown"), (ORDER, "filled_quantity"),
    (ORDER, "overfilled_quantity"), (ORDER, "reserved"), (ORDER, "filled_value"),
    (TRADE, "value"), (TRADE, "insurance"), (POSITION, "cost"), (POSITION, "margin_used"),
    (LOT, "cost"), (RISK_LIMIT, "value"),
)  # fmt: skip
ABOVE_ZERO: Final = (
    (ORDER, "quantity"), (TRADE, "price"), (TRADE, "quantity"), (LOT, "quantity"),
)  # fmt: skip

# filled, quantity, whether that is possible; most of them are one number as floats.
FILLED: Final = (
    (ONE, ONE, True),
    (ZERO, LEAST, True),
    (LEAST, LEAST, True),
    ("2" + ZERO[1:], ONE, False),
    ("1." + 17 * "0" + "1", ONE, False),
    (ONE, "1." + 17 * "0" + "1", True),
    (NINES + 17 * "0" + "2", NINES + 17 * "0" + "1", False),
    (NINES + 17 * "0" + "1", NINES + 17 * "0" + "2", True),
    (NINES + 18 * "9", NINES + 18 * "9", True),
    (NINES + 18 * "9", NINES + 17 * "9" + "8", False),
    (BINARY + 18 * "0", "9007199254740992." + 18 * "0", False),
    ("9007199254740992." + 18 * "0", BINARY + 18 * "0", True),
    ("10" + ZERO[1:], "9" + ZERO[1:], False),  # as text "10" < "9"
    ("9" + ZERO[1:], "10" + ZERO[1:], True),
    ("100" + ZERO[1:], "99." + 18 * "9", False),
    ("0.2" + 17 * "0", "0.1" + 17 * "9", False),
)


def assert_refused(store: Store, constraint: str, *changes: Changes) -> None:
    """Changes are refused as a whole, and the message names why."""
    before = read_all(store)
    for change in changes:
        with pytest.raises(TablesRefusedError, match=constraint):
            store.append([], change)
    assert before == read_all(store)


def bad(table: str, **changes: Any) -> Changes:
    """A row with something wrong in it, beside good ones."""
    found = all_good()
    found.upserts[table] = [row(table, **changes)]
    return found


class TestNames:
    """Columns of names hold known ones only."""

    @pytest.mark.parametrize(("table", "column", "names"), NAMES)
    def test_all_that_the_engine_has_are_taken(
        self, store: Store, table: str, column: str, names: list[str]
    ) -> None:
        for name in names:
            store.reset_tables()
            store.append([], bad(table, **{column: name}))
        assert [(names[-1],)] == store.read(table, (column,), None)

    @pytest.mark.parametrize(("table", "column", "names"), NAMES)
    def test_others_are_refused(
        self, store: Store, table: str, column: str, names: list[str]
    ) -> None:
        wrong = ["", "other", names[0].upper(), names[0] + " "]
        assert_refused(
            store, f"ck_{table}_{column}", *(bad(table, **{column: name}) for name in wrong)
        )


class TestNumbers:
    """What cannot be below zero, or zero, is not."""

    @pytest.mark.parametrize(("table", "column"), NOT_NEGATIVE)
    def test_from_zero_up(self, store: Store, table: str, column: str) -> None:
        constraint = f"ck_{table}_{column}_not_negative"
        assert_refused(
            store, constraint, bad(table, **{column: MINUS}), bad(table, **{column: "-" + ONE})
        )
        store.append([], bad(table, **{column: ZERO}))
        assert [(ZERO,)] == store.read(table, (column,), None)

    @pytest.mark.parametrize(("table", "column"), ABOVE_ZERO)
    def test_above_zero(self, store: Store, table: str, column: str) -> None:
        filled = {"filled_quantity": ZERO} if table == ORDER else {}
        assert_refused(
            store,
            f"ck_{table}_({column}_above_zero|filled_quantity_at_most_quantity)",
            *(bad(table, **{column: value, **filled}) for value in (ZERO, MINUS, "-" + ONE)),
        )
        store.append([], bad(table, **{column: LEAST, **filled}))
        assert [(LEAST,)] == store.read(table, (column,), None)

    @pytest.mark.parametrize(("filled", "quantity", "is_possible"), FILLED)
    def test_no_more_is_filled_than_there_is(
        self, store: Store, filled: str, quantity: str, is_possible: bool
    ) -> None:
        """To the 18th decimal of numbers of 20 digits."""
        changes = bad(ORDER, filled_quantity=filled, quantity=quantity)
        if is_possible:
            store.append([], changes)
            columns = ("filled_quantity", "quantity")
            assert [(filled, quantity)] == store.read(ORDER, columns, None)
        else:
            assert_refused(store, "ck_crypto_order_filled_quantity_at_most_quantity", changes)

    def test_leverage_and_counts(self, store: Store) -> None:
        assert_refused(store, "ck_crypto_position_leverage_from_one", bad(POSITION, leverage=0))
        assert_refused(
            store, "ck_crypto_portfolio_open_orders_not_negative", bad(PORTFOLIO, open_orders=-1)
        )

    def test_what_may_be_negative_is_taken(self, store: Store) -> None:
        """Losses, rebates, shorts, and what a venue took beyond what we had."""
        changes = upserts(
            (PORTFOLIO, row(PORTFOLIO, value="-" + ONE, daily_return=MINUS, cash=MINUS)),
            (ORDER, row(ORDER, fee="-" + ONE)),
            (TRADE, row(TRADE, fee=MINUS, realized_pnl="-" + ONE)),
            (POSITION, row(POSITION, quantity="-" + ONE, side="short", funding=MINUS)),
            (BALANCE, row(BALANCE, available=MINUS, total=MINUS)),
            (LEDGER, row(LEDGER, amount=MINUS)),
            (EQUITY, row(EQUITY, value=MINUS)),
        )
        store.append([], changes)
        assert [(MINUS,)] == store.read(LEDGER, ("amount",), None)


class TestNothing:
    """What must be there is there."""

    @pytest.mark.parametrize("table", COLUMNS)
    def test_a_column_that_is_never_empty(self, store: Store, table: str) -> None:
        """Every column that the schema calls so, one after the other.

        But for a key that SQLite gives a number by itself when it is not said.
        """
        needed = [column for column in Base.metadata.tables[table].columns if not column.nullable]
        needed = [column for column in needed if (table, column.name) != (REFUSAL, "seq")]
        assert needed
        for column in needed:
            assert_refused(store, column.name, bad(table, **{column.name: None}))


class TestKeys:
    """What is there once is not there twice, and what is pointed at is there."""

    def test_a_callers_id_is_no_key(self, store: Store) -> None:
        """The core refuses one that comes again; what it has forgotten must not stop the tables."""
        first = row(ORDER, client_order_id="mine")
        second = row(ORDER, id=some_id(20), client_order_id="mine")
        store.append([], upserts((PORTFOLIO, row(PORTFOLIO)), (ORDER, first), (ORDER, second)))
        assert [("mine",), ("mine",)] == store.read(ORDER, ("client_order_id",), None)

    def test_many_orders_have_no_callers_id(self, store: Store) -> None:
        orders = [(ORDER, row(ORDER, id=some_id(number))) for number in range(20, 25)]
        store.append([], upserts((PORTFOLIO, row(PORTFOLIO)), *orders))
        assert 5 == len(store.read(ORDER, ("id",), None))

    def test_an_execution_is_booked_once(self, store: Store) -> None:
        """(venue, account, symbol, trade id, side): the same report twice is a bug of ours."""
        store.append([], all_good())
        assert_refused(store, "trade", upserts((TRADE, row(TRADE, id=some_id(30)))))

    @pytest.mark.parametrize("column", ["venue", "account", "symbol", "trade_id"])
    def test_another_execution_is_another(self, store: Store, column: str) -> None:
        store.append([], all_good())
        store.append([], upserts((TRADE, row(TRADE, id=some_id(30), **{column: "other"}))))
        assert 2 == len(store.read(TRADE, ("id",), None))

    def test_both_sides_of_one_execution_may_be_ours(self, store: Store) -> None:
        store.append([], all_good())
        store.append([], upserts((TRADE, row(TRADE, id=some_id(30), side="sell"))))
        assert 2 == len(store.read(TRADE, ("id",), None))

    @pytest.mark.parametrize("table", [TRADE, LEDGER, EQUITY, REFUSAL])
    def test_rows_that_never_change_are_not_written_twice(self, store: Store, table: str) -> None:
        store.append([], all_good())
        assert_refused(store, table, upserts((table, row(table))))

    @pytest.mark.parametrize("table", [PORTFOLIO, ORDER, POSITION, LOT, BALANCE, RISK_LIMIT])
    def test_rows_that_change_are_written_again(self, store: Store, table: str) -> None:
        store.append([], all_good())
        store.append([], upserts((table, row(table))))
        assert 1 == len(store.read(table, COLUMNS[table][:1], None))

    @pytest.mark.parametrize(
        ("table", "other"),
        [
            (PORTFOLIO, dict(id=some_id(40))),  # of the same name
            (POSITION, dict(id=some_id(40))),  # of the same portfolio and instrument
            (RISK_LIMIT, dict(name="other")),  # of the same id
        ],
    )
    def test_of_one_thing_there_is_one_row(
        self, store: Store, table: str, other: dict[str, Any]
    ) -> None:
        store.append([], all_good())
        assert_refused(store, table, upserts((table, row(table, **other))))

    @pytest.mark.parametrize(
        ("table", "column"),
        [
            (ORDER, "portfolio_id"), (ORDER, "parent_order_id"), (TRADE, "order_id"),
            (TRADE, "portfolio_id"), (POSITION, "portfolio_id"), (LOT, "position_id"),
            (BALANCE, "portfolio_id"), (LEDGER, "portfolio_id"), (EQUITY, "portfolio_id"),
            (RISK_LIMIT, "portfolio_id"),
        ],
    )  # fmt: skip
    def test_what_is_pointed_at_is_there(self, store: Store, table: str, column: str) -> None:
        """SQLite looks at it as well: PRAGMA foreign_keys."""
        assert_refused(store, "(?i)foreign key", bad(table, **{column: some_id(99)}))

    def test_a_liquidation_has_no_order(self, store: Store) -> None:
        store.append([], bad(TRADE, kind="liquidation", order_id=None))
        assert [("liquidation", None)] == store.read(TRADE, ("kind", "order_id"), None)

    def test_a_refused_order_was_never_one(self, store: Store) -> None:
        """So nothing is pointed at: its id is in no other table."""
        store.append([], upserts((REFUSAL, row(REFUSAL, order_id=some_id(77)))))
        assert [(some_id(77),)] == store.read(REFUSAL, ("order_id",), None)


def test_values_that_a_driver_cannot_take_are_refused(store: Store) -> None:
    """A bug of ours, told as one; the journal can go on without the tables."""
    assert_refused(store, "to event 1: ", bad(ORDER, quantity=object()))


def test_every_good_row_is_of_its_table() -> None:
    """The base of these tests knows all tables and columns."""
    assert {table: set(columns) for table, columns in COLUMNS.items()} == {
        table: set(fields) for table, fields in GOOD.items()
    }

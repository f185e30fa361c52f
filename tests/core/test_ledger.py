"""Specification of the ledger: every movement has two sides, and the books can prove it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.ledger import (
    ADJUSTMENT,
    EXTERNAL,
    FEES,
    FUNDING,
    INSURANCE,
    TRADING,
    Balance,
    Ledger,
    LedgerError,
    ProofRow,
    Reserved,
)


def funded(amount: int = 1_000) -> tuple[Ledger, Balance]:
    """A ledger with one deposit in "main" at "sim"."""
    ledger = Ledger()
    balance = ledger.balance("main", "sim", "USD")
    ledger.post(balance, EXTERNAL, amount)
    return ledger, balance


def row_values(row: ProofRow) -> tuple[str, int, int, int, int, int, int, int, int]:
    """A proof row as a tuple."""
    return (
        row.asset, row.deposits, row.trading, row.fees, row.funding, row.insurance,
        row.adjustment, row.balance, row.difference,
    )  # fmt: skip


def test_a_balance_is_opened_once() -> None:
    """Empty, and the same object ever after."""
    ledger = Ledger()
    assert ledger.find("main", "sim", "USD") is None
    balance = ledger.balance("main", "sim", "USD")
    assert (0, 0, 0) == (balance.total, balance.held, balance.margin)
    assert balance is ledger.balance("main", "sim", "USD")
    assert balance is ledger.find("main", "sim", "USD")


def test_venues_share_the_contra_accounts_of_a_portfolio() -> None:
    """Contras are by portfolio, kind and asset."""
    ledger = Ledger()
    one = ledger.balance("main", "sim", "USD")
    other = ledger.balance("main", "okx", "USD")
    assert one.contras is other.contras
    assert ledger.contra("main", FEES, "USD") is one.contras[FEES]


def test_a_posting_changes_both_sides() -> None:
    """What comes into the balance leaves the contra."""
    ledger, balance = funded()
    ledger.post(balance, FEES, -30)
    assert (970, -1_000, 30) == (
        balance.total,
        ledger.contra("main", EXTERNAL, "USD").total,
        ledger.contra("main", FEES, "USD").total,
    )
    assert [] == ledger.check()


def test_move_takes_the_contra_itself() -> None:
    """The same as post."""
    ledger, balance = funded()
    ledger.move(balance, ledger.contra("main", FUNDING, "USD"), 5)
    assert (1_005, -5) == (balance.total, ledger.contra("main", FUNDING, "USD").total)


@pytest.mark.parametrize(("portfolio", "asset"), [("main", "BTC"), ("other", "USD")])
def test_move_refuses_another_books_contra(portfolio: str, asset: str) -> None:
    """One portfolio's or asset's money cannot be explained by another's."""
    ledger, balance = funded()
    with pytest.raises(LedgerError, match="cannot be posted against"):
        ledger.move(balance, ledger.contra(portfolio, FEES, asset), 5)
    assert 1_000 == balance.total


def test_a_transfer_between_venues_is_no_deposit() -> None:
    """The portfolio has what it had."""
    ledger, source = funded()
    target = ledger.balance("main", "okx", "USD")
    ledger.transfer(source, target, 400)
    assert (600, 400, -1_000) == (source.total, target.total, source.contras[EXTERNAL].total)


def test_a_transfer_between_portfolios_is_a_withdrawal_and_a_deposit() -> None:
    """Each portfolio's proof still holds."""
    ledger, source = funded()
    target = ledger.balance("other", "sim", "USD")
    ledger.transfer(source, target, 400)
    assert (600, -600) == (source.total, source.contras[EXTERNAL].total)
    assert (400, -400) == (target.total, target.contras[EXTERNAL].total)
    assert [0, 0] == [ledger.proof(name)[0].difference for name in ("main", "other")]


def test_impossible_transfers_are_refused() -> None:
    """Another asset, a negative amount."""
    ledger, source = funded()
    with pytest.raises(LedgerError, match="transfer of USD into BTC"):
        ledger.transfer(source, ledger.balance("main", "sim", "BTC"), 1)
    with pytest.raises(LedgerError, match="transfer of -1 USD"):
        ledger.transfer(source, ledger.balance("main", "okx", "USD"), -1)


def test_available_is_total_less_reservations() -> None:
    """Orders' holds and positions' margin."""
    _, balance = funded()
    balance.hold(300)
    balance.add_margin(200)
    assert 500 == balance.available()
    balance.release(100)
    balance.free_margin(200)
    assert 800 == balance.available()


def test_reservations_cannot_underflow() -> None:
    """Releasing what is not held is a bug, refused without effect."""
    _, balance = funded()
    balance.hold(10)
    balance.add_margin(20)
    for refused, amount in (
        (balance.hold, -1), (balance.release, -1), (balance.release, 11),
        (balance.add_margin, -1), (balance.free_margin, -1), (balance.free_margin, 21),
    ):  # fmt: skip
        with pytest.raises(LedgerError, match="main/@sim USD"):
            refused(amount)
    assert (10, 20) == (balance.held, balance.margin)


def test_audit_captures_both_sides_of_the_current_event() -> None:
    """`begin` starts anew; without audit nothing is kept."""
    ledger, balance = funded()
    assert [] == ledger.postings
    ledger.audit = True
    ledger.begin(1)
    ledger.post(balance, TRADING, 7)
    ledger.begin(2)
    ledger.post(balance, FEES, -3)
    ledger.transfer(balance, ledger.balance("main", "okx", "USD"), 4)
    assert 2 == ledger.event_seq
    captured = [(posting.account, posting.asset, posting.amount) for posting in ledger.postings]
    assert captured == [
        ("main/@sim", "USD", -3), ("main/fees", "USD", 3),
        ("main/@okx", "USD", 4), ("main/@sim", "USD", -4),
    ]  # fmt: skip
    assert [] == ledger.check()


def test_the_proof_explains_the_balance() -> None:
    """One row an asset, signs as the portfolio sees them, over all its venues."""
    ledger, balance = funded()
    for kind, amount in (
        (TRADING, -600), (FEES, -3), (FUNDING, 2), (INSURANCE, 40), (ADJUSTMENT, -1),
    ):  # fmt: skip
        ledger.post(balance, kind, amount)
    ledger.post(ledger.balance("main", "okx", "BTC"), TRADING, 6)
    ledger.transfer(balance, ledger.balance("main", "okx", "USD"), 100)
    ledger.contras("main", "ETH")
    assert [
        ("BTC", 0, 6, 0, 0, 0, 0, 6, 0),
        ("ETH", 0, 0, 0, 0, 0, 0, 0, 0),
        ("USD", 1_000, -600, -3, 2, 40, -1, 438, 0),
    ] == [row_values(row) for row in ledger.proof("main")]
    assert [] == ledger.proof("nobody")


def test_money_from_nowhere_is_found() -> None:
    """By the check and by the proof."""
    ledger, balance = funded()
    balance.total += 1
    assert ["main USD: the accounts sum to 1, not 0"] == ledger.check()
    assert 1 == ledger.proof("main")[0].difference


def test_a_one_sided_posting_is_found() -> None:
    """In the captured postings of the event."""
    ledger, balance = funded()
    ledger.audit = True
    ledger.begin(9)
    ledger.post(balance, FEES, -3)
    ledger.postings.pop()
    assert ["event 9: its USD postings sum to -3, not 0"] == ledger.check()


def test_a_negative_reservation_is_found() -> None:
    """Whoever wrote past the helpers."""
    ledger, balance = funded()
    balance.held = -5
    assert ["main/@sim USD: negative reservation (held -5, margin 0)"] == ledger.check()


def test_reservations_must_be_what_orders_and_positions_say() -> None:
    """Rows add up; a balance without rows must reserve nothing; a row needs its balance."""
    ledger, balance = funded()
    idle = ledger.balance("main", "okx", "USD")
    balance.hold(30)
    balance.add_margin(5)
    rows = [
        Reserved("main", "sim", "USD", 10, 0),
        Reserved("main", "sim", "USD", 20, 0),
        Reserved("main", "sim", "USD", 0, 5),
    ]
    assert [] == ledger.check(rows)
    assert [
        "main/@sim USD: held 30, margin 5; orders hold 30, positions need 0",
    ] == ledger.check(rows[:2])
    idle.hold(1)
    lost = Reserved("ghost", "sim", "USD", 0, 0)
    assert [
        "ghost/@sim USD: reserved but there is no such balance",
        "main/@okx USD: held 1, margin 0; orders hold 0, positions need 0",
    ] == ledger.check([*rows, lost])


def test_balances_can_be_listed_by_portfolio() -> None:
    """In the order they were opened."""
    ledger, balance = funded()
    other = ledger.balance("other", "sim", "USD")
    assert [balance, other] == ledger.balances()
    assert [other] == ledger.balances("other")


accounts = st.tuples(
    st.sampled_from(["main", "other"]), st.sampled_from(["sim", "okx"]),
    st.sampled_from(["USD", "BTC"]),
)  # fmt: skip
actions = st.lists(
    st.tuples(accounts, accounts, st.integers(0, 6), st.integers(-(10**30), 10**30)), max_size=30
)


def run(
    ledger: Ledger, steps: list[tuple[tuple[str, str, str], tuple[str, str, str], int, int]]
) -> None:
    """Postings of any kind, and transfers (kind 6), each an event."""
    for seq, (one, two, kind, amount) in enumerate(steps):
        ledger.begin(seq)
        balance = ledger.balance(*one)
        if kind <= ADJUSTMENT:
            ledger.post(balance, kind, amount)
        else:
            ledger.transfer(balance, ledger.balance(two[0], two[1], one[2]), abs(amount))
        assert [] == ledger.check()


@given(actions)
def test_whatever_happens_the_books_are_right(
    steps: list[tuple[tuple[str, str, str], tuple[str, str, str], int, int]],
) -> None:
    """After every event, of any size, each asset sums to zero and each proof has no difference."""
    ledger = Ledger()
    ledger.audit = True
    run(ledger, steps)
    rows = [row for name in ("main", "other") for row in ledger.proof(name)]
    assert [0] * len(rows) == [row.difference for row in rows]


@given(actions)
def test_restored_books_are_the_same(
    steps: list[tuple[tuple[str, str, str], tuple[str, str, str], int, int]],
) -> None:
    """state_items is everything, in an order that does not depend on history."""
    ledger = Ledger()
    run(ledger, steps)
    for balance in ledger.balances():
        balance.hold(3)
        balance.add_margin(4)
    twin = Ledger()
    twin.restore(ledger.state_items())
    assert ledger.state_items() == twin.state_items()


def test_wrong_state_is_refused() -> None:
    """Into used books, of the wrong type, or not balanced."""
    ledger, balance = funded()
    items = ledger.state_items()
    with pytest.raises(LedgerError, match="only an empty ledger"):
        ledger.restore(items)
    with pytest.raises(LedgerError, match="state item 'x' is not an int"):
        Ledger().restore(["x"])
    balance.total += 1
    with pytest.raises(LedgerError, match="restored books are wrong: main USD"):
        Ledger().restore(ledger.state_items())

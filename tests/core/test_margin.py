"""Specification of margin: published examples, the tiers Binance uses, and brute force."""

import gzip
import json
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from zvt_trading.core.instrument import Instrument
from zvt_trading.core.margin import (
    TIER_DEFAULT,
    bankruptcy_price,
    bybit_liquidation_price,
    cross_wallet,
    initial_margin,
    leverage_max,
    liquidation_price,
    maintenance_margin,
    tier_index,
    tier_of,
)
from zvt_trading.core.units import RATE_ONE, div_half_even
from zvt_trading.messages.codes import INVERSE, LINEAR
from zvt_trading.messages.market import InstrumentSpec, MarginTier

MONEY = 10**8


def instrument(kind: int = LINEAR) -> Instrument:
    """Prices on 4 decimals, quantities on 3 (inverse: contracts of 1 quote), money on 8."""
    inverse = kind == INVERSE
    spec = InstrumentSpec(
        venue="sim", symbol="BTC/USD", kind=kind, base="BTC", quote="USD",
        settle="BTC" if inverse else "USD", price_scale=4, quantity_scale=0 if inverse else 3,
        base_scale=8, quote_scale=8, tick=1, lot=1, quantity_min=1,
    )  # fmt: skip
    return Instrument(spec)


def tier(rate: str, deduction: int = 0, notional_max: int = 0, leverage: int = 1) -> MarginTier:
    """A tier with a rate in per cent and amounts in whole money."""
    return MarginTier(
        notional_max=notional_max * MONEY,
        maintenance_rate=int(Fraction(rate) * RATE_ONE / 100),
        deduction=deduction * MONEY,
        leverage_max=leverage,
    )


def money(text: str) -> int:
    """A decimal amount in settle units."""
    return int(Fraction(text) * MONEY)


def to_cents(price: int) -> str:
    """A price on 4 decimals as published: 2 decimals, rounded to nearest."""
    cents = div_half_even(price, 100)
    return f"{cents // 100}.{cents % 100:02d}"


# Three tiers whose maintenance margin is continuous: 0.4 %, 1 %, 2.5 %.
TIERS = (
    tier("0.4", 0, 50_000, 125),
    tier("1", 300, 250_000, 50),
    tier("2.5", 4_050, 1_000_000, 20),
)


@pytest.mark.parametrize(("notional", "leverage", "expected"), [(100, 10, 10), (101, 10, 11)])
def test_initial_margin_is_rounded_up(notional: int, leverage: int, expected: int) -> None:
    """Against us."""
    assert expected == initial_margin(notional, leverage)


@pytest.mark.parametrize(
    ("notional", "index", "leverage", "margin"),
    [
        ("0", 0, 125, "0"),
        ("50000", 0, 125, "200"),
        ("50000.00000001", 1, 50, "200.00000001"),
        ("250000", 1, 50, "2200"),
        ("1000000", 2, 20, "20950"),
        ("1000000.00000001", 2, 0, "20950.00000001"),
    ],
)
def test_a_notional_belongs_to_the_first_tier_it_does_not_exceed(
    notional: str, index: int, leverage: int, margin: str
) -> None:
    """Its rate, deduction and leverage; margins rounded up; no leverage beyond the last bound."""
    assert index == tier_index(money(notional), TIERS)
    assert leverage == leverage_max(money(notional), TIERS)
    assert money(margin) == maintenance_margin(money(notional), TIERS)


def test_without_tiers_there_is_a_default() -> None:
    """1 %, for any notional."""
    assert TIER_DEFAULT is tier_of(10**30, ())
    assert money("10") == maintenance_margin(money("1000"), ())
    assert TIER_DEFAULT.leverage_max == leverage_max(10**30, ())


def test_maintenance_is_never_negative() -> None:
    """A deduction larger than the rate's share of a small notional."""
    assert 0 == maintenance_margin(money("10"), (tier("1", 300),))


# Binance's published account: wallet 1,535,443.01, ETH long and BTC long.
WALLET = money("1535443.01")
ETH = (3_683_979, "1456.84", tier("10", 135_365))
BTC = (109_488, "32481.98", tier("2.5", 16_300))
# The other position at its mark price in the cross example.
ETH_MARK, BTC_MARK = 1335_1800, 31967_2700


def example(position: tuple[int, str, MarginTier], wallet: int) -> str:
    """Liquidation price of one of the two positions."""
    quantity, entry, used = position
    cost = instrument().value(int(Fraction(entry) * 10**4), quantity)
    return to_cents(liquidation_price(instrument(), quantity, cost, wallet, (used,)))


def other_of(position: tuple[int, str, MarginTier], mark: int) -> tuple[int, int]:
    """(maintenance margin, unrealised PnL) of a position at its mark."""
    quantity, entry, used = position
    notional = instrument().value(mark, quantity)
    cost = instrument().value(int(Fraction(entry) * 10**4), quantity)
    return maintenance_margin(notional, (used,)), notional - cost


def test_binance_isolated_examples() -> None:
    """As published: 1114.78 and 18778.73."""
    assert "1114.78" == example(ETH, WALLET)
    assert "18778.73" == example(BTC, WALLET)


def test_binance_cross_examples() -> None:
    """As published: 1153.26 and 26316.89, with the other position at its mark."""
    assert "1153.26" == example(ETH, cross_wallet(WALLET, *other_of(BTC, BTC_MARK)))
    assert "26316.89" == example(BTC, cross_wallet(WALLET, *other_of(ETH, ETH_MARK)))


def test_bybit_isolated_example() -> None:
    """As published: 1 BTC long at 20,000, 50x, 0.5 % -> 19,700; the short is the mirror."""
    cost = money("20000")
    margin = initial_margin(cost, 50)
    tiers = (tier("0.5"),)
    long = bybit_liquidation_price(instrument(), 1_000, cost, margin, tiers)
    short = bybit_liquidation_price(instrument(), -1_000, cost, margin, tiers)
    assert (19_700_0000, 20_300_0000) == (long, short)
    assert 0 == bybit_liquidation_price(instrument(), 0, 0, margin, tiers)


@pytest.mark.parametrize(("quantity", "sign"), [(60_000, 1), (-60_000, -1)])
def test_bybit_inverse_formula(quantity: int, sign: int) -> None:
    """The formula quantity / (value +/- (initial - maintenance)) with 1.2, 0.12 and 0.006 BTC."""
    cost = money("1.2")
    exact = Fraction(60_000 * 10**4) / (Fraction("1.2") + sign * Fraction("0.114"))
    price = bybit_liquidation_price(
        instrument(INVERSE), quantity, cost, initial_margin(cost, 10), (tier("0.5"),)
    )
    assert 0 <= sign * (price - exact) < 1


@pytest.mark.parametrize(("quantity", "sign"), [(60_000, 1), (-60_000, -1)])
def test_inverse_liquidation_price_is_the_closed_form(quantity: int, sign: int) -> None:
    """The formula size x (1 +/- rate) / (value +/- (wallet + deduction)), which Bybit publishes."""
    cost, wallet = money("1.2"), money("0.12")
    price = liquidation_price(instrument(INVERSE), quantity, cost, wallet, (tier("0.5"),))
    size = 60_000 * 10**4 * (1 + sign * Fraction("0.005"))
    exact = size / (Fraction("1.2") + sign * Fraction("0.12"))
    assert 0 <= sign * (price - exact) < 1


@pytest.mark.parametrize(
    ("kind", "quantity", "expected"),
    [
        (LINEAR, 3_000, 667),  # (100 + 100 + 100 - 100) / 3 = 66.67: up for a long
        (LINEAR, -3_000, 1333),
    ],
)
def test_bankruptcy_is_where_equity_is_gone(kind: int, quantity: int, expected: int) -> None:
    """3 entered for 0.30 with 0.10 of margin: 0.0666.. and 0.1333..; rounded against us."""
    assert expected == bankruptcy_price(instrument(kind), quantity, money("0.3"), money("0.1"))


@pytest.mark.parametrize("kind", [LINEAR, INVERSE])
def test_what_cannot_be_lost_has_no_liquidation_price(kind: int) -> None:
    """A wallet that covers the whole entry value; a position that is none."""
    quantity = -1_000 if kind == INVERSE else 1_000
    assert 0 == liquidation_price(instrument(kind), quantity, MONEY, 2 * MONEY, TIERS)
    assert 0 == liquidation_price(instrument(kind), 0, 0, MONEY, TIERS)


def test_what_is_lost_at_any_price_says_so() -> None:
    """Other positions ate the wallet: a short is liquidated at any price, an inverse long too."""
    assert 1 == liquidation_price(instrument(), -1_000, MONEY, -2 * MONEY, TIERS)
    far = liquidation_price(instrument(INVERSE), 1_000, MONEY, -2 * MONEY, TIERS)
    assert far > 10**12


def test_a_short_is_liquidated_where_the_margin_jumps() -> None:
    """Tiers without deduction (OKX): entering the next tier is already too much."""
    jumping = (tier("1", 0, 1_000), tier("50", 0, 10_000))
    # 1 short at 900 with 200: 1 % alone would allow 1,089.1; at 1,000 the margin becomes 500.
    assert 1_000_0000 == liquidation_price(
        instrument(), -1_000, money("900"), money("200"), jumping
    )


def test_without_tiers_the_default_decides() -> None:
    """1 long at 100 with 10: (100 - 10) / 0.99."""
    price = liquidation_price(instrument(), 1_000, money("100"), money("10"), ())
    assert 0 <= price - Fraction(90 * 10**4 * 100, 99) < 1


# Brute force: below the price the margin balance is short of the maintenance margin, at it not yet.

marks = st.integers(100_0000, 100_000_0000)
quantities = st.integers(1_000, 10_000).flatmap(lambda size: st.sampled_from([size, -size]))


def equity_less_maintenance(
    kind: int, quantity: int, cost: int, wallet: int, price: Fraction
) -> Fraction:
    """Margin balance - maintenance margin in exact fractions, from the definitions."""
    held = instrument(kind)
    weight = abs(quantity) * held.multiplier
    notional = weight / (price * held.divisor) if kind == INVERSE else price * weight
    gain = (notional - cost) * (1 if (quantity > 0) != (kind == INVERSE) else -1)
    used = next((t for t in TIERS[:-1] if notional <= t.notional_max), TIERS[-1])
    return wallet + gain - (notional * used.maintenance_rate / RATE_ONE - used.deduction)


@pytest.mark.parametrize("kind", [LINEAR, INVERSE])
@given(quantity=quantities, entry=marks, leverage=st.integers(1, 100), scale=st.integers(0, 4))
def test_the_margin_runs_out_within_one_unit_of_the_price(
    kind: int, quantity: int, entry: int, leverage: int, scale: int
) -> None:
    """At the price the position is safe, one unit beyond it is not; all tiers, both sides."""
    size = quantity * 10**scale
    cost = instrument(kind).value(entry, size)
    wallet = initial_margin(cost, leverage)
    assume(maintenance_margin(cost, TIERS) < wallet)
    price = liquidation_price(instrument(kind), size, cost, wallet, TIERS)
    against = -1 if size > 0 else 1
    if price == 0:
        extreme = Fraction(1) if size > 0 else Fraction(10**12)
        assert equity_less_maintenance(kind, size, cost, wallet, extreme) >= 0
        return
    assert equity_less_maintenance(kind, size, cost, wallet, Fraction(price)) >= 0
    beyond = Fraction(price + against)
    if beyond > 0:
        assert equity_less_maintenance(kind, size, cost, wallet, beyond) < 0
    assert against * (price - entry) >= 0


@pytest.mark.parametrize("kind", [LINEAR, INVERSE])
@given(quantity=quantities, entry=marks, leverage=st.integers(2, 100))
def test_liquidation_comes_before_bankruptcy(
    kind: int, quantity: int, entry: int, leverage: int
) -> None:
    """A long's liquidation price is not below its bankruptcy price, a short's not above."""
    cost = instrument(kind).value(entry, quantity)
    wallet = initial_margin(cost, leverage)
    ruin = bankruptcy_price(instrument(kind), quantity, cost, wallet)
    price = liquidation_price(instrument(kind), quantity, cost, wallet, TIERS)
    assert (price - ruin) * (1 if quantity > 0 else -1) >= 0 or 0 in (price, ruin)


# The tiers of Binance's 349 USDT-M symbols.


@pytest.fixture(scope="module")
def binance_tiers(shared_data: Path) -> dict[str, tuple[MarginTier, ...]]:
    """Each symbol's tiers, exactly: the numbers are read as text."""
    path = shared_data / "reference" / "binance_leverage_tiers.json.gz"
    raw = json.loads(gzip.decompress(path.read_bytes()), parse_float=Fraction)
    return {
        symbol: tuple(
            MarginTier(
                notional_max=int(entry["maxNotional"] * MONEY),
                maintenance_rate=int(entry["maintenanceMarginRate"] * RATE_ONE),
                deduction=int(Fraction(entry["info"]["cum"]) * MONEY),
                leverage_max=int(entry["maxLeverage"]),
            )
            for entry in entries
        )
        for symbol, entries in raw.items()
    }


def test_binance_margins_are_continuous_and_rise(
    binance_tiers: dict[str, tuple[MarginTier, ...]],
) -> None:
    """At each bound both tiers ask the same; between bounds the margin grows, leverage falls."""
    assert len(binance_tiers) > 300
    for symbol, tiers in binance_tiers.items():
        margins = [maintenance_margin(entry.notional_max, tiers) for entry in tiers]
        assert margins == sorted(margins), symbol
        leverages = [leverage_max(entry.notional_max, tiers) for entry in tiers]
        assert leverages == sorted(leverages, reverse=True), symbol
        for below in tiers[:-1]:
            bound = below.notional_max
            step = maintenance_margin(bound + 1, tiers) - maintenance_margin(bound, tiers)
            assert 0 <= step <= 1, symbol


def test_binance_prices_move_away_as_the_wallet_grows(
    binance_tiers: dict[str, tuple[MarginTier, ...]],
) -> None:
    """Through every tier of every symbol, for a long and a short of the largest size allowed."""
    held = instrument()
    for symbol, tiers in binance_tiers.items():
        size = tiers[-1].notional_max // held.value(100_0000, 1)
        cost = held.value(100_0000, size)
        wallets = [cost * percent // 100 for percent in range(30, 100, 5)]
        longs = [liquidation_price(held, size, cost, wallet, tiers) for wallet in wallets]
        shorts = [liquidation_price(held, -size, cost, wallet, tiers) for wallet in wallets]
        assert longs == sorted(longs, reverse=True), symbol
        assert shorts == sorted(shorts), symbol

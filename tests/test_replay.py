"""Whole runs: what a replay of recorded markets and a demo must hold, to the last unit.

The recordings are 6 minutes of Binance BTCUSDT, spot and perpetual, at once. A run is made once and
judged by several tests; runs made twice take the first minute of the recordings.
"""

import gzip
from decimal import Decimal
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

from zvt_trading.adapters.files import open_recordings
from zvt_trading.core.units import format_scaled
from zvt_trading.messages.market import QuoteTick, TradeTick
from zvt_trading.runs import run_demo, run_replay
from zvt_trading.types import RunReport

SPOT = "spot_btcusdt_20240808.gz"
PERPETUAL = "usdm_btcusdt_20240808.gz"
CASH = Decimal(100_000)

Files = tuple[str, ...]
RUNS: list[Files] = [(SPOT,), (SPOT, PERPETUAL)]
both_runs = pytest.mark.parametrize("files", RUNS, ids=["spot", "spot and perpetual"])


@cache
def replayed(folder: Path, files: Files) -> RunReport:
    """The default replay of these recordings; made once, as it takes seconds."""
    return run_replay([folder / "binance" / name for name in files], cash=CASH)


@cache
def recorded_range(path: Path) -> tuple[Decimal, Decimal]:
    """(lowest, highest) price that was quoted or traded."""
    feed = open_recordings([path])
    prices: set[int] = set()
    for message in feed:
        if isinstance(message, QuoteTick):
            prices.update((message.bid, message.ask))
        elif isinstance(message, TradeTick):
            prices.add(message.price)
    scale = feed.specs[0].price_scale
    return Decimal(format_scaled(min(prices), scale)), Decimal(format_scaled(max(prices), scale))


def head(source: Path, target: Path, lines: int) -> Path:
    """The first lines of a recording."""
    with gzip.open(source) as file:
        target.write_bytes(gzip.compress(b"".join(islice(file, lines)), compresslevel=1, mtime=0))
    return target


def assert_equity_is_explained(report: RunReport, cash: Decimal) -> None:
    """Start cash + realised + unrealised - fees + funding = equity, exactly."""
    for portfolio in report.portfolios:
        explained = cash + portfolio.realized_pnl + portfolio.unrealized_pnl
        assert explained - portfolio.fees + portfolio.funding == portfolio.equity


class TestReplay:
    """Recorded markets, traded by the default strategy."""

    @both_runs
    def test_every_line_is_replayed_and_traded_on(self, shared_data: Path, files: Files) -> None:
        """A run that trades nothing would prove nothing."""
        report = replayed(shared_data, files)
        lines = {SPOT: 41_247, PERPETUAL: 93_950}  # those with a message of the market
        assert sum(lines[name] for name in files) == report.market_messages
        assert len(report.fills) > 100
        assert report.strategies == (("basis",) if len(files) == 2 else ("market_maker",))

    @both_runs
    def test_the_ledger_is_exact(self, shared_data: Path, files: Files) -> None:
        """Every asset's postings explain its balance; positions are the sums of their fills."""
        report = replayed(shared_data, files)
        assert report.ledger_problems == ()
        assert {row.difference for row in report.ledger} == {0}
        assert report.ledger_exact

    @both_runs
    def test_the_rebuilt_book_is_the_venues(self, shared_data: Path, files: Files) -> None:
        """Every decidable recorded best bid and ask equals the rebuilt top."""
        checks = replayed(shared_data, files).book_checks
        assert checks.matched == checks.total > 2_000 * len(files)

    @both_runs
    def test_equity_is_explained(self, shared_data: Path, files: Files) -> None:
        """One venue, so the start cash is there once."""
        assert_equity_is_explained(replayed(shared_data, files), CASH)

    @both_runs
    def test_fees_and_profits_are_sums_over_positions(
        self, shared_data: Path, files: Files
    ) -> None:
        """The summary, the positions and the fills tell the same fees."""
        report = replayed(shared_data, files)
        (portfolio,) = report.portfolios
        assert sum(p.realized_pnl for p in report.positions) == portfolio.realized_pnl
        assert sum(p.unrealized_pnl for p in report.positions) == portfolio.unrealized_pnl
        assert sum(p.fees for p in report.positions) == portfolio.fees
        assert sum(f.fee for f in report.fills if f.fee_asset == "USDT") == portfolio.fees

    @both_runs
    def test_positions_are_their_fills(self, shared_data: Path, files: Files) -> None:
        """Bought minus sold."""
        report = replayed(shared_data, files)
        for position in report.positions:
            signed = [
                fill.quantity if fill.side.value == "buy" else -fill.quantity
                for fill in report.fills
                if fill.symbol == position.symbol
            ]
            assert sum(signed) == position.quantity

    @both_runs
    def test_fills_are_at_recorded_prices(self, shared_data: Path, files: Files) -> None:
        """Never better or worse than anything the market showed in those minutes."""
        report = replayed(shared_data, files)
        ranges = {
            spec.symbol: recorded_range(shared_data / "binance" / name)
            for name in files
            for spec in open_recordings([shared_data / "binance" / name]).specs
        }
        assert {fill.symbol for fill in report.fills} == set(ranges)
        for fill in report.fills:
            low, high = ranges[fill.symbol]
            assert low <= fill.price <= high, fill

    def test_the_same_files_give_the_same_digest(self, shared_data: Path, tmp_path: Path) -> None:
        """Nothing but the inputs decides: no clock, no ids, no order of hashes."""
        files = [head(shared_data / "binance" / f, tmp_path / f, 12_000) for f in (SPOT, PERPETUAL)]
        one, two = (run_replay(files, seed=1) for _ in range(2))
        assert one.fills
        assert one.digest == two.digest
        assert one.fills == two.fills
        assert one.equity_curve == two.equity_curve

    def test_another_latency_seed_gives_another_run(
        self, shared_data: Path, tmp_path: Path
    ) -> None:
        """The seed draws how long orders take, so the digest is not a constant."""
        files = [head(shared_data / "binance" / SPOT, tmp_path / SPOT, 8_000)]
        assert run_replay(files, seed=1).digest != run_replay(files, seed=2).digest


class TestTables:
    """CSV and Parquet quotes through the same door."""

    QUOTES = 1_500

    def write(self, path: Path, shift: int = 0) -> Path:
        """A market that swings by 20 dollars around 60,000 every 300 quotes, 50 ms apart."""
        rows = ["time,bid,bid_size,ask,ask_size"]
        for at in range(self.QUOTES):
            cents = 6_000_000 + abs(at % 300 - 150) * 13 + shift * (at % 7)
            bid, ask = format_scaled(cents, 2), format_scaled(cents + 10, 2)
            rows.append(f"{1_700_000_000_000 + 50 * at},{bid},0.{at % 9 + 1},{ask},1.25")
        path.write_text("\n".join(rows) + "\n")
        return path

    def test_csv_quotes_are_traded(self, tmp_path: Path) -> None:
        """An unlisted venue's file, by its name alone."""
        path = self.write(tmp_path / "okx_BTC-USDT_quotes.csv")
        report = run_replay([path], strategy="market_maker")
        assert report.market_messages == self.QUOTES
        assert {(fill.exchange, fill.symbol) for fill in report.fills} == {("okx", "BTC/USDT")}
        assert report.ledger_exact
        assert report.book_checks.total == 0  # quotes without update ids decide nothing
        assert_equity_is_explained(report, CASH)

    def test_the_instrument_may_stand_before_the_path(self, tmp_path: Path) -> None:
        """The same rows under any name give the same run."""
        by_name = self.write(tmp_path / "okx_BTC-USDT_quotes.csv")
        other = self.write(tmp_path / "anything.csv")
        one = run_replay([by_name])
        two = run_replay([Path(f"okx:BTC/USDT={other}")])
        assert one.digest == two.digest

    def test_spot_and_perpetual_tables_are_traded_together(self, tmp_path: Path) -> None:
        """The basis strategy finds both legs."""
        spot = self.write(tmp_path / "okx_BTC-USDT_quotes.csv")
        perpetual = self.write(tmp_path / "okx_BTC-USDT_perp_quotes.csv", shift=1_500)
        report = run_replay([spot, perpetual])
        assert report.strategies == ("basis",)
        assert {fill.symbol for fill in report.fills} == {"BTC/USDT", "BTC/USDT:USDT"}
        assert report.ledger_exact
        assert_equity_is_explained(report, CASH)

    def test_parquet_quotes_give_the_same_run_as_csv(self, tmp_path: Path) -> None:
        """The format of a file is not a fact of the market."""
        csv_module = pytest.importorskip("pyarrow.csv")
        parquet = pytest.importorskip("pyarrow.parquet")
        source = self.write(tmp_path / "okx_BTC-USDT_quotes.csv")
        target = tmp_path / "okx_BTC-USDT_quotes.parquet"
        parquet.write_table(csv_module.read_csv(source), target)
        assert run_replay([source]).digest == run_replay([target]).digest

    def test_lean_minute_quotes_are_traded(self, shared_data: Path) -> None:
        """A day of minute quotes, from a zip."""
        path = shared_data / "reference" / "minute_20221213" / "bybit_btcusdt_quote.zip"
        report = run_replay([path])
        assert len(report.fills) > 10
        assert report.ledger_exact
        assert_equity_is_explained(report, CASH)


class TestDemo:
    """The generated market on four venues."""

    def test_it_is_decided_by_its_seed(self) -> None:
        """Ten seconds, twice."""
        one, two = (run_demo(seed=11, duration_seconds=10) for _ in range(2))
        assert one.digest == two.digest
        assert one.fills == two.fills

    def test_another_seed_is_another_market(self) -> None:
        """So the digest is not a constant."""
        runs = [run_demo(seed=seed, duration_seconds=10) for seed in (11, 12)]
        assert runs[0].digest != runs[1].digest

    def test_its_money_is_explained(self) -> None:
        """Start cash on each of four venues; the ledger is exact."""
        report = run_demo(duration_seconds=10, cash=CASH)
        assert report.fills
        assert report.ledger_exact
        assert_equity_is_explained(report, 4 * CASH)


def test_a_market_without_usdt_is_valued_in_what_it_settles_in(tmp_path: Path) -> None:
    """A euro market's portfolio is in euros, under the name that was asked for."""
    path = tmp_path / "kraken_ETH-EUR_quotes.csv"
    rows = "".join(
        f"{1_700_000_000_000 + i * 1000},{2000 + i % 3}.10,5,{2000 + i % 3}.20,5\n"
        for i in range(50)
    )
    path.write_text("ts,bid,bid_size,ask,ask_size\n" + rows, encoding="utf-8")
    report = run_replay([path], strategy="market_maker", portfolio="euros")
    assert [("euros", "EUR")] == [(p.portfolio_id, p.base_asset) for p in report.portfolios]
    assert report.ledger_exact

"""The commands `zvt-trading data ...`: history of the exchanges as Parquet files.

Exit codes: 0 done, all is well; 1 the venue stayed unusable, or files are not what they should be;
2 the arguments or a file cannot be used. See docs/data.md.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from zvt_trading.cli.exits import EXIT_FAILED, EXIT_USAGE, errors, fail, notice
from zvt_trading.cli.progress import ProgressReporter
from zvt_trading.cli.runner import OnProgress

if TYPE_CHECKING:  # they load the engine's units, which `zvt-trading version` need not wait for
    from zvt_trading.data.crypto_data_loader import CryptoDataLoader, Download, SeriesInfo
    from zvt_trading.data.history_source import HistorySource
    from zvt_trading.data.series import Series
    from zvt_trading.data.verify import Finding

MakeSource = Callable[[str, int | None], "HistorySource"]
"""Makes a source of an exchange's name and the pages a minute that are allowed."""

app = typer.Typer(
    name="data",
    help="History of the exchanges: download, list, verify.",
    no_args_is_help=True,
)

FolderOption = Annotated[
    Path | None,
    typer.Option(
        "--folder", metavar="FOLDER", help="Where the files lie; default: the user's data folder."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


@app.command()
def download(
    context: typer.Context,
    *,
    exchange: Annotated[str, typer.Option("--exchange", help="binance, okx, bybit or coinbase.")],
    symbol: Annotated[
        str, typer.Option("--symbol", help="BTC/USDT, or BTC/USDT:USDT for the perpetual.")
    ],
    start: Annotated[str, typer.Option("--start", help="2024-01-31 or 2024-01-31T12:00, UTC.")],
    end: Annotated[str, typer.Option("--end", help="As --start; not part of what is downloaded.")],
    what: Annotated[str, typer.Option("--what", help="candles or trades.")] = "candles",
    interval: Annotated[
        str | None, typer.Option("--interval", help="Of candles: 1m to 1d; default: 1m.")
    ] = None,
    pages_per_minute: Annotated[
        int | None,
        typer.Option("--pages-per-minute", min=1, help="Default: half of what is allowed."),
    ] = None,
    endpoint: Annotated[
        str | None,
        typer.Option("--endpoint", metavar="HOST:PORT", help="A private testnet instead."),
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", help="PEM that vouches for the private testnet.")
    ] = None,
    folder: FolderOption = None,
    as_json: JsonOption = False,
) -> None:
    """Download what is missing of candles or trades; a stopped download goes on where it was."""
    from zvt_trading.data.crypto_data_loader import CryptoDataLoader
    from zvt_trading.data.series import CANDLES, Series
    from zvt_trading.data.times import parse_time

    with errors():
        given = interval or ("1m" if what == CANDLES else "")
        series = Series(exchange, symbol, what, given)
        times = parse_time(start), parse_time(end)
        loader = CryptoDataLoader(_folder(folder))
        make: MakeSource = context.obj or _ccxt_source
        if endpoint is not None or ca_file is not None:
            make = _testnet(symbol, endpoint, ca_file)
        with ProgressReporter(Console(stderr=True), f"{series}") as progress:
            done = asyncio.run(
                _download(loader, lambda: make(exchange, pages_per_minute), series, times, progress)
            )
    _show_download(done, as_json=as_json)


@app.command("list")
def list_(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List what is there."""
    from zvt_trading.data.crypto_data_loader import CryptoDataLoader
    from zvt_trading.data.times import stamp

    with errors():
        place = _folder(folder)
        found = CryptoDataLoader(place).available()
    if as_json:
        typer.echo(json.dumps({"folder": str(place), "series": [_facts(info) for info in found]}))
        return
    if not found:
        notice(f"{place} has no history yet")
    for info in found:
        size = f"{info.size / 1_000_000:,.1f} MB"
        typer.echo(
            f"{info.series}: {info.rows:,} rows from {stamp(info.start)} to {stamp(info.end)} in "
            f"{len(info.files)} files, {size}"
        )


@app.command()
def verify(*, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Read every file again: gaps, duplicates, order, checksums."""
    from zvt_trading.data.crypto_data_loader import CryptoDataLoader

    with errors():
        place = _folder(folder)
        if not place.is_dir():
            fail(f"there is no folder {place}; give --folder", EXIT_USAGE)
        with ProgressReporter(Console(stderr=True), "verify") as progress:
            found = CryptoDataLoader(place).verify(progress)
    _show_findings(found, as_json=as_json)
    if found:
        fail(f"{len(found)} finding{'' if len(found) == 1 else 's'}", EXIT_FAILED)


def _folder(given: Path | None) -> Path:
    from platformdirs import user_data_path

    return given or user_data_path("zvt-trading", appauthor=False) / "history"


def _ccxt_source(exchange: str, pages_per_minute: int | None) -> "HistorySource":
    from zvt_trading.data.ccxt_source import ccxt_source

    return ccxt_source(exchange, pages_per_minute=pages_per_minute)


def _testnet(symbol: str, endpoint: str | None, ca_file: Path | None) -> MakeSource:
    def make(exchange: str, pages_per_minute: int | None) -> "HistorySource":
        from zvt_trading.live_bootstrap import history_source

        return history_source(
            exchange,
            symbol,
            endpoint=endpoint,
            ca_file=ca_file,
            pages_per_minute=pages_per_minute,
        )

    return make


async def _download(
    loader: "CryptoDataLoader",
    make: "Callable[[], HistorySource]",
    series: "Series",
    times: tuple[int, int],
    progress: OnProgress,
) -> "Download":
    source = make()
    try:
        return await loader.download(source, series, *times, progress)
    finally:
        await source.close()


def _show_download(done: "Download", *, as_json: bool) -> None:
    from zvt_trading.data.times import stamp

    if as_json:
        facts = {
            "series": str(done.series),
            "start": stamp(done.start),
            "end": stamp(done.end),
            "rows": done.rows,
            "files": [str(path) for path in done.files],
        }
        typer.echo(json.dumps(facts))
        return
    typer.echo(
        f"{done.series}: {stamp(done.start)} to {stamp(done.end)} is there, {done.rows:,} rows "
        f"are new, in {done.files[0].parent}"
    )


def _facts(info: "SeriesInfo") -> dict[str, object]:
    from zvt_trading.data.times import stamp

    return {
        "exchange": info.series.exchange,
        "symbol": info.series.symbol,
        "what": info.series.what,
        "interval": info.series.interval,
        "rows": info.rows,
        "start": stamp(info.start),
        "end": stamp(info.end),
        "files": [str(path) for path in info.files],
        "bytes": info.size,
    }


def _show_findings(found: "list[Finding]", *, as_json: bool) -> None:
    if as_json:
        findings = [{"file": str(finding.path), "text": finding.text} for finding in found]
        typer.echo(json.dumps({"findings": findings}))
        return
    for finding in found:
        typer.echo(f"{finding.path}: {finding.text}")
    if not found:
        typer.echo("all is well")

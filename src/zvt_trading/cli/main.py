"""The command `zvt-trading`.

Exit codes: 0 the run is proven; 1 the engine failed, the ledger is not exact or the rebuilt book
differs from the recorded one; 2 the arguments or the input cannot be used.
"""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISDIR
from typing import Annotated

import typer
from rich.console import Console

from zvt_trading import __version__
from zvt_trading.cli import data, db, keys, stream
from zvt_trading.cli.doctor import doctor
from zvt_trading.cli.emulator import emulator
from zvt_trading.cli.exits import EXIT_FAILED, EXIT_USAGE, errors, fail, notice
from zvt_trading.cli.run import run
from zvt_trading.cli.runner import DemoOptions, EngineRunner, OnProgress, ReplayOptions, Runner
from zvt_trading.types import AccountingMethod, RunReport

DEMO_REPORT = Path("zvt-trading-demo.html")
"""Where `demo` writes its report unless told otherwise."""

INSTALL_PLOTLY = 'Install it with: pip install "zvt-trading[research]"'

app = typer.Typer(
    name="zvt-trading",
    help="A crypto trading engine: one deterministic core for backtest, paper and live.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,
)
app.add_typer(db.app)
app.add_typer(data.app)
app.add_typer(keys.app)
app.add_typer(stream.app)
app.command()(run)
app.command()(doctor)
app.command()(emulator)

SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Same seed, same run.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
StoreOption = Annotated[
    str | None,
    typer.Option(
        "--db-url",
        metavar="URL",
        help="Remember it: sqlite:///PATH or postgresql://USER@HOST/DATABASE; default: no store.",
    ),
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="Write an HTML report.")
]


@app.command()
def version() -> None:
    """Print the version, and whether the core is compiled."""
    found = find_spec("zvt_trading.core.units")  # looked up, not loaded
    origin = found.origin if found is not None else None
    build = "interpreted" if origin is None or origin.endswith(".py") else "compiled"
    typer.echo(f"{__version__} ({build})")


@app.command()
def strategies() -> None:
    """List the strategies that --strategy knows by name."""
    from zvt_trading.cli.strategy_list import strategy_rows
    from zvt_trading.cli.tables import print_strategies

    print_strategies(strategy_rows(), Console())


@app.command()
def demo(
    context: typer.Context,
    *,
    seed: SeedOption = 7,
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=86_400, help="Seconds of market time.")
    ] = 60,
    strategy: Annotated[
        list[str] | None,
        typer.Option("--strategy", help="Name or path/to/file.py:Class; may be repeated."),
    ] = None,
    db_url: StoreOption = None,
    as_json: JsonOption = False,
    report: ReportOption = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help=f"Do not write {DEMO_REPORT}.")
    ] = False,
) -> None:
    """Trade on a generated market of four venues."""
    if report is not None and no_report:
        fail("--report and --no-report exclude each other; give one of them", EXIT_USAGE)
    if report is None and not no_report and not as_json:
        report = DEMO_REPORT
    options = DemoOptions(
        seed=seed, seconds=seconds, strategies=tuple(strategy or ()), db_url=db_url
    )
    runner = _runner(context)
    _run("demo", lambda progress: runner.demo(options, progress), report, as_json=as_json)


@app.command()
def replay(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Recorded markets.")],
    *,
    strategy: Annotated[
        str | None,
        typer.Option("--strategy", help="Name or path/to/file.py:Class; default: an example."),
    ] = None,
    portfolio: Annotated[
        str, typer.Option("--portfolio", help="Name of the portfolio that trades.")
    ] = "default",
    cash: Annotated[str, typer.Option("--cash", help="Starting cash, quote asset.")] = "100000",
    portfolio_method: Annotated[
        AccountingMethod, typer.Option("--portfolio-method", help="Which lot a sale closes.")
    ] = AccountingMethod.FIFO,
    seed: SeedOption = 0,
    db_url: StoreOption = None,
    as_json: JsonOption = False,
    report: ReportOption = None,
) -> None:
    """Trade on recorded markets, with the rebuilt book checked against the recording."""
    for path in files:
        _check_readable(path)
    options = ReplayOptions(
        paths=tuple(files),
        strategy=strategy,
        cash=_cash(cash),
        method=portfolio_method,
        seed=seed,
        portfolio=portfolio,
        db_url=db_url,
    )
    runner = _runner(context)
    _run("replay", lambda progress: runner.replay(options, progress), report, as_json=as_json)


def _runner(context: typer.Context) -> Runner:
    """Return the runner given as the context's object, or else the engine."""
    given: Runner | None = context.obj
    return EngineRunner() if given is None else given


def _run(
    label: str, run: Callable[[OnProgress], RunReport], report_path: Path | None, *, as_json: bool
) -> None:
    """Run, show the result, write the report; leave with exit code 1 when it proves wrong."""
    from zvt_trading.cli.progress import ProgressReporter
    from zvt_trading.cli.summary import problems

    if report_path is not None:
        with errors():
            _check_writable(report_path)
    with errors(), ProgressReporter(Console(stderr=True), label) as progress:
        report = run(progress)
    _show(report, as_json=as_json)
    if report_path is not None:
        _write_html(report, report_path)
    found = problems(report)
    if found:
        fail("; ".join(found), EXIT_FAILED)


def _show(report: RunReport, *, as_json: bool) -> None:
    if as_json:
        from zvt_trading.cli.json_report import json_text

        typer.echo(json_text(report))
    else:
        from zvt_trading.cli.tables import print_report

        print_report(report, Console())


def _write_html(report: RunReport, path: Path) -> None:
    """Write the HTML report, or say what to install; the run itself stays good without it."""
    from zvt_trading.cli.html_report import write_report

    try:
        write_report(report, path)
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("plotly"):
            raise
        notice(f"No report: plotly is not installed. {INSTALL_PLOTLY}")
    except OSError as error:
        fail(f"cannot write {path}: {error.strerror}", EXIT_USAGE)
    else:
        notice(f"Report: {path}")


def _check_readable(path: Path) -> None:
    """Find out before the run that a recording is missing ("venue:SYMBOL=path" names its file)."""
    from zvt_trading.adapters.files.naming import file_argument

    path = file_argument(path).path
    try:
        is_directory = S_ISDIR(path.stat().st_mode)
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}; give the path of a recording", EXIT_USAGE)
    if is_directory:
        fail(f"cannot read {path}: it is a directory; name the files in it", EXIT_USAGE)


def _check_writable(path: Path) -> None:
    """Find out before the run, not after it, that the report has no place to go."""
    if path.is_dir():
        fail(f"cannot write {path}: it is a directory; name a file in it", EXIT_USAGE)
    if not path.parent.is_dir():
        fail(f"cannot write {path}: {path.parent} is not a directory; create it", EXIT_USAGE)


def _cash(text: str) -> Decimal:
    """Return the starting cash; it must be a positive decimal number."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount <= 0:
        fail(f"--cash {text!r} is not a positive number, like 100000 or 2500.50", EXIT_USAGE)
    return amount

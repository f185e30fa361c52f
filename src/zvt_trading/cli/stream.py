"""The commands `zvt-trading stream ...`: live markets of the exchanges, into files or to look at.

Exit codes: 0 done, nothing was lost; 1 an instrument was silent, messages were lost, or a venue
cannot be heard; 2 the arguments cannot be used. See docs/streams.md.
"""

import json
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated

import typer

from zvt_trading.cli.exits import EXIT_FAILED, errors, fail, notice

if TYPE_CHECKING:  # they load much, which `zvt-trading version` need not wait for
    from zvt_trading.data.crypto_stream_service import CryptoStreamService
    from zvt_trading.data.stream_metrics import StreamMetrics
    from zvt_trading.messages.market import InstrumentSpec, QuoteTick

app = typer.Typer(
    name="stream",
    help="Live markets of the exchanges: record, show. No API key is needed.",
    no_args_is_help=True,
)

ExchangeOption = Annotated[
    list[str],
    typer.Option("--exchange", help="binance, okx, bybit or coinbase; may be repeated."),
]
SymbolOption = Annotated[
    list[str],
    typer.Option(
        "--symbol",
        help="BTC/USDT, or BTC/USDT:USDT for the perpetual; may be repeated; of every exchange.",
    ),
]
SecondsOption = Annotated[
    int | None, typer.Option("--seconds", min=1, help="Default: until Ctrl-C.")
]
EndpointOption = Annotated[
    str | None,
    typer.Option("--endpoint", metavar="HOST:PORT", help="A private testnet instead."),
]
CaFileOption = Annotated[
    Path | None, typer.Option("--ca-file", help="PEM that vouches for the private testnet.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]


@app.command()
def record(
    *,
    exchange: ExchangeOption,
    symbol: SymbolOption,
    folder: Annotated[
        Path, typer.Option("--folder", metavar="FOLDER", help="Where the files shall lie.")
    ],
    seconds: SecondsOption = None,
    endpoint: EndpointOption = None,
    ca_file: CaFileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Record quotes, trades, books and marks into files that `zvt-trading replay` reads."""
    with errors(), _service(exchange, symbol, endpoint, ca_file) as service, _stop() as stop:
        outlet = service.record(folder)
        service.start()
        stop.wait(seconds)
        rows = service.metrics()
        service.close()  # what waits is written
    taken = outlet.metrics()
    (recorder,) = service.recorders
    lost = taken.dropped + recorder.lost
    _show_recording(rows, recorder.files, lost, as_json=as_json)
    silent = _silent(rows)
    if silent:
        fail(f"nothing was heard of {', '.join(silent)}", EXIT_FAILED)
    if lost or taken.errors:
        fail(f"{lost} messages were not recorded, {taken.errors} errors", EXIT_FAILED)


@app.command()
def show(
    *,
    exchange: ExchangeOption,
    symbol: SymbolOption,
    seconds: SecondsOption = None,
    endpoint: EndpointOption = None,
    ca_file: CaFileOption = None,
) -> None:
    """Show the best prices, once a second."""
    from zvt_trading.messages.market import QuoteTick

    quotes: dict[str, QuoteTick] = {}

    def take(message: object) -> None:
        if isinstance(message, QuoteTick):
            quotes[message.instrument] = message

    with errors(), _service(exchange, symbol, endpoint, ca_file) as service, _stop() as stop:
        service.subscribe(take, channels=("quotes",), name="show")
        service.start()
        passed = 0
        while not stop.is_set() and passed != seconds:
            stop.wait(1)
            passed += 1
            for name, spec in service.specs.items():
                typer.echo(_line(name, spec, quotes.get(name)))


@contextmanager
def _service(
    exchanges: Sequence[str], symbols: Sequence[str], endpoint: str | None, ca_file: Path | None
) -> "Iterator[CryptoStreamService]":
    """All of the symbols at all of the exchanges; closed at the end."""
    from zvt_trading.adapters.settings.logs import configure_logs
    from zvt_trading.adapters.settings.model import LogSettings
    from zvt_trading.adapters.settings.redaction import Redactor
    from zvt_trading.live_bootstrap import public_gateway, stream_service

    configure_logs(LogSettings(), Redactor())  # to stderr; there are no secrets here
    gateways = [
        public_gateway(name, symbols, endpoint=endpoint, ca_file=ca_file)
        for name in dict.fromkeys(exchanges)
    ]
    wanted = tuple(dict.fromkeys(symbols))
    service = stream_service(gateways, {gateway.venue: wanted for gateway in gateways})
    try:
        yield service
    finally:
        service.close()


@contextmanager
def _stop() -> Iterator[Event]:
    """Set by Ctrl-C or SIGTERM."""
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _silent(rows: "Sequence[StreamMetrics]") -> list[str]:
    """Instruments of which nothing at all was heard."""
    heard: dict[str, int] = {}
    for row in rows:
        name = f"{row.venue}:{row.symbol}"
        heard[name] = heard.get(name, 0) + row.messages
    return [name for name, messages in heard.items() if not messages]


def _show_recording(
    rows: "Sequence[StreamMetrics]", files: Sequence[Path], lost: int, *, as_json: bool
) -> None:
    if as_json:
        from msgspec.structs import asdict

        facts = {
            "files": [str(path) for path in files],
            "lost": lost,
            "streams": [asdict(row) for row in rows],
        }
        typer.echo(json.dumps(facts))
        return
    for row in rows:
        typer.echo(
            f"{row.venue}:{row.symbol} {row.channel}: {row.messages:,} messages, {row.gaps} gaps, "
            f"{row.reconnects} reconnects"
        )
    for path in files:
        notice(f"Recorded: {path}")


def _line(name: str, spec: "InstrumentSpec", quote: "QuoteTick | None") -> str:
    from zvt_trading.core.units import SECOND, format_scaled

    if quote is None:
        return f"{name}: nothing yet"
    bid, ask = (format_scaled(price, spec.price_scale) for price in (quote.bid, quote.ask))
    sizes = (quote.bid_size, quote.ask_size)
    bid_size, ask_size = (format_scaled(size, spec.quantity_scale) for size in sizes)
    stamp = quote.ts // SECOND % 86_400
    clock = f"{stamp // 3600:02}:{stamp // 60 % 60:02}:{stamp % 60:02}"
    return f"{clock} {name}: bid {bid} ({bid_size}), ask {ask} ({ask_size})"

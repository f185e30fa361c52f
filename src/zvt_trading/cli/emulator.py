"""The command `zvt-trading emulator`: exchanges of one's own, on this machine only.

Exit codes: 0 it was stopped; 2 the arguments, the ports or the files cannot be used.
"""

from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from zvt_trading.cli.exits import EXIT_USAGE, errors, fail

if TYPE_CHECKING:  # it loads a web server, which `zvt-trading version` need not wait for
    from zvt_trading.emulator.emulator import Emulator

PORT_MAX = 65_535


def emulator(
    *,
    exchange: Annotated[
        str, typer.Option("--exchange", metavar="A,B", help="Which; default: all four.")
    ] = "binance,okx,bybit,coinbase",
    port: Annotated[
        int,
        typer.Option(
            "--port", min=0, max=PORT_MAX, metavar="BASE",
            help="Plain HTTP of the first exchange, the next one's is one more; 0: any.",
        ),
    ] = 0,
    tls_port: Annotated[
        int, typer.Option("--tls-port", min=0, max=PORT_MAX, help="All of them by TLS; 0: any.")
    ] = 0,
    admin_port: Annotated[
        int, typer.Option("--admin-port", min=0, max=PORT_MAX, help="Faults, record; 0: any.")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the market.")] = 7,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Books stand still unless you trade.")
    ] = False,
    history_minutes: Annotated[
        int,
        typer.Option(
            "--history-minutes", min=0, max=1_440, help="The market ran that long already."
        ),
    ] = 0,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Keeps keys, CA and records; default: gone at the end."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", metavar="FILE.toml", help="Write a config for `run` there."),
    ] = None,
) -> None:  # fmt: skip
    """Emulate exchanges on loopback, a private testnet for any bot. Ctrl-C ends it."""
    import asyncio

    names = _names(exchange)
    if port + len(names) - 1 > PORT_MAX:
        fail(f"--port {port}: {len(names)} exchanges need ports up to {PORT_MAX}", EXIT_USAGE)
    with errors():
        if config is not None:
            _check_config(config)
        asyncio.run(
            _emulate(
                names,
                {name: port + i if port else 0 for i, name in enumerate(names)},
                tls_port,
                admin_port,
                seed,
                history_minutes,
                folder.absolute() if folder is not None else None,
                config,
                is_quiet=quiet,
            )
        )


def _names(text: str) -> list[str]:
    """The exchanges that are named; leaves with exit code 2 when there is one not."""
    from zvt_trading.emulator.emulator import EXCHANGES

    names = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [name for name in names if name not in EXCHANGES]
    if unknown or not names or len(set(names)) < len(names):
        fail(
            f"--exchange {text!r}: one or more of {', '.join(EXCHANGES)}, each once, with commas",
            EXIT_USAGE,
        )
    return names


def _check_config(path: Path) -> None:
    from zvt_trading.emulator.handing_out import is_ours

    if not is_ours(path):
        fail(f"--config {path} is there already and not one of ours: name another", EXIT_USAGE)


async def _emulate(
    names: list[str],
    ports: dict[str, int],
    tls_port: int,
    admin_port: int,
    seed: int,
    history_minutes: int,
    folder: Path | None,
    config: Path | None,
    *,
    is_quiet: bool,
) -> None:
    import asyncio

    from zvt_trading.cli.signals import on_signals
    from zvt_trading.emulator.emulator import Emulator

    running = Emulator(
        names,
        seed=seed,
        is_quiet=is_quiet,
        folder=folder,
        tls_port=tls_port,
        ports=ports,
        admin_port=admin_port,
        history_minutes=history_minutes,
    )
    stop = asyncio.Event()
    try:
        with on_signals(stop.set):
            try:
                await running.start()
            except OSError as error:
                fail(f"cannot listen: {error.strerror}; choose other ports", EXIT_USAGE)
            _tell(running, config)
            await stop.wait()
    finally:
        await running.stop()


def _tell(running: "Emulator", config: Path | None) -> None:
    """Write the files, and say where everything is; no secret is shown."""
    from zvt_trading.emulator.handing_out import config_text, write_keys

    as_json, as_env = write_keys(running.folder, running.keys)
    for name, port in running.ports.items():
        typer.echo(f"{name:<9} http://127.0.0.1:{port}")
    typer.echo(f"by TLS    127.0.0.1:{running.tls_port}, under the exchanges' own host names")
    typer.echo(f"CA        {running.authority.ca_file}")
    typer.echo(f"admin     http://127.0.0.1:{running.admin_port}/exchanges")
    typer.echo(f"keys      {as_json}")
    if config is not None:
        symbols = {name: _symbols(running, name) for name in running.ports}
        # A new emulator is a new exchange, which an old store knows nothing of.
        store = running.folder / f"live-{running.market.start_ns}.db"
        config.write_text(
            config_text(symbols, running.tls_port, running.authority.ca_file, store),
            encoding="utf-8",
        )
        typer.echo(f"config    {config}")
        typer.echo("")
        typer.echo(f". {quote(str(as_env))}")
        typer.echo(f"zvt-trading doctor -c {quote(str(config))}")
        typer.echo(f"zvt-trading run -c {quote(str(config))} --confirm-live")
    typer.echo("")
    typer.echo("Ctrl-C ends it.")


def _symbols(running: "Emulator", exchange: str) -> tuple[str, ...]:
    """What it lists."""
    specs = running.market.specs()
    return tuple(spec.symbol for spec in specs if spec.venue == exchange)

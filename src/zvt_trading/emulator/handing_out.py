"""What whoever uses an emulator needs: its keys in files of their own, and a config to begin with.

Secrets are in `keys.json` (for any bot) and `keys.env` (for our own commands) only, both 0600.
"""

import json
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from zvt_trading.emulator.keys import ApiKey

ACCOUNT: Final = "emulator"
"""Whose keys these are to our commands: nobody's keys for the exchange itself are called so."""
HEADER: Final = "# Written by `zvt-trading emulator`"

_PAPER_CASH: Final = "100000"


def write_keys(folder: Path, keys: Mapping[str, ApiKey]) -> tuple[Path, Path]:
    """Write `keys.json` and `keys.env`; OSError when that cannot be."""
    rows = {
        name: {"key": key.key, "secret": key.secret, "password": key.passphrase}
        for name, key in keys.items()
    }
    as_json, as_env = folder / "keys.json", folder / "keys.env"
    _write_private(as_json, json.dumps(rows, indent=1) + "\n")
    lines = [HEADER]
    for name, row in rows.items():
        for part, value in row.items():
            if value:
                variable = f"ZVT_TRADING_{part}_{name}_{ACCOUNT}".upper()
                one_line = value.strip().replace("\n", "\\n")  # a PEM
                lines.append(f"export {variable}={shlex.quote(one_line)}")
    _write_private(as_env, "\n".join(lines) + "\n")
    return as_json, as_env


def config_text(
    exchanges: Mapping[str, tuple[str, ...]], tls_port: int, ca_file: Path, store: Path
) -> str:
    """A config file for `zvt-trading run`, with the symbols of each exchange."""
    first = next(iter(exchanges))
    cash = ", ".join(f'{name} = "{_PAPER_CASH}"' for name in exchanges)
    parts = [
        f"{HEADER}: it works as long as that emulator runs.",
        'mode = "live" # on the emulator; no money moves',
        f"db_url = {_quoted(f'sqlite:///{store}')}",
        "",
        "[[portfolio]]",
        'base_asset = "USDT"',
        f"cash = {{ {cash} }} # with --mode paper, which needs a store of its own",
    ]
    for name, symbols in exchanges.items():
        parts += [
            "",
            f"[venues.{name}]",
            f"symbols = {json.dumps(list(symbols))}",
            f'account = "{ACCOUNT}"',
            f'endpoint = "127.0.0.1:{tls_port}"',
            f"ca_file = {_quoted(str(ca_file))}",
        ]
    instrument = f"{first}:{exchanges[first][0]}"
    parts += [
        "",
        "[strategies.maker]",
        'class = "market_maker"',
        f'parameters = {{ instrument = "{instrument}", notional = 150 }}',
        "",
    ]
    return "\n".join(parts)


def is_ours(path: Path) -> bool:
    """Whether a config file was written here, and may be replaced; also when there is none."""
    if not path.exists():
        return True
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER.encode()


def _quoted(text: str) -> str:
    """As TOML has it; JSON's strings are its basic strings."""
    return json.dumps(text, ensure_ascii=False)


def _write_private(path: Path, text: str) -> None:
    """Nobody else may read it, not even for a moment."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

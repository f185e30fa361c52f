"""The commands `zvt-trading keys ...`: API keys are put away, listed and removed.

Secrets come from a prompt or from stdin, never from the command line: what is there can be read by
others on the machine. They are never printed. Exit codes: 0 done; 2 it cannot be done. See
docs/configuration.md.
"""

import json
import sys
from typing import Annotated

import typer
from rich.console import Console

from zvt_trading.cli.exits import EXIT_USAGE, errors, fail, notice

INPUT_LENGTH_MAX = 20_000
"""Characters of stdin: an API key with a PEM fits many times."""

# What venues call the parts in the files that they give out, and what we call them.
KEY_NAMES = ("key", "apiKey", "api_key", "name")
SECRET_NAMES = ("secret", "secretKey", "apiSecret", "api_secret", "privateKey")
PASSWORD_NAMES = ("password", "passphrase")

app = typer.Typer(
    name="keys",
    help="API keys: in the system's keyring or an encrypted file.",
    no_args_is_help=True,
)

VenueArgument = Annotated[
    str, typer.Argument(metavar="VENUE", help="binance, okx, bybit or coinbase.")
]
AccountOption = Annotated[
    str, typer.Option("--account", metavar="NAME", help="As in the config file.")
]
FileOption = Annotated[
    bool,
    typer.Option("--file", help="The encrypted file (ZVT_TRADING_KEYS_FILE), not the keyring."),
]

Parts = tuple[str, str, str]
"""Key, secret, password ("" where there is none)."""


@app.command("set")
def set_(
    venue: VenueArgument, *, account: AccountOption = "default", file: FileOption = False
) -> None:
    """Put API keys away; asks for them, or reads them from stdin (lines, or a venue's JSON)."""
    from zvt_trading.adapters.settings.credentials import WITH_PASSWORD, Credentials
    from zvt_trading.adapters.settings.keys import KeyringKeys, check_account, environment, key_file

    with errors():
        check_account(venue, account)
        typed = sys.stdin.isatty()
        parts = _prompted(venue in WITH_PASSWORD) if typed else _read(sys.stdin.read())
        keys = Credentials(venue, account, *parts)
        place = key_file(environment(), _new_passphrase) if file else KeyringKeys()
        place.save(keys)
        notice(f"{venue}/{account}: key {keys.hint} is in the {place.name}")


@app.command("list")
def list_(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False
) -> None:
    """List whose API keys are where; the secrets stay where they are."""
    from zvt_trading.adapters.settings.keys import environment, key_sources
    from zvt_trading.cli.live_parts import ask_passphrase
    from zvt_trading.cli.tables import print_rows

    rows: list[dict[str, object]] = []
    with errors():
        seen: set[tuple[str, str]] = set()
        for source in key_sources(environment(), ask_passphrase):
            for venue, account in source.names():
                # The first place counts; what is further down is there for nothing.
                used = (venue, account) not in seen
                seen.add((venue, account))
                rows.append(
                    {"venue": venue, "account": account, "where": source.name, "is_used": used}
                )
    if as_json:
        typer.echo(json.dumps({"keys": rows}))
    elif not rows:
        notice("no API keys; put some away with: zvt-trading keys set VENUE")
    else:
        print_rows(rows, Console())


@app.command()
def remove(
    venue: VenueArgument, *, account: AccountOption = "default", file: FileOption = False
) -> None:
    """Remove API keys from the keyring, or from the encrypted file."""
    from zvt_trading.adapters.settings.keys import KeyringKeys, check_account, environment, key_file
    from zvt_trading.cli.live_parts import ask_passphrase

    with errors():
        check_account(venue, account)
        place = key_file(environment(), ask_passphrase) if file else KeyringKeys()
        if not place.remove(venue, account):
            fail(f"no keys of {venue}/{account} in the {place.name}; see: keys list", EXIT_USAGE)
    notice(f"{venue}/{account}: removed from the {place.name}")


def _prompted(with_password: bool) -> Parts:
    """Typed unseen."""
    names = ("API key", "API secret", "Passphrase of the API key")
    typed = [_ask(name) for name in (names if with_password else names[:2])]
    return typed[0], typed[1], typed[2] if with_password else ""


def _ask(name: str) -> str:
    typed: str = typer.prompt(name, hide_input=True, err=True)
    return typed


def _new_passphrase() -> str | None:
    """For a file that may be new: typed twice, as a typing error would lock it for ever."""
    if not sys.stdin.isatty():
        return None
    typed: str = typer.prompt(
        "Passphrase of the keys' file", hide_input=True, confirmation_prompt=True, err=True
    )
    return typed


def _read(text: str) -> Parts:
    """From stdin: a venue's JSON, or key, secret and password in a line each."""
    from zvt_trading.adapters.settings.errors import KeyStoreError

    wanted = "give the API key, the secret and, for OKX, the passphrase, in a line each; or JSON"
    if len(text) > INPUT_LENGTH_MAX:
        raise KeyStoreError(f"stdin has more than {INPUT_LENGTH_MAX} characters; {wanted}")
    if text.lstrip().startswith("{"):
        return _from_json(text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= 3:
        raise KeyStoreError(f"stdin has {len(lines)} lines; {wanted}")
    return lines[0], lines[1], lines[2] if len(lines) == 3 else ""


def _from_json(text: str) -> Parts:
    from zvt_trading.adapters.settings.errors import KeyStoreError

    try:
        found = json.loads(text)
    except ValueError:  # its text would have the secret in it
        raise KeyStoreError("stdin begins like JSON, and is none") from None
    key, secret, password = (
        next((found[name] for name in names if name in found), "")
        for names in (KEY_NAMES, SECRET_NAMES, PASSWORD_NAMES)
    )
    if not key or not secret:
        raise KeyStoreError(
            f"stdin: the JSON needs a key ({', '.join(KEY_NAMES)}) "
            f"and a secret ({', '.join(SECRET_NAMES)})"
        )
    return key, secret, password

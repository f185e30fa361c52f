"""How a command says what is wrong, in one line on stderr, and with which code it leaves."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from zvt_trading.errors import CallerError, DataError, ZvtTradingError
from zvt_trading.ports.store import LeaseTakenError, StoreError, StoreUnavailableError

EXIT_FAILED = 1
EXIT_USAGE = 2

UNUSABLE = (CallerError, DataError, LeaseTakenError, StoreUnavailableError)
"""What was given cannot be used, now or at all; nothing is proven wrong by that."""


def fail(message: str, code: int) -> NoReturn:
    """Print one line on stderr and leave with the exit code."""
    line = " ".join(part.strip() for part in message.splitlines())  # a server's may have several
    notice(f"zvt-trading: {line}")
    raise typer.Exit(code)


def notice(message: str) -> None:
    """Print one line on stderr; stdout belongs to the result."""
    typer.echo(message, err=True)


@contextmanager
def errors() -> Iterator[None]:
    """Turn errors with a known culprit into one line; anything else is a bug and shows itself."""
    try:
        yield
    except OSError as error:
        fail(f"{error.filename or 'the input'}: {error.strerror or error}", EXIT_USAGE)
    except ZvtTradingError as error:
        # A plain StoreError is about the store that was named; its subclasses say more.
        if isinstance(error, UNUSABLE) or type(error) is StoreError:
            fail(str(error), EXIT_USAGE)
        fail(f"{type(error).__name__}: {error}", EXIT_FAILED)

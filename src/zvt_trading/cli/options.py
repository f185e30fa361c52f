"""What `run` and `doctor` share: their options, and what they let out when something is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zvt_trading.cli.exits import EXIT_FAILED, EXIT_USAGE, fail, notice
from zvt_trading.errors import ZvtTradingError

if TYPE_CHECKING:  # they load pydantic, which `zvt-trading version` need not wait for
    from zvt_trading.adapters.settings.model import Mode
    from zvt_trading.adapters.settings.redaction import Redactor

ConfigOption = Annotated[
    Path, typer.Option("-c", "--config", metavar="FILE.toml", help="See docs/configuration.md.")
]
ModeOption = Annotated[
    str | None, typer.Option("--mode", metavar="paper|live", help="Default: the config file's.")
]


def mode_of(text: str | None) -> "Mode | None":
    """The mode that the command line wishes; leaves with exit code 2 when there is none such."""
    from zvt_trading.adapters.settings.model import Mode

    if text is None:
        return None
    try:
        return Mode(text)
    except ValueError:
        fail(f"--mode {text!r} is no mode; allowed: {', '.join(Mode)}", EXIT_USAGE)


@contextmanager
def redacted(redactor: "Redactor") -> Iterator[None]:
    """Whatever is raised here shows no secret that is known by then, and no local variable."""
    from zvt_trading.runtime.tracebacks import stack_of

    try:
        yield
    except (typer.Exit, typer.Abort, OSError):
        raise
    except ZvtTradingError as error:
        error.args = tuple(
            redactor.text(part) if isinstance(part, str) else part for part in error.args
        )
        raise
    except Exception as error:  # noqa: BLE001 - a bug is shown whole, but through the redactor
        notice(redactor.text(stack_of(error)))
        fail(f"this is a bug: {redactor.text(repr(error))}", EXIT_FAILED)

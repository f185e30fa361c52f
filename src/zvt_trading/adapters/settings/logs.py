"""Logging of a run: one line an event on stderr, for people or as JSON, without secrets."""

import logging
import sys
from typing import Any, Final, TextIO, cast

import structlog

from zvt_trading.adapters.settings.model import LogSettings
from zvt_trading.adapters.settings.redaction import Redactor

_LEVELS: Final = logging.getLevelNamesMapping()


def configure_logs(settings: LogSettings, redactor: Redactor, stream: TextIO | None = None) -> None:
    """Set up structlog for us, and the standard library's logging for what we build on.

    Libraries are heard from WARNING on: at DEBUG some write whole requests down.
    """
    level = _LEVELS[settings.level.upper()]
    out = stream if stream is not None else sys.stderr
    renderer: Any = structlog.dev.ConsoleRenderer(
        colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    if settings.as_json:
        renderer = structlog.processors.JSONRenderer(default=str)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            cast("structlog.types.Processor", redactor),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,  # whoever has a logger already is redacted too
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_RedactingFormatter(redactor))
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, _RedactingFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))


class _RedactingFormatter(logging.Formatter):
    """The whole line is looked through, with the traceback in it."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(asctime)s [%(levelname)s] %(name)s: %(message)s")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """One line, and what follows it."""
        return self._redactor.text(super().format(record))

"""The log of a run: who is heard, in which form, and what is not in it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from settings_world import KEY, SECRET, logging_as_before
from zvt_trading.adapters.settings.logs import configure_logs
from zvt_trading.adapters.settings.model import LogSettings
from zvt_trading.adapters.settings.redaction import HIDDEN, Redactor


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with logging_as_before():
        yield


def failing(error: Exception) -> None:
    """Raise, with a local variable that is nobody's business."""
    balance = 4242 * 10_001
    raise error if balance else AssertionError


def log_into(level: str = "info", *, as_json: bool = True) -> io.StringIO:
    """Set logging up, and where it goes."""
    redactor = Redactor()
    redactor.add((KEY, SECRET))
    out = io.StringIO()
    settings = LogSettings.model_validate({"level": level, "json": as_json})
    configure_logs(settings, redactor, out)
    return out


def test_json_is_an_object_a_line() -> None:
    """With level and time."""
    out = log_into()
    structlog.get_logger("test").info("filled", price="1.5")
    structlog.get_logger("test").warning("late")
    first, second = [json.loads(line) for line in out.getvalue().splitlines()]
    assert ("filled", "1.5", "info") == (first["event"], first["price"], first["level"])
    assert first["timestamp"].endswith("Z")
    assert "late" == second["event"]


@pytest.mark.parametrize(
    ("level", "heard"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_the_level_is_the_least_that_is_heard(level: str, heard: list[str]) -> None:
    """Of ours."""
    out = log_into(level)
    for name in ("debug", "info", "warning", "error"):
        getattr(structlog.get_logger("test"), name)(name)
    assert heard == [json.loads(line)["event"] for line in out.getvalue().splitlines()]


@pytest.mark.parametrize("as_json", [True, False])
def test_no_form_shows_secrets(as_json: bool) -> None:
    """Nor local variables of a traceback."""
    out = log_into(as_json=as_json)
    try:
        failing(ValueError(f"https://venue/order?key={KEY}"))
    except ValueError:
        structlog.get_logger("test").exception("failed", detail=[SECRET])
    shown = out.getvalue()
    assert f"ValueError: https://venue/order?key={HIDDEN}" in shown
    assert "in failing" in shown
    for hidden in (KEY, SECRET, "42424242"):
        assert hidden not in shown


def test_a_logger_from_before_is_redacted_too() -> None:
    """Modules make theirs when they are imported."""
    early = structlog.get_logger("early")
    out = log_into()
    early.info(SECRET)
    assert HIDDEN == json.loads(out.getvalue())["event"]


@pytest.mark.parametrize("level", ["debug", "error"])
def test_libraries_are_heard_from_warnings_on_and_redacted(level: str) -> None:
    """Arguments and tracebacks as well; at DEBUG some write whole requests."""
    out = log_into(level)
    library = logging.getLogger("ccxt.test")
    library.debug("sent %s", SECRET)
    library.warning("slow %s", KEY)
    try:
        failing(OSError(SECRET))
    except OSError:
        library.exception("lost")
    shown = out.getvalue()
    assert "sent" not in shown
    assert (level == "debug") == (f"slow {HIDDEN}" in shown)
    assert f"OSError: {HIDDEN}" in shown
    assert SECRET not in shown


def test_setting_up_twice_is_setting_up_once() -> None:
    """A line must not come twice."""
    log_into()
    out = log_into()
    logging.getLogger("ccxt.test").error("once")
    assert 1 == out.getvalue().count("once")

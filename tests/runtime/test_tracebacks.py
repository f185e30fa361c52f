"""What the log says of an error: where it came from, and no value that was in a variable there."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import pytest
import structlog
from structlog.dev import ConsoleRenderer, RichTracebackFormatter
from structlog.processors import ExceptionRenderer, JSONRenderer
from structlog.tracebacks import ExceptionDictTransformer

from engine_world import BTC, engine_of, order, quote
from zvt_trading.errors import EngineError
from zvt_trading.messages.events import Event
from zvt_trading.messages.market import QuoteTick
from zvt_trading.runtime.tracebacks import stack_of
from zvt_trading.strategies import Strategy

SECRET: Final = str(7**20)  # in no line of source


def careless(_given: object = None) -> None:
    """Has a key in a variable when it fails."""
    api_key = SECRET
    raise ArithmeticError(f"a key of {len(api_key)} characters")


class Careless(Strategy):
    """Fails at its first quote."""

    def on_quote(self, quote: QuoteTick) -> None:
        careless(quote)


def a_subscriber() -> None:
    """One that fails is dropped."""
    engine = engine_of()

    def subscriber(event: Event) -> None:
        careless(event)

    engine.subscribe(subscriber)
    engine.place_order(order())


def a_strategy() -> None:
    """One that fails is stopped."""
    engine = engine_of(quote(f"alpha:{BTC}", "1", "2", after=1))
    engine.add_strategy(Careless())
    engine.advance(2)


def the_engine() -> None:
    """One that fails is of no use any more."""
    engine = engine_of(quote(f"alpha:{BTC}", "1", "2", after=1))
    engine._driver.world.observers.append(careless)
    with pytest.raises(EngineError, match="ArithmeticError"):
        engine.advance(2)


def by_default() -> list[Any]:
    """As structlog comes, with Rich installed."""
    structlog.reset_defaults()
    return list(structlog.get_config()["processors"])


def for_people() -> list[Any]:
    """With all that Rich can show."""
    return [ConsoleRenderer(exception_formatter=RichTracebackFormatter(show_locals=True))]


def for_machines() -> list[Any]:
    """With all that there is to know."""
    return [ExceptionRenderer(ExceptionDictTransformer(show_locals=True)), JSONRenderer()]


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The configuration is the process's."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("fails", [a_subscriber, a_strategy, the_engine])
@pytest.mark.parametrize("processors", [by_default, for_people, for_machines])
def test_an_error_is_logged_without_the_values_of_variables(
    fails: Callable[[], None],
    processors: Callable[[], Sequence[Any]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    """However the application that we are part of has set its log up."""
    structlog.configure(processors=list(processors()))
    fails()
    logged = capsys.readouterr().out
    assert "ArithmeticError: a key of 17 characters" in logged
    assert "in careless" in logged
    assert SECRET not in logged


@pytest.mark.parametrize("processors", [for_people, for_machines])
def test_given_the_error_itself_it_would_have_them(
    processors: Callable[[], Sequence[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Or the test above would show nothing."""
    structlog.configure(processors=list(processors()))
    try:
        careless()
    except ArithmeticError as error:
        structlog.get_logger().error("it failed", exc_info=error)
    assert SECRET in capsys.readouterr().out


def test_the_stack_has_the_causes_in_it() -> None:
    """All of them, each with its lines, the last one last."""
    try:
        try:
            careless()
        except ArithmeticError as error:
            raise EngineError("the engine stopped") from error
    except EngineError as error:
        stack = stack_of(error)
    first, last = stack.index("ArithmeticError: a key"), stack.index("EngineError: the engine")
    assert first < stack.index("direct cause") < last
    assert not stack.endswith("\n")

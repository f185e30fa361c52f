"""Finding strategies: by announced name, by "package.module:Class", by "path/to/file.py:Class"."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Final

from zvt_trading.errors import CallerError
from zvt_trading.strategies.base import Strategy

ENTRY_POINTS: Final = "zvt_trading.strategies"
"""The entry point group in which a package announces its strategies."""

_BUILT_IN: Final = {
    "market_maker": "zvt_trading.strategies.market_maker:MarketMaker",
    "basis": "zvt_trading.strategies.basis:Basis",
    "twap": "zvt_trading.strategies.twap:Twap",
}
_NONE: Final[Mapping[str, object]] = {}
_NAME_LENGTH: Final = 60  # leaves room for the number of a second one of the same name


def load_strategies(references: Sequence[str]) -> dict[str, Strategy]:
    """The strategies by the name their orders carry; a name that comes twice gets a number."""
    found: dict[str, Strategy] = {}
    for reference in references:
        name = reference.rpartition(":")[2][:_NAME_LENGTH]
        taken = sum(1 for other in found if other == name or other.startswith(f"{name}-"))
        found[f"{name}-{taken + 1}" if taken else name] = load_strategy(reference)
    return found


def load_strategy(reference: str, parameters: Mapping[str, object] = _NONE) -> Strategy:
    """One strategy, made with these arguments by keyword.

    Raises CallerError when there is none, for a parameter that it does not take, and with the error
    of a strategy's own code that fails.
    """
    path, _, name = reference.rpartition(":")
    if path.endswith(".py"):
        return _make(_class_of(_module_of(Path(path)), name, path), reference, parameters)
    announced = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    target = _BUILT_IN.get(reference) or announced.get(reference) or reference
    module, _, name = target.partition(":")
    if not name:
        known = ", ".join(sorted({*announced, *_BUILT_IN}))
        raise CallerError(
            f"no strategy {reference!r}; known: {known}, or package.module:Class, "
            "or path/to/file.py:Class"
        )
    try:
        imported = import_module(module)
    except Exception as error:
        raise CallerError(f"strategy {reference!r}: cannot import {module}: {error}") from error
    return _make(_class_of(imported, name, module), reference, parameters)


def _module_of(path: Path) -> ModuleType:
    """A user's Python file as a module."""
    if not path.is_file():
        raise CallerError(f"no strategy file {path}")
    # A name of its own: a file called random.py must not become the module `random`.
    spec = spec_from_file_location(f"zvt_trading_strategy_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise CallerError(f"{path} is not a Python file")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses and pickles look for their module there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[spec.name]
        raise CallerError(f"{path}: {type(error).__name__}: {error}") from error
    return module


def _class_of(module: ModuleType, name: str, where: str) -> type[Strategy]:
    found = getattr(module, name, None)
    if inspect.isclass(found) and issubclass(found, Strategy):
        return found
    classes = [
        own
        for own, cls in vars(module).items()
        if inspect.isclass(cls) and issubclass(cls, Strategy) and cls is not Strategy
    ]
    has = ", ".join(classes) or "none"
    raise CallerError(
        f"{where} has no class {name!r} derived from zvt_trading.strategies.Strategy; it has {has}"
    )


def _make(cls: type[Strategy], reference: str, parameters: Mapping[str, object]) -> Strategy:
    _check_names(cls, reference, parameters)
    try:
        return cls(**parameters)
    except Exception as error:
        text = f"strategy {reference!r} cannot be made: {type(error).__name__}: {error}"
        raise CallerError(text) from error


def _check_names(cls: type[Strategy], reference: str, parameters: Mapping[str, object]) -> None:
    """CallerError for a parameter that the constructor does not have."""
    kinds = {name: one.kind for name, one in inspect.signature(cls).parameters.items()}
    if inspect.Parameter.VAR_KEYWORD in kinds.values():
        return
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    allowed = [name for name, kind in kinds.items() if kind in by_name]
    unknown = [name for name in parameters if name not in allowed]
    if unknown:
        takes = ", ".join(allowed) or "none"
        raise CallerError(
            f"strategy {reference!r} has no parameter {unknown[0]!r}; it has: {takes}"
        )

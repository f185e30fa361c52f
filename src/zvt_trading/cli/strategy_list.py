"""The strategies that `--strategy` knows by name: ours and those of installed packages."""

import inspect
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pkgutil import iter_modules
from types import ModuleType

GROUP = "zvt_trading.strategies"
"""The entry point group in which a package announces its strategies."""

BASE = "Strategy"
"""The class every strategy is derived from; itself no strategy to run."""

Row = tuple[str, str, str]


def strategy_rows() -> list[Row]:
    """Return (name, class, what it does) of every announced strategy and of our own."""
    return rows(entry_points(group=GROUP), _modules())


def rows(announced: Iterable[EntryPoint], modules: Iterable[ModuleType]) -> list[Row]:
    """Return the announced strategies by name, then the built-in ones nobody announced.

    Code of other packages is not imported: one that is broken cannot spoil the list.
    """
    built_in = {f"{cls.__module__}:{cls.__name__}": cls for m in modules for cls in _classes(m)}
    named = {point.value: point for point in announced}
    found = [
        (point.name, value, _about(built_in.get(value), point))
        for value, point in sorted(named.items(), key=lambda item: item[1].name)
    ]
    return found + [
        (cls.__name__, value, _about(cls, None))
        for value, cls in sorted(built_in.items())
        if value not in named
    ]


def _modules() -> list[ModuleType]:
    package = import_module("zvt_trading.strategies")
    found = iter_modules(package.__path__, "zvt_trading.strategies.")
    return [import_module(info.name) for info in found]


def _classes(module: ModuleType) -> list[type]:
    """Return the strategies a module defines, not those it imports."""
    return [
        cls
        for _, cls in inspect.getmembers(module, inspect.isclass)
        if cls.__module__ == module.__name__
        and any(base.__name__ == BASE for base in cls.__mro__[1:])
    ]


def _about(cls: type | None, point: EntryPoint | None) -> str:
    if cls is not None:
        return (inspect.getdoc(cls) or "").partition("\n")[0]
    return f"from {point.dist.name}" if point is not None and point.dist is not None else ""

"""What must hold for the package as installed, compiled or not."""

import importlib
import importlib.metadata
import pkgutil

import msgspec
import pytest

import zvt_trading
from zvt_trading.messages import commands, events, market, reports


def structs() -> list[type[msgspec.Struct]]:
    """Every message of the vocabulary."""
    return [
        member
        for module in (commands, events, market, reports)
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, msgspec.Struct)
        and member.__module__ == module.__name__
    ]


def all_modules() -> list[str]:
    """Every module of the package, but those that do something when they are imported."""
    found = pkgutil.walk_packages(zvt_trading.__path__, "zvt_trading.")
    scripts = ("__main__", "migrations.env")
    return sorted(module.name for module in found if not module.name.endswith(scripts))


@pytest.mark.parametrize("struct", structs(), ids=lambda struct: struct.__name__)
def test_messages_are_frozen_and_tagged(struct: type[msgspec.Struct]) -> None:
    """A Struct in a compiled module silently loses both, so messages must stay interpreted."""
    assert struct.__struct_config__.frozen
    assert struct.__struct_config__.tag == struct.__name__


@pytest.mark.parametrize("name", all_modules())
def test_every_module_imports(name: str) -> None:
    """Each can be imported by itself, whatever was imported before."""
    assert importlib.import_module(name).__name__ == name


def test_version_is_the_installed_one() -> None:
    """`zvt_trading.__version__` is what pip shows."""
    assert zvt_trading.__version__ == importlib.metadata.version("zvt-trading")


def test_command_is_installed() -> None:
    """`zvt-trading` starts the typer application."""
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="zvt-trading")
    assert command.load() is importlib.import_module("zvt_trading.cli.main").app


def test_strategies_are_found_by_name() -> None:
    """Strategies that come with the package are entry points like everyone else's."""
    found = importlib.metadata.entry_points(group="zvt_trading.strategies")
    assert {"basis", "market_maker"} <= {strategy.name for strategy in found}
    assert all(isinstance(strategy.load(), type) for strategy in found)

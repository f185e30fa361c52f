"""docs/configuration.md says what there is."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from settings_world import settings_of
from zvt_trading.adapters.settings.keys import FILE_VARIABLE, PASSPHRASE_VARIABLE
from zvt_trading.adapters.settings.model import (
    LogSettings,
    Mode,
    PortfolioSettings,
    ScopeLimits,
    Settings,
    StrategySettings,
    VenueSettings,
)

DOCS = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"

TABLES: list[tuple[type[BaseModel], str]] = [
    (LogSettings, "log."),
    (PortfolioSettings, ""),
    (VenueSettings, ""),
    (ScopeLimits, ""),
    (StrategySettings, ""),
]


@pytest.mark.parametrize(("table", "prefix"), TABLES)
def test_every_key_is_explained(table: type[BaseModel], prefix: str) -> None:
    """In a table of its own; `allow_looser` in the text above."""
    text = DOCS.read_text(encoding="utf-8")
    for name, field in table.model_fields.items():
        assert re.search(rf"`{prefix}{field.alias or name}\b", text), name


def test_every_table_is_named() -> None:
    """As it is written in a file."""
    text = DOCS.read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        key = field.alias or name
        assert re.search(rf"`\[*{key}\b", text) or re.search(rf"^{key} = ", text, re.MULTILINE), key
    assert FILE_VARIABLE in text
    assert PASSPHRASE_VARIABLE in text


def test_the_example_can_be_used(tmp_path: Path) -> None:
    """For paper, with every variable that is shown beside it."""
    text = DOCS.read_text(encoding="utf-8")
    [example] = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    env = {
        name: value.strip("'")
        for name, value in re.findall(r"^(ZVT_\w+)=(.*)$", text, re.MULTILINE)
    }
    assert Mode.PAPER == settings_of(tmp_path, example).for_mode(None).mode
    venue = settings_of(tmp_path, example, env).venues["binance"]
    assert (("BTC/USDT", "ETH/USDT:USDT"), 30) == (venue.symbols, venue.reconcile_seconds)

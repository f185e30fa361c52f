"""The documentation of the data model is the schema's."""

import subprocess
import sys

import data_model
import pytest

from conftest import ROOT

PAGE = data_model.PAGE.read_text(encoding="utf-8")


def test_the_page_is_made_from_the_schema() -> None:
    """`python tools/data_model.py --check` says so."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "data_model.py"), "--check"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (0, "") == (done.returncode, done.stdout + done.stderr)


@pytest.mark.parametrize(
    "written",
    [
        PAGE.replace("    crypto_portfolio ||--o{ crypto_trade : portfolio_id\n", ""),
        PAGE.replace("uuid id PK", "text id PK"),
        PAGE.replace("| `quantity` | decimal |", "| `quantity` | float |"),
        PAGE.replace("| `price` | decimal? |", "| `price` | decimal |"),
    ],
)
def test_what_is_made_is_made_again(written: str) -> None:
    """Whatever a person wrote there."""
    assert written != PAGE
    assert data_model.page(written) == PAGE


def test_meanings_are_kept_and_columns_are_not_invented() -> None:
    """What a person writes stays; a column that is not in the schema goes."""
    row = "| `seq` | bigint | 1, 2, 3 ... without a gap |\n"
    other = row.replace("1, 2, 3 ... without a gap", "as before")
    written = PAGE.replace(row, f"{other}| `color` | text | of the event |\n")
    assert data_model.page(written) == PAGE.replace(row, other)


@pytest.mark.parametrize(
    ("expected", "written"),
    [
        ([], PAGE),
        (
            ["event_journal.ts has no meaning"],
            PAGE.replace(
                "| when the core decided it, nanoseconds UTC; in a backtest, market time |", "| |"
            ),
        ),
        (["no heading ### `crypto_equity`"], PAGE.replace("### `crypto_equity`", "### Equity")),
        (["there is no table crypto_color"], f"{PAGE}\n### `crypto_color`\n"),
    ],
)
def test_what_the_page_lacks_is_said(expected: list[str], written: str) -> None:
    """A new table or column is not documented by its name alone."""
    assert expected == data_model.problems(written)


def test_a_page_without_a_place_for_the_diagram_is_refused() -> None:
    """It would be added somewhere."""
    written = PAGE.replace(data_model.BEGIN, "")
    assert ["the diagram's place is between"] == [
        problem[:30] for problem in data_model.problems(written)
    ]

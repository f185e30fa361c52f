"""Writes docs/capabilities.md from the exchanges' profiles; `--check` only compares.

Each exchange's facts are data, in adapters/ccxt/EXCHANGE/profile.py; the table of the documentation
is made from them, and a test runs `--check`.
"""

import sys
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from zvt_trading.adapters.ccxt.dialect import Profile
from zvt_trading.messages.reasons import Reason

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "capabilities.md"
FOLDER = ROOT / "src" / "zvt_trading" / "adapters" / "ccxt"

TITLES = {"binance": "Binance", "okx": "OKX", "bybit": "Bybit", "coinbase": "Coinbase"}

ABOUT = """\
What the engine knows of each exchange and goes by. All orders are limit orders at the exchange: a
market order is sent with its worst price, and does not rest. Stops, brackets and good-till-date
orders are held by the engine wherever the exchange cannot hold them."""

REFUSALS = """\
How many of an exchange's error codes are proof that an order was not taken, by the reason that it
is refused with. Whatever is not listed leaves an order UNKNOWN until its fate is proven."""

ROWS: tuple[tuple[str, Callable[[Profile], str]], ...] = (
    ("spot", lambda _: "yes"),
    ("linear perpetuals", lambda profile: _word(profile.perpetuals)),
    ("client order id", lambda profile: f"`{profile.client_id_rule}`"),
    ("the same id sent again", lambda profile: profile.duplicate_ids),
    ("amend", lambda profile: _word(profile.amend)),
    ("an amended order keeps its id", lambda profile: _word(profile.amend_keeps_id)),
    ("stops held by the exchange", lambda profile: _word(profile.stops_held_by_venue)),
    ("several orders in one request", lambda profile: _word(profile.batch)),
    ("dead man's switch", lambda profile: _word(profile.dead_man_switch)),
    ("self-trade prevention", lambda profile: _word(profile.self_trade_prevention)),
    ("spot market buys are for money", lambda profile: _word(profile.market_buy_by_quote)),
    ("spot fees are taken in", lambda profile: f"the {profile.fees_in} asset"),
    ("a request may be taken for", lambda profile: _seconds(profile.validity_ms)),
    ("a query may not see it yet for", lambda profile: _seconds(profile.read_lag_ms)),
    ("orders a second", lambda profile: str(profile.orders_per_second)),
    ("of these kept for cancels", lambda profile: str(profile.cancels_reserved_per_second)),
    ("other requests a second", lambda profile: str(profile.requests_per_second)),
    ("documentation", lambda profile: f"[link]({profile.source})"),
)


def profiles() -> list[Profile]:
    """Of all exchanges there are, in a fixed order."""
    found = sorted(path.parent.name for path in FOLDER.glob("*/profile.py"))
    known = [name for name in TITLES if name in found]
    names = known + [name for name in found if name not in TITLES]
    return [import_module(f"zvt_trading.adapters.ccxt.{name}").DIALECT.profile for name in names]


def page() -> str:
    """The whole page."""
    found = profiles()
    titles = [TITLES.get(profile.name, profile.name) for profile in found]
    return "\n".join(
        [
            "# What each exchange can do",
            "",
            "Made by `python tools/capabilities.py` from `zvt_trading/adapters/ccxt/*/profile.py`.",
            "",
            ABOUT,
            "",
            *_table("", titles, [(name, [cell(one) for one in found]) for name, cell in ROWS]),
            "",
            "## Refusals",
            "",
            REFUSALS,
            "",
            *_table("reason", titles, _refusals(found)),
            "",
        ]
    )


def _refusals(found: list[Profile]) -> list[tuple[str, list[str]]]:
    """A row a reason, in the order of the reasons."""
    counted = [
        Counter([*profile.refusals.codes.values(), *profile.refusals.texts.values()])
        for profile in found
    ]
    return [
        (f"`{reason.name}`", [str(counts[reason] or "-") for counts in counted])
        for reason in Reason
        if any(counts[reason] for counts in counted)
    ]


def _table(corner: str, titles: list[str], rows: list[tuple[str, list[str]]]) -> list[str]:
    """In Markdown."""
    lines = [f"| {corner} | " + " | ".join(titles) + " |", "|---" * (len(titles) + 1) + "|"]
    lines += [f"| {name} | " + " | ".join(cells) + " |" for name, cells in rows]
    return lines


def _word(has_it: bool) -> str:
    return "yes" if has_it else "no"


def _seconds(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds} s" if rest == 0 else f"{ms} ms"


def main(arguments: list[str]) -> int:
    """Write or check the page."""
    made = page()
    if "--check" in arguments:
        same = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made
        if not same:
            print(f"{PAGE.name} is not what the profiles say; run python {Path(__file__).name}")
        return 0 if same else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

"""Beancount (https://github.com/beancount/beancount) as the judge of lot selection and gains.

Each segment is a long-only sequence of trades (quantity > 0 buys, < 0 sells, never below zero) and
gets an account of its own. Beancount orders lots by date alone, so every trade has its own day.
"""

import datetime as dt
from typing import Any

from beancount.core import data, inventory
from beancount.parser import booking, parser

START = dt.date(2000, 1, 1)

Trade = tuple[int, int, int]  # quantity, price, fee in the quote asset
Lots = list[tuple[int, int, int]]  # quantity, price, index of the opening trade
Judgement = tuple[list[int], Lots]  # gain of each trade, lots left


def judge(method: str, segments: list[list[Trade]]) -> list[Judgement]:
    """Gains and remaining lots of each segment under "FIFO", "LIFO" or "HIFO"."""
    entries, errors, options = parser.parse_string(_journal(method, segments))
    if errors:
        raise AssertionError(errors)
    book: Any = booking.book
    booked, errors = book(entries, options)
    if errors:
        raise AssertionError(errors)
    return [_read(booked, number, len(trades)) for number, trades in enumerate(segments)]


def _journal(method: str, segments: list[list[Trade]]) -> str:
    """The trades in beancount's language, the gain left for beancount to work out."""
    accounts = ("Assets:Cash", "Income:Gains", "Expenses:Fees")
    lines = [f"{START} open {account}" for account in accounts]
    for number, trades in enumerate(segments):
        lines.append(f'{START} open Assets:Lots:S{number} COIN "{method}"')
        for index, (quantity, price, fee) in enumerate(trades):
            day = START + dt.timedelta(days=index + 1)
            cost = f"{{{price} USD}}" if quantity > 0 else "{}"
            lines.append(f'{day} * "S{number}" "{index}"')
            lines.append(f"  Assets:Lots:S{number}  {quantity} COIN {cost} @ {price} USD")
            lines.append(f"  Assets:Cash  {-quantity * price - fee} USD")
            lines.append(f"  Expenses:Fees  {fee} USD")
            if quantity < 0:
                lines.append("  Income:Gains")
    return "\n".join(lines) + "\n"


def _read(booked: list[Any], number: int, count: int) -> Judgement:
    """What beancount made of one segment."""
    gains = [0] * count
    held: Any = inventory.Inventory()
    transactions: list[Any] = [entry for entry in booked if type(entry) is data.Transaction]
    for entry in transactions:
        if entry.payee != f"S{number}":
            continue
        for posting in entry.postings:
            if posting.account == "Income:Gains":
                gains[int(entry.narration)] = -int(posting.units.number)
            elif posting.account.startswith("Assets:Lots"):
                held.add_position(posting)
    lots = [
        (int(lot.units.number), int(lot.cost.number), (lot.cost.date - START).days - 1)
        for lot in held.get_positions()
    ]
    return gains, sorted(lots, key=lambda lot: lot[2])

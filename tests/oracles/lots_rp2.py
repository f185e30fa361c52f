"""rp2 (https://github.com/eprbell/rp2), a crypto tax calculator, as a second judge of lots.

Importing rp2 changes the decimal context of the whole process and opens a log file in the working
directory, so it runs in a process of its own: this file is both the client (`Rp2`) and, run as a
script, the worker that answers one JSON line with another.
"""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

Trade = tuple[int, int, int]  # quantity (> 0 buys), price, 1 when it is a fee paid in the asset
Judgement = tuple[list[int], list[tuple[int, int, int]]]  # gains; lots (quantity, price, index)

CONFIGURATION = """
[general]
assets = COIN
exchanges = Venue
holders = Us
[in_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_in = 6
[out_header]
timestamp = 0
asset = 1
exchange = 2
holder = 3
transaction_type = 4
spot_price = 5
crypto_out_no_fee = 6
crypto_fee = 7
[intra_header]
timestamp = 0
asset = 1
from_exchange = 2
from_holder = 3
to_exchange = 4
to_holder = 5
spot_price = 6
crypto_sent = 7
crypto_received = 8
"""


class Rp2:
    """The worker process, with `directory` for its configuration and log."""

    def __init__(self, directory: Path) -> None:
        (directory / "rp2.ini").write_text(CONFIGURATION)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def judge(self, method: str, trades: list[Trade]) -> Judgement:
        """Gains and lots left under "fifo", "lifo" or "hifo"; the trades never go below zero."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([method, trades]) + "\n")
        self._process.stdin.flush()
        gains, lots = json.loads(self._process.stdout.readline())
        return gains, [(lot[0], lot[1], lot[2]) for lot in lots]

    def close(self) -> None:
        """End the worker."""
        self._process.communicate()


def _timestamp(index: int) -> str:
    """A day of its own for each trade."""
    return (dt.datetime(2000, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=index)).isoformat()


def _compute(method: str, trades: list[Trade]) -> Any:
    """rp2's computed data for the trades."""
    from importlib import import_module

    from prezzemolo.avl_tree import AVLTree
    from rp2.accounting_engine import AccountingEngine
    from rp2.configuration import MAX_DATE, MIN_DATE, Configuration
    from rp2.in_transaction import InTransaction
    from rp2.input_data import InputData
    from rp2.out_transaction import OutTransaction
    from rp2.plugin.country.us import US
    from rp2.rp2_decimal import RP2Decimal
    from rp2.tax_engine import compute_tax
    from rp2.transaction_set import TransactionSet

    configuration = Configuration("rp2.ini", US())
    bought = TransactionSet(configuration, "IN", "COIN")
    sold = TransactionSet(configuration, "OUT", "COIN")
    for index, (quantity, price, is_fee) in enumerate(trades):
        where = (configuration, _timestamp(index), "COIN", "Venue", "Us")
        spot, size = RP2Decimal(price), RP2Decimal(abs(quantity))
        if quantity > 0:
            bought.add_entry(InTransaction(*where, "BUY", spot, size, row=index + 1))
        else:
            kind = "FEE" if is_fee else "SELL"
            parts = (RP2Decimal(0), size) if is_fee else (size, RP2Decimal(0))
            sold.add_entry(OutTransaction(*where, kind, spot, *parts, row=index + 1))
    transfers = TransactionSet(configuration, "INTRA", "COIN")
    methods = AVLTree[int, Any]()
    plugin = import_module(f"rp2.plugin.accounting_method.{method}")
    methods.insert_node(MIN_DATE.year, plugin.AccountingMethod())
    data = InputData("COIN", bought, sold, transfers, MIN_DATE, MAX_DATE)
    return compute_tax(configuration, AccountingEngine(methods), data)


def _whole(value: Any) -> int:
    """rp2 divides along the way, to 31 digits: the whole number it must be within 1e-9 of."""
    nearest = round(value)
    if not abs(value - type(value)(nearest)) < type(value)("0.000000001"):
        raise AssertionError(f"{value} is not whole")
    return int(nearest)


def _answer(method: str, trades: list[Trade]) -> Judgement:
    """Gain of each trade and what is left of each buy, from rp2's gain/loss pairs."""
    gains = [0] * len(trades)
    left = [max(quantity, 0) for quantity, _, _ in trades]
    if any(quantity < 0 for quantity, _, _ in trades):
        for pair in _compute(method, trades).gain_loss_set:
            gains[pair.taxable_event.row - 1] += _whole(pair.fiat_gain)
            left[pair.acquired_lot.row - 1] -= _whole(pair.crypto_amount)
    lots = [(size, trades[index][1], index) for index, size in enumerate(left) if size]
    return gains, lots


if __name__ == "__main__":
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(*json.loads(line))) + "\n")
        sys.stdout.flush()

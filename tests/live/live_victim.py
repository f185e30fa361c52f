"""An engine in a process of its own, to be killed: `python -m live.live_victim`.

Reads one line, a `Task` as JSON; places its first order and waits for it, writes its id, and places
the second one, whose answer it does not live to hear.
"""

import sys
from decimal import Decimal

import msgspec
import structlog

from live.live_engine import SELDOM, SPOT, Door, is_ready, live_engine
from zvt_trading.types import OrderRequest


class Task(msgspec.Struct, frozen=True):
    """Limit buys at one price, of these quantities."""

    door: Door
    price: Decimal
    quantities: tuple[str, str]


def main() -> None:
    """Until it is killed."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    task = msgspec.json.decode(sys.stdin.readline(), type=Task)
    engine, world, _ = live_engine(task.door, SELDOM)
    world.waiters.wait(lambda: is_ready(engine), 10)
    for quantity in task.quantities:
        result = engine.place_order(
            OrderRequest(
                symbol=SPOT,
                side="buy",
                quantity=quantity,
                order_type="limit",
                price=task.price,
                exchange=task.door.name,
            )
        )
        sys.stdout.write(msgspec.json.encode(result).decode() + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

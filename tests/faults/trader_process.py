"""Serves a trader of its own to the process that started it: a call a line, its answer a line."""

import sys
from typing import Any

import msgspec
import structlog
from fault_world import EngineTrader


class Call(msgspec.Struct, frozen=True):
    """A method of a trader and what it is given."""

    method: str
    arguments: list[str]


def serve(url: str) -> None:
    """Until `close`; the log goes where errors go."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    trader = EngineTrader(url)
    for line in sys.stdin:
        call = msgspec.json.decode(line, type=Call)
        answer: Any = getattr(trader, call.method)(*call.arguments)
        sys.stdout.write(msgspec.json.encode(answer).decode() + "\n")
        sys.stdout.flush()
        if call.method == "close":
            return


if __name__ == "__main__":
    serve(sys.argv[1])

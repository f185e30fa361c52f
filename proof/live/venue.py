"""The process of one emulated exchange: started with a file to say where it listens."""

import asyncio
import sys
from pathlib import Path
from typing import Final

import msgspec

from zvt_trading.emulator.emulator import Emulator
from zvt_trading.emulator.keys import ApiKey

LIMIT_FACTOR: Final = 100
"""Times the exchange's own request limits: a proof is in more of a hurry than a trader."""


class Address(msgspec.Struct, frozen=True):
    """Where an emulated exchange is, and how to be let in."""

    exchange: str
    tls_port: int
    admin_port: int
    ca_file: str
    key: ApiKey


async def serve(exchange: str, seed: int, said: Path) -> None:
    """Until the process is killed."""
    folder = said.parent
    async with Emulator(
        (exchange,), seed=seed, folder=folder, limit_factor=LIMIT_FACTOR
    ) as emulator:
        address = Address(
            exchange,
            emulator.tls_port,
            emulator.admin_port,
            str(emulator.authority.ca_file),
            emulator.keys[exchange],
        )
        whole = said.with_suffix(".part")
        whole.touch(mode=0o600)
        whole.write_bytes(msgspec.json.encode(address))
        whole.replace(said)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))

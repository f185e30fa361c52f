"""A process that downloads from an emulated exchange, and is killed just before its n-th request.

Arguments: the `Job` as JSON, and n (0: never).
"""

import os
import signal
import sys

import msgspec
from emulator_history import Job, Patience, download


def main(job: str, number: str) -> None:
    """Download, or die."""

    def at_request(asked: int) -> None:
        if asked == int(number) > 0:
            os.kill(os.getpid(), signal.SIGKILL)

    download(msgspec.json.decode(job, type=Job, dec_hook=_path), Patience(at_request))


def _path(kind: type, value: str) -> object:
    return kind(value)


if __name__ == "__main__":
    main(*sys.argv[1:])

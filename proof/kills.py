"""Random SIGKILL of the real process, one life after the other on the same store."""

import os
import signal
import time
from random import Random
from typing import Final

from proof.counts import Counts
from proof.setting import Setting
from proof.stores import POSTGRESQL, SQLITE
from proof.trial import Kill

LIVES: Final = 10
STEPS: Final = 60
LONGEST_SECONDS: Final = {SQLITE: 0.12, POSTGRESQL: 0.4}
"""After this long at the latest a life is killed: recovery takes a tenth of it."""


def kills(setting: Setting, wanted: int) -> Counts:
    """Trials, until so many processes were killed."""
    began = time.monotonic()
    counts = Counts(part="random kills", problems=[])
    while counts.kills < wanted and not counts.problems:
        kind = setting.kinds[counts.trials % len(setting.kinds)]
        one_trial(setting, setting.seed + counts.trials, kind, counts)
    return setting.done(counts, began)


def one_trial(setting: Setting, seed: int, kind: str, counts: Counts, plant: str = "") -> None:
    """Lives that are killed, one that is not, and the verdict."""
    random = Random(seed)
    with setting.trial(seed, kind, plant) as trial:
        trial.life(5)
        for _ in range(LIVES):
            trial.life(STEPS, kill=_after(random.random() ** 2 * LONGEST_SECONDS[kind]))
        verdict = trial.verdict()
        again = f"python -m proof --only kills --kills 1 --store {kind} --seed {seed}"
        counts.add(verdict, kills=trial.kills, again=again)
    trial.forget()


def _after(seconds: float) -> Kill:
    def kill(process: int) -> None:
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)  # a child that has ended is still there, unread

    return kill

"""A crash at every point: at writes of the journal, around commits, around what is sent; and deep.

The points of a scenario are known from a run that is left alone. Then it is run again for each
point, dies there, and a life that is left alone finds everything out. What the store's thread does
in idle time comes at no certain moment: such a point may be missed, which is counted and told.
"""

import time
from random import Random
from typing import Final

from proof.counts import Counts
from proof.points import ANY, Point
from proof.setting import Setting

TRIES: Final = 3
"""How often a point of idle time is tried to be met."""
DEPTH: Final = 3


def failpoints(setting: Setting, scenarios: int, steps: int) -> Counts:
    """Each point of the first life and of the one after it, on each store."""
    began = time.monotonic()
    counts = Counts(part="failpoints", problems=[])
    missed: list[Point] = []
    for kind in setting.kinds:
        for seed in range(setting.seed, setting.seed + scenarios):
            first, second = _points(setting, seed, kind, steps)
            for lives_before, points in enumerate((first, second)):
                missed += [
                    point
                    for point in points
                    if not _dies_at(setting, seed, kind, steps, lives_before, point, counts)
                ]
    if missed:
        setting.say(f"  of idle time, not met again: {len(missed)}, {sorted(set(missed))[:5]}")
    counts.other += sum(1 for name, _ in missed if not _is_of_idle_time(name))
    return setting.done(counts, began)


def _points(setting: Setting, seed: int, kind: str, steps: int) -> tuple[list[Point], list[Point]]:
    """Of a life that trades, and of the next, which only recovers and settles."""
    with setting.trial(seed, kind) as trial:
        for given in (steps, 0):
            if not trial.life(given, settles=not given):
                raise RuntimeError(f"a life that nobody killed failed: {trial.problems}")
            if given:
                first = trial.visits
    trial.forget()
    return first, trial.visits


def _dies_at(
    setting: Setting,
    seed: int,
    kind: str,
    steps: int,
    lives_before: int,
    point: Point,
    counts: Counts,
) -> bool:
    """Whether the point was met."""
    for _ in range(TRIES):
        with setting.trial(seed, kind) as trial:
            if lives_before:
                trial.life(steps)
            trial.life(0 if lives_before else steps, dies_at=point, settles=bool(lives_before))
            is_met = trial.kills > 0
            if is_met:
                again = f"python -m proof --only failpoints --store {kind} --seed {seed}: {point}"
                counts.add(trial.verdict(), kills=trial.kills, again=again)
        trial.forget()
        if is_met:
            return True
    return False


def _is_of_idle_time(name: str) -> bool:
    return name.startswith(("tables", "snapshot", "renew"))


def deep(setting: Setting, trials: int, steps: int) -> Counts:
    """A crash, then a crash during the recovery from it, and so on, three deep."""
    began = time.monotonic()
    counts = Counts(part="crashes during recovery", problems=[])
    for number in range(trials):
        kind = setting.kinds[number % len(setting.kinds)]
        seed = setting.seed + number
        random = Random(seed)
        with setting.trial(seed, kind) as trial:
            trial.life(steps, dies_at=(ANY, random.randint(150, 500)))
            for _ in range(DEPTH):
                # Early points are the more interesting ones: nothing is found out yet.
                trial.life(0, dies_at=(ANY, 1 + int(random.random() ** 2 * 50)), settles=True)
            again = f"python -m proof --only deep --deep 1 --store {kind} --seed {seed}"
            counts.add(trial.verdict(), kills=trial.kills, again=again)
        trial.forget()
    return setting.done(counts, began)

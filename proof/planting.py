"""Every planted bug, until it is found."""

import time

from proof.counts import Counts
from proof.kills import one_trial
from proof.plants import PLANTS, POWER
from proof.powercuts import powercuts
from proof.setting import Setting
from proof.stores import SQLITE


def planted(setting: Setting) -> Counts:
    """How many there are, and how many were found; which were not is told."""
    began = time.monotonic()
    counts = Counts(part="planted bugs", problems=[])
    for name, plant in PLANTS.items():
        counts.planted += 1
        if plant.part == POWER:
            found = powercuts(setting, plant.trials, name)
        else:
            found = Counts(part=name, problems=[])
            while found.trials < plant.trials and not found.problems:
                one_trial(setting, setting.seed + found.trials, SQLITE, found, name)
        if found.problems:
            counts.found += 1
        else:
            setting.say(f"  not found in {found.trials} trials: {name}")
    return setting.done(counts, began)

"""Loss of power: disks as it could leave them, and what the engine makes of each.

A life is recorded, operation for operation (proof/power). Then, for moments in it, a disk is made
on which some of what was not flushed is missing, torn or in another order, and the venues are made
again as they were at that moment: they had been told everything that had left the process. A life
on that disk finds everything out, and the venues' records judge it.

One of those disks is where a second recorded life begins: the power goes during recovery, too.
"""

import shutil
import time
from pathlib import Path
from random import Random
from typing import Final

from proof.counts import Counts
from proof.power.build import build_recorder, recording_environment
from proof.power.images import interesting_cuts, write_image
from proof.power.trace import EFFECTS, markers, read_trace
from proof.setting import Setting
from proof.stores import SQLITE
from proof.trial import Trial
from proof.venues import ACTIONS

IMAGES_A_LIFE: Final = 25
STEPS: Final = 40
DISK: Final = "disk"


def powercuts(setting: Setting, wanted: int, plant: str = "") -> Counts:
    """So many images; with a `plant`, until something is found."""
    began = time.monotonic()
    counts = Counts(part="power loss", problems=[])
    cuts = _PowerCuts(setting, counts, wanted, plant)
    seed = setting.seed
    while counts.images < wanted and not counts.problems:
        cuts.one_seed(seed)
        seed += 1
    return counts if plant else setting.done(counts, began)


class _PowerCuts:
    """What belongs together."""

    def __init__(self, setting: Setting, counts: Counts, wanted: int, plant: str) -> None:
        self.setting = setting
        self.counts = counts
        self.wanted = wanted
        self.plant = plant
        self.library = build_recorder(setting.folder)

    def one_seed(self, seed: int) -> None:
        """A life on a new store, and one on a disk that it left."""
        setting = self.setting
        base = setting.new_folder()
        setting.stores.fresh(SQLITE, base / DISK)
        (base / ACTIONS).touch()
        random = Random(seed)
        for _ in range(2):
            following = self._one_life(seed, base, random)
            shutil.rmtree(base)
            base = following
        shutil.rmtree(base)

    def _one_life(self, seed: int, base: Path, random: Random) -> Path:
        """Record a life that begins at `base`, and look at images; gives one of them."""
        setting = self.setting
        folder = setting.new_folder()
        shutil.copytree(base, folder)
        told = (base / ACTIONS).read_bytes().splitlines()
        (folder / ACTIONS).unlink()  # the venues write it anew
        trace = folder / "trace"
        environment = recording_environment(self.library, folder / DISK, trace)
        with Trial(seed, _url(folder), folder, actions=told, plant=self.plant) as trial:
            if not trial.recorded_life(STEPS, environment, folder / DISK / EFFECTS):
                self.counts.fail(f"a recorded life of seed {seed} failed: {trial.problems}")
        operations = read_trace(trace)
        actions = (folder / ACTIONS).read_bytes().splitlines()
        cuts = interesting_cuts(operations)
        following = Path()
        for number in range(1 + min(IMAGES_A_LIFE, self.wanted - self.counts.images)):
            cut = random.choice(cuts)
            image = setting.new_folder()
            write_image(operations, cut, random.randrange(1_000_000), image / DISK, base / DISK)
            left = len(told) + len(markers(operations, cut))
            (image / ACTIONS).write_bytes(b"".join(line + b"\n" for line in actions[:left]))
            if number == 0:
                following = image
            else:
                self._judge(seed, image, actions[:left], cut)
        shutil.rmtree(folder)
        return following

    def _judge(self, seed: int, image: Path, actions: list[bytes], cut: int) -> None:
        """The engine starts on the image."""
        (image / ACTIONS).unlink()
        with Trial(seed, _url(image), image, actions=actions) as trial:
            again = f"python -m proof --only powercuts --powercuts 50 --seed {seed} (cut {cut})"
            self.counts.add(trial.verdict(), kills=0, again=again)
        self.counts.images += 1
        trial.forget()


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / DISK / 'store.db'}"

"""What the parts of a proof share."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic

import msgspec

from proof.counts import Counts
from proof.stores import Stores
from proof.trial import Trial

Say = Callable[[str], None]


class Setting(msgspec.Struct):
    """Where to work, with which stores ("sqlite", "postgresql"), and whom to tell about it."""

    folder: Path
    stores: Stores
    kinds: tuple[str, ...]
    seed: int
    say: Say
    trials: int = 0

    def trial(self, seed: int, kind: str, plant: str = "") -> Trial:
        """A new one, with an empty store, in a folder of its own."""
        folder = self.new_folder()
        return Trial(seed, self.stores.fresh(kind, folder / "disk"), folder, plant=plant)

    def new_folder(self) -> Path:
        """One that nobody else uses."""
        self.trials += 1
        return self.folder / f"trial-{self.trials}"

    def done(self, counts: Counts, since: float) -> Counts:
        """A part that began at this time is over."""
        counts.seconds = round(monotonic() - since, 1)
        self.tell(counts)
        return counts

    def tell(self, counts: Counts) -> None:
        """In one line, with the first problems below."""
        told = ", ".join(
            f"{name} {value}"
            for name in Counts.__struct_fields__
            if name not in {"part", "problems"} and (value := getattr(counts, name))
        )
        self.say(f"{counts.part}: {told}")
        for problem in counts.problems[:_SHOWN]:
            self.say(f"  {problem}")


_SHOWN = 3

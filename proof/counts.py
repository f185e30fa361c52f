"""What a proof found, in numbers."""

import msgspec

from proof.judge import Verdict


class Counts(msgspec.Struct, kw_only=True):
    """One part of the proof; `problems` are in words, with how to see them again."""

    part: str
    trials: int = 0
    kills: int = 0
    images: int = 0
    venue_orders: int = 0
    fills: int = 0
    events: int = 0
    lost: int = 0
    doubled: int = 0
    fills_missed: int = 0
    fills_twice: int = 0
    ledger_errors: int = 0
    other: int = 0
    planted: int = 0
    found: int = 0
    seconds: float = 0.0
    problems: list[str] = []

    def add(self, verdict: Verdict, *, kills: int, again: str) -> None:
        """One more trial; `again` is the command that repeats it."""
        self.trials += 1
        self.kills += kills
        for name in _OF_A_VERDICT:
            setattr(self, name, getattr(self, name) + getattr(verdict, name))
        if verdict.problems:
            self.problems.append(f"{again}: " + "; ".join(verdict.problems[:_PROBLEMS_SHOWN]))

    def fail(self, problem: str) -> None:
        """Something that is no trial's verdict."""
        self.other += 1
        self.problems.append(problem)

    @property
    def is_clean(self) -> bool:
        """Nothing was wrong; of planted bugs nearly all were found."""
        return not self.problems and self.found >= self.planted * 0.95


_PROBLEMS_SHOWN = 5
_OF_A_VERDICT = tuple(name for name in Verdict.__struct_fields__ if name != "problems")


def total(parts: list[Counts]) -> Counts:
    """All parts together."""
    whole = Counts(part="all", problems=[])
    for part in parts:
        for name in _SUMMED:
            setattr(whole, name, getattr(whole, name) + getattr(part, name))
        whole.problems.extend(part.problems)
    return whole


_SUMMED = tuple(name for name in Counts.__struct_fields__ if name not in {"part", "problems"})

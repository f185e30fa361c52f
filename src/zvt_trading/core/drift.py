"""Which differences between our books and a venue's are drift, and which are only on their way.

A fill, a cancel or a deposit that one side knows a moment before the other is a difference too, and
gone at the next reading. Drift is what stays: the same subject, by the same amount, in
DRIFT_READINGS readings in a row. An amount that changes from reading to reading begins anew.
"""

from typing import final

from zvt_trading.core.limits import DRIFT_READINGS, DRIFT_SUBJECTS_MAX
from zvt_trading.core.reconcile import Difference


@final
class Suspect:
    """One subject that differed in the last reading."""

    def __init__(self, offset: str) -> None:
        self.offset = offset
        self.readings = 0  # in a row with this offset
        self.told = ""  # the offset that was found to be drift last; "" when none was


@final
class DriftWatch:
    """One venue's readings; it remembers no more than the differences of the last one."""

    def __init__(self) -> None:
        self.suspects: dict[str, Suspect] = {}
        self.drifting: list[Difference] = []  # that became drift with the last reading
        self.cleared: list[str] = []  # names of what was drift until it, and differs no more

    def read(self, found: list[Difference]) -> None:
        """Take the differences of one reading; `drifting` and `cleared` say what came of it.

        A drift is told once, and once more when it stays at another amount.
        """
        before = self.suspects
        self.suspects = {}
        self.drifting = []
        for difference in found[:DRIFT_SUBJECTS_MAX]:
            name = difference.name()
            offset = difference.offset()
            suspect = before.pop(name, None)
            if suspect is None:
                suspect = Suspect(offset)
            elif suspect.offset != offset:
                suspect.offset = offset
                suspect.readings = 0
            suspect.readings += 1
            self.suspects[name] = suspect
            if suspect.readings >= DRIFT_READINGS and suspect.told != offset:
                suspect.told = offset
                self.drifting.append(difference)
        self.cleared = [name for name, suspect in before.items() if suspect.told]

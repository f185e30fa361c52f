"""What an event asks for outside the engine."""

from typing import Final

from zvt_trading.messages.events import (
    AmendRequested,
    CancelRequested,
    Deposited,
    LeverageSet,
    OrderPlaced,
    OrderReleased,
    Transferred,
    Withdrawn,
)

SENDS: Final = 1
RELEASES: Final = 2
CANCELS: Final = 3
AMENDS: Final = 4
MOVES: Final = 5  # money, or leverage

# A table, since isinstance is slow on Structs (they have a metaclass).
EFFECTS: Final[dict[type, int]] = {
    OrderPlaced: SENDS,
    OrderReleased: RELEASES,
    CancelRequested: CANCELS,
    AmendRequested: AMENDS,
    Deposited: MOVES,
    Withdrawn: MOVES,
    Transferred: MOVES,
    LeverageSet: MOVES,
}

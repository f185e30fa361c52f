"""The life of an order, as one table.

Theory. An order has two small machines, not one product of them.

*Life*: PENDING (the core holds it), SUBMITTED (its intent is durable, bytes may have left), UNKNOWN
(we cannot tell whether the venue has it), ACCEPTED (the venue has it), then FILLED, CANCELLED,
REJECTED or EXPIRED. PARTIALLY_FILLED is not a state: it is ACCEPTED with 0 < filled < quantity.

*Pending request*: none, cancel or amend; a request does not change the life until its outcome is
known, and any end of the life ends the request.

The trigger is what happened (the event), never a target status. Evidence may come late and in any
order, so every pair has a row: a late fill after CANCELLED or EXPIRED is booked where it is, and an
order believed REJECTED comes back to life when the venue shows that it has it. UNKNOWN is left by
evidence alone, there is no timer among the triggers.

In a row, IGNORE means "says nothing new: no event", ILLEGAL "cannot happen unless we have a bug".
"""

from typing import Final

from zvt_trading.messages.codes import (
    ACCEPTED,
    AMEND_REQUESTED,
    CANCEL_REQUESTED,
    CANCELLED,
    EXPIRED,
    FILLED,
    NO_REQUEST,
    REJECTED,
    SUBMITTED,
    UNKNOWN,
)

IGNORE: Final = -1
ILLEGAL: Final = -2

# Triggers of the life.
RELEASE: Final = 0
ACCEPT: Final = 1
REJECT: Final = 2
LOSE_TRACK: Final = 3
FILL_PART: Final = 4
FILL_ALL: Final = 5
CANCEL: Final = 6
EXPIRE: Final = 7

# Triggers of the pending request.
REQUEST_CANCEL: Final = 0
REQUEST_AMEND: Final = 1
REQUEST_DONE: Final = 2  # amended, or the request was refused by the venue
LIFE_ENDED: Final = 3

LIFE_NAMES: Final = (
    "PENDING",
    "SUBMITTED",
    "UNKNOWN",
    "ACCEPTED",
    "FILLED",
    "CANCELLED",
    "REJECTED",
    "EXPIRED",
)
TRIGGER_NAMES: Final = (
    "RELEASE",
    "ACCEPT",
    "REJECT",
    "LOSE_TRACK",
    "FILL_PART",
    "FILL_ALL",
    "CANCEL",
    "EXPIRE",
)
REQUEST_NAMES: Final = ("NO_REQUEST", "CANCEL_REQUESTED", "AMEND_REQUESTED")
REQUEST_TRIGGER_NAMES: Final = ("REQUEST_CANCEL", "REQUEST_AMEND", "REQUEST_DONE", "LIFE_ENDED")

# fmt: off
LIFE_TABLE: Final = (
    # RELEASE   ACCEPT    REJECT    LOSE_TRACK FILL_PART  FILL_ALL CANCEL     EXPIRE     from
    (SUBMITTED, ILLEGAL,  ILLEGAL,  ILLEGAL,   ILLEGAL,   ILLEGAL, CANCELLED, EXPIRED),  # PENDING
    (ILLEGAL,   ACCEPTED, REJECTED, UNKNOWN,   ACCEPTED,  FILLED,  CANCELLED, EXPIRED),  # SUBMITTED
    (ILLEGAL,   ACCEPTED, REJECTED, IGNORE,    ACCEPTED,  FILLED,  CANCELLED, EXPIRED),  # UNKNOWN
    (ILLEGAL,   IGNORE,   IGNORE,   IGNORE,    ACCEPTED,  FILLED,  CANCELLED, EXPIRED),  # ACCEPTED
    (ILLEGAL,   IGNORE,   IGNORE,   IGNORE,    FILLED,    FILLED,  IGNORE,    IGNORE),   # FILLED
    (ILLEGAL,   IGNORE,   IGNORE,   IGNORE,    CANCELLED, FILLED,  IGNORE,    IGNORE),   # CANCELLED
    (ILLEGAL,   ACCEPTED, IGNORE,   IGNORE,    ACCEPTED,  FILLED,  IGNORE,    IGNORE),   # REJECTED
    (ILLEGAL,   IGNORE,   IGNORE,   IGNORE,    EXPIRED,   FILLED,  IGNORE,    IGNORE),   # EXPIRED
)
REQUEST_TABLE: Final = (
    # REQUEST_CANCEL    REQUEST_AMEND    REQUEST_DONE  LIFE_ENDED
    (CANCEL_REQUESTED,  AMEND_REQUESTED, IGNORE,       NO_REQUEST),  # NO_REQUEST
    (CANCEL_REQUESTED,  ILLEGAL,         NO_REQUEST,   NO_REQUEST),  # CANCEL_REQUESTED
    (CANCEL_REQUESTED,  ILLEGAL,         NO_REQUEST,   NO_REQUEST),  # AMEND_REQUESTED
)
# fmt: on

_TRIGGERS: Final = len(TRIGGER_NAMES)
_FLAT: Final = [cell for row in LIFE_TABLE for cell in row]
_REQUEST_TRIGGERS: Final = len(REQUEST_TRIGGER_NAMES)
_REQUEST_FLAT: Final = [cell for row in REQUEST_TABLE for cell in row]


def next_life(life: int, trigger: int) -> int:
    """The life after `trigger`, or IGNORE, or ILLEGAL."""
    return _FLAT[life * _TRIGGERS + trigger]


def next_request(request: int, trigger: int) -> int:
    """The pending request after `trigger`, or IGNORE, or ILLEGAL."""
    return _REQUEST_FLAT[request * _REQUEST_TRIGGERS + trigger]


def is_closed(life: int) -> bool:
    """Whether the life has ended (late evidence may still come)."""
    return life >= FILLED


def diagram() -> str:
    """The life table as a Mermaid state diagram (the documentation's picture is made from it)."""
    lines = ["stateDiagram-v2", "    [*] --> PENDING: held", "    [*] --> SUBMITTED: sent"]
    for life in range(len(LIFE_TABLE)):
        for trigger in range(_TRIGGERS):
            target = next_life(life, trigger)
            if target >= 0 and target != life:
                name = TRIGGER_NAMES[trigger]
                lines.append(f"    {LIFE_NAMES[life]} --> {LIFE_NAMES[target]}: {name}")
    lines.extend(f"    {LIFE_NAMES[life]} --> [*]" for life in range(FILLED, len(LIFE_TABLE)))
    return "\n".join(lines) + "\n"

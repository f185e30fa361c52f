"""Specification of the life of an order: what follows each trigger, in each state."""

import pytest

from zvt_trading.core import order_fsm
from zvt_trading.core.order_fsm import (
    LIFE_NAMES,
    REQUEST_NAMES,
    REQUEST_TRIGGER_NAMES,
    TRIGGER_NAMES,
    diagram,
    is_closed,
    next_life,
    next_request,
)
from zvt_trading.messages import codes

Table = dict[str, dict[str, str]]

# What each trigger does in each life; written from the prose, trigger by trigger.
LIFE: Table = {
    # Only what the core holds can be let go, and once.
    "RELEASE": {
        "PENDING": "SUBMITTED",
        "SUBMITTED": "ILLEGAL",
        "UNKNOWN": "ILLEGAL",
        "ACCEPTED": "ILLEGAL",
        "FILLED": "ILLEGAL",
        "CANCELLED": "ILLEGAL",
        "REJECTED": "ILLEGAL",
        "EXPIRED": "ILLEGAL",
    },
    # The venue has it. Nothing new to what is open or had its end there; revives the rejected.
    "ACCEPT": {
        "PENDING": "ILLEGAL",
        "SUBMITTED": "ACCEPTED",
        "UNKNOWN": "ACCEPTED",
        "ACCEPTED": "IGNORE",
        "FILLED": "IGNORE",
        "CANCELLED": "IGNORE",
        "REJECTED": "ACCEPTED",
        "EXPIRED": "IGNORE",
    },
    # A refusal is news only while nothing else was heard from the venue.
    "REJECT": {
        "PENDING": "ILLEGAL",
        "SUBMITTED": "REJECTED",
        "UNKNOWN": "REJECTED",
        "ACCEPTED": "IGNORE",
        "FILLED": "IGNORE",
        "CANCELLED": "IGNORE",
        "REJECTED": "IGNORE",
        "EXPIRED": "IGNORE",
    },
    # We do not know what became of the submit: worth saying only of one without an answer.
    "LOSE_TRACK": {
        "PENDING": "ILLEGAL",
        "SUBMITTED": "UNKNOWN",
        "UNKNOWN": "IGNORE",
        "ACCEPTED": "IGNORE",
        "FILLED": "IGNORE",
        "CANCELLED": "IGNORE",
        "REJECTED": "IGNORE",
        "EXPIRED": "IGNORE",
    },
    # A fill proves that the venue has it; after an end it is booked where it is.
    "FILL_PART": {
        "PENDING": "ILLEGAL",
        "SUBMITTED": "ACCEPTED",
        "UNKNOWN": "ACCEPTED",
        "ACCEPTED": "ACCEPTED",
        "FILLED": "FILLED",
        "CANCELLED": "CANCELLED",
        "REJECTED": "ACCEPTED",
        "EXPIRED": "EXPIRED",
    },
    # Filled is filled, whatever we believed before.
    "FILL_ALL": {
        "PENDING": "ILLEGAL",
        "SUBMITTED": "FILLED",
        "UNKNOWN": "FILLED",
        "ACCEPTED": "FILLED",
        "FILLED": "FILLED",
        "CANCELLED": "FILLED",
        "REJECTED": "FILLED",
        "EXPIRED": "FILLED",
    },
    # Anything open can be cancelled, also what only the core holds; an end stays what it was.
    "CANCEL": {
        "PENDING": "CANCELLED",
        "SUBMITTED": "CANCELLED",
        "UNKNOWN": "CANCELLED",
        "ACCEPTED": "CANCELLED",
        "FILLED": "IGNORE",
        "CANCELLED": "IGNORE",
        "REJECTED": "IGNORE",
        "EXPIRED": "IGNORE",
    },
    "EXPIRE": {
        "PENDING": "EXPIRED",
        "SUBMITTED": "EXPIRED",
        "UNKNOWN": "EXPIRED",
        "ACCEPTED": "EXPIRED",
        "FILLED": "IGNORE",
        "CANCELLED": "IGNORE",
        "REJECTED": "IGNORE",
        "EXPIRED": "IGNORE",
    },
}

REQUEST: Table = {
    # A cancel may be asked for at any time, again, and instead of an amend.
    "REQUEST_CANCEL": {
        "NO_REQUEST": "CANCEL_REQUESTED",
        "CANCEL_REQUESTED": "CANCEL_REQUESTED",
        "AMEND_REQUESTED": "CANCEL_REQUESTED",
    },
    # One amend at a time, and none of what is being cancelled.
    "REQUEST_AMEND": {
        "NO_REQUEST": "AMEND_REQUESTED",
        "CANCEL_REQUESTED": "ILLEGAL",
        "AMEND_REQUESTED": "ILLEGAL",
    },
    "REQUEST_DONE": {
        "NO_REQUEST": "IGNORE",
        "CANCEL_REQUESTED": "NO_REQUEST",
        "AMEND_REQUESTED": "NO_REQUEST",
    },
    # Any end of the life ends the request.
    "LIFE_ENDED": {
        "NO_REQUEST": "NO_REQUEST",
        "CANCEL_REQUESTED": "NO_REQUEST",
        "AMEND_REQUESTED": "NO_REQUEST",
    },
}

OPEN = ("PENDING", "SUBMITTED", "UNKNOWN", "ACCEPTED")
CLOSED = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")


def code(name: str) -> int:
    """The number of a life, a request, a trigger or an answer."""
    owner = codes if hasattr(codes, name) else order_fsm
    number: int = getattr(owner, name)
    return number


def pairs(table: Table) -> list[tuple[str, str, str]]:
    """(state, trigger, answer) of every cell."""
    return [
        (state, trigger, answer) for trigger, row in table.items() for state, answer in row.items()
    ]


@pytest.mark.parametrize(("life", "trigger", "answer"), pairs(LIFE))
def test_life(life: str, trigger: str, answer: str) -> None:
    """The life after each trigger."""
    assert code(answer) == next_life(code(life), code(trigger))


@pytest.mark.parametrize(("request_name", "trigger", "answer"), pairs(REQUEST))
def test_request(request_name: str, trigger: str, answer: str) -> None:
    """The pending request after each trigger."""
    assert code(answer) == next_request(code(request_name), code(trigger))


def test_every_pair_has_a_row() -> None:
    """The tables above leave nothing out, and neither does the module."""
    assert [(life, trigger) for trigger in TRIGGER_NAMES for life in LIFE_NAMES] == [
        pair[:2] for pair in pairs(LIFE)
    ]
    assert [
        (request, trigger) for trigger in REQUEST_TRIGGER_NAMES for request in REQUEST_NAMES
    ] == [pair[:2] for pair in pairs(REQUEST)]


@pytest.mark.parametrize("names", [LIFE_NAMES, TRIGGER_NAMES, REQUEST_NAMES, REQUEST_TRIGGER_NAMES])
def test_names_stand_at_their_numbers(names: tuple[str, ...]) -> None:
    """A name's place is its code, without holes."""
    assert list(range(len(names))) == [code(name) for name in names]


def test_answers_are_told_from_states() -> None:
    """IGNORE and ILLEGAL are no state, and not each other."""
    answers = {code("IGNORE"), code("ILLEGAL")}
    assert 2 == len(answers)
    assert max(answers) < 0


@pytest.mark.parametrize(
    ("life", "closed"), [(name, False) for name in OPEN] + [(name, True) for name in CLOSED]
)
def test_is_closed(life: str, closed: bool) -> None:
    """FILLED, CANCELLED, REJECTED and EXPIRED are ends."""
    assert closed is is_closed(code(life))


def test_only_a_venue_revives_an_end() -> None:
    """From an end one gets to another life only by a fill, or by ACCEPT from REJECTED."""
    moves = {
        (life, trigger, answer)
        for life, trigger, answer in pairs(LIFE)
        if life in CLOSED and answer not in {"IGNORE", "ILLEGAL", life}
    }
    assert {
        ("CANCELLED", "FILL_ALL", "FILLED"),
        ("EXPIRED", "FILL_ALL", "FILLED"),
        ("REJECTED", "FILL_ALL", "FILLED"),
        ("REJECTED", "FILL_PART", "ACCEPTED"),
        ("REJECTED", "ACCEPT", "ACCEPTED"),
    } == moves


def test_diagram() -> None:
    """Every move between two lives is an arrow, once; besides them only the beginnings and ends."""
    arrows = {
        f"    {life} --> {answer}: {trigger}"
        for life, trigger, answer in pairs(LIFE)
        if answer not in {"IGNORE", "ILLEGAL", life}
    }
    starts = {"    [*] --> PENDING: held", "    [*] --> SUBMITTED: sent"}
    ends = {f"    {life} --> [*]" for life in CLOSED}
    first, *lines = diagram().splitlines()
    assert "stateDiagram-v2" == first
    assert sorted(starts | arrows | ends) == sorted(lines)
    assert diagram().endswith("\n")

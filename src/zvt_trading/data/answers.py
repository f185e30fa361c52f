"""Parts of an exchange's answer, checked: one of another shape is a fault, never empty."""

from zvt_trading.errors import VenueError

SHOWN = 80


def listed(answer: object) -> list[object]:
    """A JSON array."""
    if not isinstance(answer, list):
        raise VenueError(f"an answer is no list: {str(answer)[:SHOWN]!r}")
    return answer


def part(answer: object, *names: str) -> object:
    """A member of nested JSON objects."""
    found = answer
    for name in names:
        if not isinstance(found, dict) or name not in found:
            raise VenueError(f"an answer has no {name}: {str(answer)[:SHOWN]!r}")
        found = found[name]
    return found


def fields(row: object, least: int) -> list[object]:
    """A row given as a JSON array with at least so many members."""
    found = listed(row)
    if len(found) < least:
        raise VenueError(f"a row has {len(found)} members, at least {least} are needed")
    return found

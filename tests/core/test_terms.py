"""A request's terms are its fields, each under its own name."""

import msgspec

from zvt_trading.core.state import State, Terms
from zvt_trading.messages.commands import SubmitOrder

# Every field has a value of its own, so that no two can be mixed up.
REQUEST = SubmitOrder(
    "portfolio", "venue:A/B", -1, 6, 11, 12, 13, 3, 14, True, False, "strategy", "tag", 2, 15, 1,
    "{}",
)  # fmt: skip


def test_terms_have_the_request_s_fields() -> None:
    """All fields but the metadata, which no decision looks at."""
    terms = Terms(REQUEST)
    names = [name for name in SubmitOrder.__struct_fields__ if name != "metadata"]
    assert {name: getattr(REQUEST, name) for name in names} == {
        name: getattr(terms, name) for name in names
    }


def test_the_last_request_is_read_once() -> None:
    """The same object gives the same terms, an equal one new terms."""
    state = State(1, 0)
    terms = state.terms(REQUEST)
    assert state.terms(REQUEST) is terms
    assert state.terms(msgspec.structs.replace(REQUEST)) is not terms

"""Specification of order ids: a UUID version 7 that every venue takes and that says whose it is."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zvt_trading.core.order_ids import is_ours, make_order_id

TS = 1_700_000_000_123_456_789  # 2023-11-14 22:13:20.123456789 UTC
TIMES = st.integers(0, 2**48 * 1_000_000 - 1)
EPOCHS = st.integers(0, 0xFFF)
TAGS = st.integers(0, 0xFFFFF)
SEQUENCES = st.integers(0, 2**40 - 1)
PARTS = st.tuples(TIMES, EPOCHS, TAGS, SEQUENCES)
OURS = make_order_id(TS, 1, 0xABCDE, 42)


def test_layout() -> None:
    """Milliseconds, version and epoch, variant and tag, sequence: each in hexadecimal digits."""
    assert f"{1_700_000_000_123:012x}" + "7" + "001" + "8" + "abcde" + "000000002a" == OURS


@given(TIMES, EPOCHS, TAGS, SEQUENCES)
def test_is_a_uuid_version_7(ts: int, epoch: int, tag: int, sequence: int) -> None:
    """RFC 9562: version 7, its variant, and the first 48 bits are milliseconds since 1970."""
    order_id = make_order_id(ts, epoch, tag, sequence)
    parsed = uuid.UUID(order_id)
    assert order_id == parsed.hex
    assert (7, uuid.RFC_4122) == (parsed.version, parsed.variant)
    assert ts // 1_000_000 == parsed.int >> 80


@given(*[st.integers(0, 2**80)] * 4)
def test_fits_the_narrowest_venue(ts: int, epoch: int, tag: int, sequence: int) -> None:
    """32 characters [0-9a-f], however large the numbers have become."""
    order_id = make_order_id(ts, epoch, tag, sequence)
    assert 32 == len(order_id)
    assert set(order_id) <= set("0123456789abcdef")


@given(PARTS, PARTS)
def test_different_orders_have_different_ids(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    """Equal only when millisecond, epoch, tag and sequence all are."""
    same = (one[0] // 1_000_000, *one[1:]) == (other[0] // 1_000_000, *other[1:])
    assert same == (make_order_id(*one) == make_order_id(*other))


def test_ten_thousand_orders_at_one_time() -> None:
    """The sequence alone makes an id unique."""
    assert 10_000 == len({make_order_id(TS, 1, 2, sequence) for sequence in range(10_000)})


@given(TIMES, TIMES, SEQUENCES, SEQUENCES)
def test_later_orders_sort_later(first: int, second: int, one: int, other: int) -> None:
    """As text, by millisecond and then by sequence."""
    keys = [(first // 1_000_000, one), (second // 1_000_000, other)]
    ids = [make_order_id(first, 1, 2, one), make_order_id(second, 1, 2, other)]
    assert (keys[0] < keys[1]) == (ids[0] < ids[1])


@given(TIMES, EPOCHS, TAGS, SEQUENCES, TAGS)
def test_is_ours_reads_the_tag(ts: int, epoch: int, tag: int, sequence: int, other: int) -> None:
    """An engine knows its own orders, and not another's."""
    order_id = make_order_id(ts, epoch, tag, sequence)
    assert is_ours(order_id, tag)
    assert (tag == other) is is_ours(order_id, other)


@pytest.mark.parametrize(
    "order_id",
    [
        "",
        "1",
        "x-abc",
        OURS[:-1],
        OURS + "0",
        str(uuid.UUID(OURS)),  # with dashes
        OURS[:12] + "4" + OURS[13:],
        OURS[:16] + "9" + OURS[17:],
        OURS[:17] + "abcdf" + OURS[22:],
    ],
)
def test_what_others_sent_is_not_ours(order_id: str) -> None:
    """Another length, version, variant or tag."""
    assert not is_ours(order_id, 0xABCDE)

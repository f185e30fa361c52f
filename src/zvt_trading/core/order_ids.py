"""Order ids: one id serves as our key, the client order id at every venue, and a UUID.

32 characters [0-9a-f] (OKX, the narrowest venue, takes 1-32 alphanumerics), laid out as a UUID
version 7 (RFC 9562) without dashes:

    mmmmmmmmmmmm 7 eee 8 ggggg ssssssssss
    ms since 1970  epoch  engine tag  sequence

The sequence alone makes it unique within an engine and is never reused (it is part of the journal);
the epoch guards against a lost journal, the tag tells our orders from others' at the venue.
"""

from typing import Final, final

_MS_MASK: Final = (1 << 48) - 1
_EPOCH_MASK: Final = 0xFFF
_TAG_MASK: Final = 0xFFFFF
_SEQ_MASK: Final = (1 << 40) - 1


_LOW: Final = 0xFFF
_HEX3: Final = [f"{number:03x}" for number in range(_LOW + 1)]


@final
class OrderIds:
    """Makes order ids.

    Formatting is slow; only the low 12 bits of time and sequence change often, so the rest of the
    text is kept.
    """

    def __init__(self, epoch: int, engine_tag: int) -> None:
        self._middle: Final = f"7{epoch & _EPOCH_MASK:03x}8{engine_tag & _TAG_MASK:05x}"
        self._time = -1
        self._time_text = ""
        self._sequence = -1
        self._sequence_text = ""

    def make(self, ts: int, sequence: int) -> str:
        """The id of the `sequence`-th order, decided at `ts` (nanoseconds)."""
        milliseconds = (ts // 1_000_000) & _MS_MASK
        high = milliseconds >> 12
        if high != self._time:
            self._time = high
            self._time_text = f"{high:09x}"
        sequence &= _SEQ_MASK
        block = sequence >> 12
        if block != self._sequence:
            self._sequence = block
            self._sequence_text = f"{self._middle}{block:07x}"
        return (
            self._time_text
            + _HEX3[milliseconds & _LOW]
            + self._sequence_text
            + _HEX3[sequence & _LOW]
        )


def make_order_id(ts: int, epoch: int, engine_tag: int, sequence: int) -> str:
    """One id on its own; see OrderIds."""
    return OrderIds(epoch, engine_tag).make(ts, sequence)


def sequence_of(order_id: str) -> int:
    """The sequence number in an id of ours."""
    return int(order_id[22:], 16)


def is_ours(order_id: str, engine_tag: int) -> bool:
    """Whether an id at a venue carries our engine's tag."""
    return (
        len(order_id) == 32
        and order_id[12] == "7"
        and order_id[16] == "8"
        and order_id[17:22] == f"{engine_tag & _TAG_MASK:05x}"
    )

"""Order ids: one id serves as our key, the client order id at every venue, and a UUID.

32 characters [0-9a-f] (OKX, the narrowest venue, takes 1-32 alphanumerics), laid out as a UUID
version 7 (RFC 9562) without dashes:

    mmmmmmmmmmmm 7 eee 8 ggggg ssssssssss
    ms since 1970  epoch  engine tag  sequence

The sequence alone makes it unique within an engine and is never reused (it is part of the journal);
the epoch guards against a lost journal, the tag tells our orders from others' at the venue.
"""

from typing import Final

_MS_MASK: Final = (1 << 48) - 1
_EPOCH_MASK: Final = 0xFFF
_TAG_MASK: Final = 0xFFFFF
_SEQ_MASK: Final = (1 << 40) - 1


def make_order_id(ts: int, epoch: int, engine_tag: int, sequence: int) -> str:
    """The id of the `sequence`-th order, decided at `ts` (nanoseconds)."""
    milliseconds = (ts // 1_000_000) & _MS_MASK
    prefix = f"{milliseconds:012x}7{epoch & _EPOCH_MASK:03x}8"
    return f"{prefix}{engine_tag & _TAG_MASK:05x}{sequence & _SEQ_MASK:010x}"


def is_ours(order_id: str, engine_tag: int) -> bool:
    """Whether an id at a venue carries our engine's tag."""
    return (
        len(order_id) == 32
        and order_id[12] == "7"
        and order_id[16] == "8"
        and order_id[17:22] == f"{engine_tag & _TAG_MASK:05x}"
    )

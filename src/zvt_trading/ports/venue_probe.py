"""What `doctor` and `run` ask of a venue before anything is traded there. Nothing is changed."""

from typing import Protocol

from msgspec import Struct


class ClockReading(Struct, frozen=True):
    """The venue's time and ours round the question for it, all in milliseconds since 1970."""

    venue_ms: int
    sent_ms: int
    received_ms: int

    @property
    def offset_ms(self) -> int:
        """How much the venue's clock is ahead of ours, as if it was read half-way (RFC 5905)."""
        return self.venue_ms - (self.sent_ms + self.received_ms) // 2

    @property
    def round_trip_ms(self) -> int:
        """The offset may be wrong by half of it."""
        return self.received_ms - self.sent_ms


class KeyPermissions(Struct, frozen=True):
    """What API keys may do; None where the venue does not say."""

    can_trade: bool | None
    can_withdraw: bool | None
    is_ip_restricted: bool | None


class VenueProbe(Protocol):
    """A venue, asked with or without keys. Every question is one request or a few, and may fail.

    Raises VenueError when the venue cannot be reached or does not answer as it should, and
    CallerError when it does not take the keys; no message has a key or a signature in it.
    """

    async def clock(self) -> ClockReading:
        """The venue's time; needs no keys."""

    async def instruments(self) -> frozenset[str]:
        """The symbols that can be traded now ("BTC/USDT", "BTC/USDT:USDT"); needs no keys."""

    async def permissions(self) -> KeyPermissions:
        """What the keys may do."""

    async def close(self) -> None:
        """Let go of connections; after it nothing can be asked."""

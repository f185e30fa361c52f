"""What a stream service needs of a venue: the market's side of `ports.venue.VenueGateway`."""

from collections.abc import Sequence
from typing import Protocol

from zvt_trading.messages.market import InstrumentSpec
from zvt_trading.ports.venue import Listing, Sink


class MarketSource(Protocol):
    """One venue. All methods belong to one event loop; the numbers may be read from anywhere."""

    clock_offset_ms: int

    @property
    def venue(self) -> str:
        """Its name."""

    @property
    def market_reconnects(self) -> int:
        """How often the market's streams had to be opened again."""

    async def listings(self, symbols: Sequence[str]) -> list[Listing]:
        """The symbols as the venue lists them; VenueError when it cannot say or has one not."""

    async def read_clock(self) -> None:
        """Measure `clock_offset_ms` again; QueryFailedError."""

    async def open(self, specs: Sequence[InstrumentSpec], sink: Sink) -> None:
        """Begin: streams run, and reconnect, until `close`; needs no success to return."""

    async def close(self) -> None:
        """End the streams and connections."""

"""What can be asked of a venue, and what it is told: the simulated one, or one somewhere else.

A remote venue answers later: its requests return no reports, `ask` and `read` stand for `answer`
and `history`, and what comes of all of them is given to the Simulation by whoever hears it.
"""

from typing import final

from mypy_extensions import mypyc_attr

from zvt_trading.core.reconcile import Statement
from zvt_trading.messages.codes import GTC, TRIGGER_QUOTE
from zvt_trading.messages.market import MarketData, QuoteTick
from zvt_trading.messages.reports import Report


@final
class Answer:
    """What a venue says of one order: its state and all fills; no reports when it has it not."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.price = 0
        self.quantity = 0


@final
class History:
    """What happened after a cursor, oldest first, and how things stand at the new cursor."""

    def __init__(self, cursor: int, statement: Statement, asked: int = 0) -> None:
        self.cursor = cursor
        self.asked = asked  # when it was asked for (our clock), of a remote venue
        self.reports: list[Report] = []
        self.statement = statement


@mypyc_attr(allow_interpreted_subclasses=True)
class VenueApi:
    """See the module. Times are int nanoseconds UTC, the venue's own."""

    def __init__(self, venue: str, is_remote: bool = False) -> None:
        self.venue = venue
        self.is_remote = is_remote

    # Requests of ours; what comes of them is in the reports.

    def submit(
        self,
        now: int,
        order_id: str,
        account: str,
        instrument_id: str,
        side: int,
        order_type: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        expire_ts: int = 0,
        post_only: bool = False,
        reduce_only: bool = False,
        worst_price: int = 0,
        trigger_price: int = 0,
        trigger_by: int = TRIGGER_QUOTE,
    ) -> list[Report]:
        """A new order."""
        raise NotImplementedError

    def cancel(self, now: int, order_id: str) -> list[Report]:
        """Take an order back."""
        raise NotImplementedError

    def amend(self, now: int, order_id: str, price: int, quantity: int) -> list[Report]:
        """Change price and total quantity."""
        raise NotImplementedError

    # Questions.

    def answer(self, order_id: str) -> Answer:
        """One order, by our id."""
        raise NotImplementedError

    def history(self, cursor: int) -> History:
        """Everything that happened after `cursor`."""
        raise NotImplementedError

    # The same questions to a remote venue.

    def ask(self, now: int, order_id: str, since: int) -> None:
        """One order; `since` is when what is asked about was sent."""
        raise NotImplementedError

    def read(self, now: int, cursor: int) -> None:
        """What happened after `cursor`; nothing when that is being asked already."""
        raise NotImplementedError

    # The market and the clock of a simulated venue.

    def on_market(self, now: int, message: MarketData) -> list[Report]:
        """The market moved."""
        raise NotImplementedError

    def on_quote(self, now: int, message: QuoteTick) -> list[Report]:
        """`on_market` for the most frequent message; what it returns is only to be read."""
        raise NotImplementedError

    def on_time(self, now: int) -> list[Report]:
        """Time passed."""
        raise NotImplementedError

    # Money and leverage, which a person moves on the venue's own pages. `key` names a movement, so
    # that one that is repeated after a crash is made once.

    def free(self, account: str, asset: str) -> int:
        """What may be taken out (asset units)."""
        raise NotImplementedError

    def is_flat(self, account: str, instrument_id: str) -> bool:
        """Whether there is neither a position nor an open order."""
        raise NotImplementedError

    def credit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> None:
        """Money arrives."""
        raise NotImplementedError

    def debit(self, account: str, asset: str, amount: int, now: int = 0, key: str = "") -> bool:
        """Money leaves; False when that much is not free."""
        raise NotImplementedError

    def set_leverage(self, account: str, instrument_id: str, leverage: int, mode: int) -> bool:
        """Leverage and margin mode of a flat position."""
        raise NotImplementedError

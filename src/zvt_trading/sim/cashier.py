"""What the simulated venues do at once when asked: money in and out, leverage.

These requests do not travel over the links. A person makes them on the venue's own pages, so the
engine hears of them when they are done; the venue is therefore asked before the engine.
"""

from typing import Final, final

from zvt_trading.messages.commands import Command, SetLeverage, Transfer, Withdraw
from zvt_trading.messages.events import Deposited, Event, LeverageSet, Transferred, Withdrawn
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.parcels import VenuePort
from zvt_trading.sim.venue_api import VenueApi


@final
class Cashier:
    """Acts at the venues of `ports`; what is not simulated there is left to the engine to refuse.

    `reason` belongs to the last `refusal`.
    """

    def __init__(self, ports: dict[str, VenuePort]) -> None:
        self.ports: Final = ports
        self.reason = 0

    def refusal(self, command: Command) -> str:
        """Why a venue would not do what the command says; "" when it would, or need not."""
        if type(command) is Withdraw:
            self.reason = int(Reason.INSUFFICIENT_BALANCE)
            return self._short_of(command.venue, command.portfolio, command.asset, command.amount)
        if type(command) is Transfer:
            self.reason = int(Reason.INSUFFICIENT_BALANCE)
            return self._short_of(
                command.venue_from, command.portfolio_from, command.asset, command.amount
            )
        if type(command) is SetLeverage:
            self.reason = int(Reason.INVALID_LEVERAGE)
            exchange = self._venue(command.instrument.partition(":")[0])
            if exchange is not None and not exchange.is_flat(command.portfolio, command.instrument):
                return f"{command.instrument} is not flat at the venue"
        return ""

    def carry_out(self, event: Event, now: int) -> None:
        """Do at the venues what the engine has recorded; to do it again changes nothing."""
        key = str(event.seq)
        if isinstance(event, Deposited):
            deposit = event.request
            venue = self._venue(deposit.venue)
            if venue is not None:
                venue.credit(deposit.portfolio, deposit.asset, deposit.amount, now, key)
        elif isinstance(event, Withdrawn):
            request = event.request
            venue = self._venue(request.venue)
            if venue is not None:
                venue.debit(request.portfolio, request.asset, request.amount, now, key)
        elif isinstance(event, Transferred):
            move = event.request
            venue = self._venue(move.venue_from)
            if venue is not None:
                venue.debit(move.portfolio_from, move.asset, move.amount, now, f"{key}-out")
            venue = self._venue(move.venue_to)
            if venue is not None:
                venue.credit(move.portfolio_to, move.asset, move.amount, now, f"{key}-in")
        elif isinstance(event, LeverageSet):
            chosen = event.request
            venue = self._venue(chosen.instrument.partition(":")[0])
            if venue is not None:
                venue.set_leverage(
                    chosen.portfolio, chosen.instrument, chosen.leverage, chosen.margin_mode
                )

    def _venue(self, name: str) -> VenueApi | None:
        port = self.ports.get(name)
        return port.exchange if port is not None else None

    def _short_of(self, venue: str, account: str, asset: str, amount: int) -> str:
        """Why the venue would not let this much go."""
        exchange = self._venue(venue)
        if exchange is None or amount <= exchange.free(account, asset):
            return ""
        return f"{venue} lets go of {exchange.free(account, asset)} units of {asset} now"

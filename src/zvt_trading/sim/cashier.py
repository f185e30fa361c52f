"""What the simulated venues do at once when asked: money in and out, leverage.

These requests do not travel over the links. A person makes them on the venue's own pages, so the
engine hears of them when they are done; the venue is therefore asked before the engine.
"""

from typing import Final, final

from zvt_trading.messages.commands import Command, SetLeverage, Transfer, Withdraw
from zvt_trading.messages.events import Deposited, Event, LeverageSet, Transferred, Withdrawn
from zvt_trading.messages.reasons import Reason
from zvt_trading.sim.exchange import SimExchange
from zvt_trading.sim.parcels import VenuePort


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
            exchange = self._exchange(command.instrument.partition(":")[0])
            if exchange is not None and not exchange.is_flat(command.portfolio, command.instrument):
                return f"{command.instrument} is not flat at the venue"
        return ""

    def carry_out(self, event: Event, now: int) -> None:
        """Do at the venues what the engine has recorded."""
        if isinstance(event, Deposited):
            deposit = event.request
            self._credit(deposit.venue, deposit.portfolio, deposit.asset, deposit.amount, now)
        elif isinstance(event, Withdrawn):
            request = event.request
            self._debit(request.venue, request.portfolio, request.asset, request.amount, now)
        elif isinstance(event, Transferred):
            move = event.request
            self._debit(move.venue_from, move.portfolio_from, move.asset, move.amount, now)
            self._credit(move.venue_to, move.portfolio_to, move.asset, move.amount, now)
        elif isinstance(event, LeverageSet):
            chosen = event.request
            exchange = self._exchange(chosen.instrument.partition(":")[0])
            if exchange is not None:
                exchange.set_leverage(
                    chosen.portfolio, chosen.instrument, chosen.leverage, chosen.margin_mode
                )

    def _exchange(self, venue: str) -> SimExchange | None:
        port = self.ports.get(venue)
        return port.exchange if port is not None else None

    def _short_of(self, venue: str, account: str, asset: str, amount: int) -> str:
        """Why the venue would not let this much go."""
        exchange = self._exchange(venue)
        if exchange is None or amount <= exchange.free(account, asset):
            return ""
        return f"{venue} lets go of {exchange.free(account, asset)} units of {asset} now"

    def _credit(self, venue: str, account: str, asset: str, amount: int, now: int) -> None:
        exchange = self._exchange(venue)
        if exchange is not None:
            exchange.credit(account, asset, amount, now)

    def _debit(self, venue: str, account: str, asset: str, amount: int, now: int) -> None:
        exchange = self._exchange(venue)
        if exchange is not None:
            exchange.debit(account, asset, amount, now)

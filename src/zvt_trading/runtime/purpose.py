"""What a store is for, said by its journal's second event: paper and live must never mix.

Paper money in a live store, or a testnet's orders in an exchange's, would be taken for real.
"""

from collections.abc import Mapping
from typing import Final

from zvt_trading.messages.codes import ACTIVE, SCOPE_GLOBAL
from zvt_trading.messages.commands import SetTradingState
from zvt_trading.messages.events import TradingStateChanged
from zvt_trading.ports.store import FIRST_CHECKSUM, Store
from zvt_trading.runtime.entries import checked
from zvt_trading.runtime.memory import Memory
from zvt_trading.sim.simulation import Simulation

PREFIX: Final = "This store is for "
EXCHANGE: Final = "exchange"
TESTNET: Final = "testnet"

_FIRST_ENTRIES: Final = 2  # EngineStarted, then the purpose


def purpose_of(mode: str, venues: Mapping[str, bool]) -> str:
    """Such as "live trading: binance (exchange), okx (testnet)"; True means a testnet."""
    shown = ", ".join(
        f"{name} ({TESTNET if is_testnet else EXCHANGE})"
        for name, is_testnet in sorted(venues.items())
    )
    return f"{mode} trading: {shown}"


def stored_purpose(store: Store) -> str | None:
    """What the store says that it is for: "" when it does not say, None when it is empty.

    Raises DamagedJournalError when its first entries are not what was written.
    """
    found: str | None = None
    for _, event in checked(store.entries(0, _FIRST_ENTRIES), store.name, 0, FIRST_CHECKSUM):
        found = found or ""
        if isinstance(event, TradingStateChanged) and event.text.startswith(PREFIX):
            found = event.text.removeprefix(PREFIX)
    return found


class DedicatedMemory(Memory):
    """A memory whose first life says what it is for, in the same group as all that it begins with.

    The event changes nothing: trading is active there anyway.
    """

    def __init__(self, memory: Memory, purpose: str) -> None:
        super().__init__(memory.core)
        self._memory: Final = memory
        self._purpose: Final = purpose

    def begin(self, simulation: Simulation) -> bool:
        """See Memory."""
        is_new = self._memory.begin(simulation)
        if is_new:
            text = PREFIX + self._purpose
            command = SetTradingState(scope=SCOPE_GLOBAL, key="", state=ACTIVE, text=text)
            simulation.core.control.set_trading_state(command)
        return is_new

    def problem(self) -> str:
        """See Memory."""
        return self._memory.problem()

    def close(self) -> None:
        """See Memory."""
        self._memory.close()

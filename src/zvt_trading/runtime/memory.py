"""What an engine remembers: nothing but its own life, or what a store has kept of earlier ones."""

from zvt_trading.core.trading_core import TradingCore
from zvt_trading.runtime.keeper import Keeper
from zvt_trading.runtime.recovery import Recovered
from zvt_trading.sim.simulation import Simulation


class Memory:
    """Without a store: the engine forgets when it stops."""

    def __init__(self, core: TradingCore | None = None) -> None:
        self.core = core if core is not None else TradingCore()

    def begin(self, _simulation: Simulation) -> bool:
        """The engine starts; whether it is a new one, with nothing to go on from."""
        return True

    def problem(self) -> str:
        """Why something is not remembered; "" when everything is."""
        return ""

    def close(self) -> None:
        """The engine has stopped."""


class StoredMemory(Memory):
    """With a store: nothing leaves the engine before it is durable there."""

    def __init__(self, recovered: Recovered, keeper: Keeper) -> None:
        super().__init__(recovered.core)
        self.keeper = keeper
        self._recovered = recovered

    def begin(self, simulation: Simulation) -> bool:
        """The first event of this life takes the journal over; the caller flushes it."""
        self.keeper.start()
        simulation.journal = self.keeper
        recorder = simulation.core.recorder
        recorder.now = max(recorder.now, simulation.now)
        simulation.core.control.start(self._recovered.chain.epoch)
        return self._recovered.is_new

    def problem(self) -> str:
        """Events that are not durable, or tables that are behind for good."""
        return self.keeper.problem() or self.keeper.tables_problem()

    def close(self) -> None:
        """Bring everything to the store and give it back."""
        self.keeper.close()

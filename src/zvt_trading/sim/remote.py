"""What remote venues answer, given to the engine; the caller flushes."""

from zvt_trading.sim.parcels import TO_US_ANSWER, Parcel
from zvt_trading.sim.sending import missing_there
from zvt_trading.sim.simulation import Simulation
from zvt_trading.sim.venue_api import Answer, History


def answered(
    simulation: Simulation, venue: str, order_id: str, asked: int, since: int, answer: Answer
) -> None:
    """The answer to VenueApi.ask, asked at this time about what was sent at `since`."""
    parcel = Parcel(TO_US_ANSWER, venue, order_id, asked)
    parcel.since = since
    simulation.inquiry.answered(parcel, answer, simulation.now, simulation.ports[venue].timing)


def history_came(simulation: Simulation, venue: str, history: History) -> None:
    """The answer to VenueApi.read; what it lacks of our orders is asked for one by one."""
    simulation.restart.read(venue, history, simulation.now)
    exchange = simulation.ports[venue].exchange
    for order in missing_there(simulation.core.state, venue, history):
        exchange.ask(simulation.now, order.id, history.asked)


def read_now(simulation: Simulation, venue: str) -> None:
    """Ask for a venue's history, besides the usual times: a stream was away."""
    exchange = simulation.ports[venue].exchange
    exchange.read(simulation.now, simulation.restart.cursor(venue))

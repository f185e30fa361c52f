"""What a projector remembers, read back from the rows it wrote."""

from typing import Any, Final

import msgspec

from zvt_trading.core.units import parse_scaled
from zvt_trading.ports.store import Store, TablesRefusedError
from zvt_trading.ports.tables import ORDER, PORTFOLIO, POSITION
from zvt_trading.runtime.projections.performance import Performance
from zvt_trading.runtime.projections.projector import PositionMemory, Projector
from zvt_trading.runtime.projections.rows import (
    OrderMemory,
    PortfolioMemory,
    asset_scale,
    lot_rows,
)
from zvt_trading.runtime.projections.values import DECIMALS, days_of, nanoseconds

_ORDER: Final = (
    "id", "created_seq", "bid_at_decision", "ask_at_decision", "reason_text", "submitted_at",
    "accepted_at", "first_filled_at", "last_filled_at", "closed_at", "fees",
)  # fmt: skip
_PORTFOLIO: Final = (
    "id", "name", "created_at", "value", "peak_value", "day_start_value", "trading_day",
    "valued_at", "max_drawdown", "return_days", "return_sum", "return_square_sum",
    "return_growth", "winning_trades", "losing_trades",
)  # fmt: skip
_POSITION: Final = ("id", "account", "venue", "symbol")


def resume_projector(projector: Projector, store: Store) -> None:
    """Make a projector whose core is at the tables' event the one that wrote them.

    TablesRefusedError when they do not hold what was written.
    """
    try:
        _resume(projector, store)
    except (ArithmeticError, LookupError, TypeError, ValueError, msgspec.MsgspecError) as error:
        raise TablesRefusedError(
            f"{store.name}: the tables are not what was written ({type(error).__name__}: {error}): "
            "run `zvt-trading db rebuild`"
        ) from error


def _resume(projector: Projector, store: Store) -> None:
    state = projector.state
    for row in store.read(PORTFOLIO, _PORTFOLIO, None):
        fields = dict(zip(_PORTFOLIO, row, strict=True))
        memory = PortfolioMemory(fields["id"], fields["created_at"])
        scale = state.portfolios[fields["name"]].base_scale
        _resume_performance(memory.performance, fields, scale)
        projector.portfolios[fields["name"]] = memory
    for row in store.read(POSITION, _POSITION, None):
        position_id, account, venue, symbol = row
        holding = state.portfolios[account].holdings[f"{venue}:{symbol}"]
        position = PositionMemory(position_id)
        position.lots = lot_rows(holding, position_id)
        projector.positions[holding] = position
    for row in store.read(ORDER, _ORDER, list(state.orders)):
        fields = dict(zip(_ORDER, row, strict=True))
        projector.orders[fields["id"]] = _order_memory(projector, fields)
    projector.resume()


def _resume_performance(figures: Performance, fields: dict[str, Any], scale: int) -> None:
    figures.value = _scaled(fields["value"], scale)
    figures.peak = _scaled(fields["peak_value"], scale)
    figures.day_start = _scaled(fields["day_start_value"], scale)
    figures.day = days_of(fields["trading_day"]) if fields["trading_day"] is not None else -1
    figures.valued_ts = nanoseconds(fields["valued_at"]) if fields["valued_at"] is not None else 0
    figures.max_drawdown = _scaled(fields["max_drawdown"], DECIMALS)
    figures.days = fields["return_days"]
    figures.return_sum = _scaled(fields["return_sum"], DECIMALS)
    figures.square_sum = _scaled(fields["return_square_sum"], DECIMALS)
    figures.growth = _scaled(fields["return_growth"], DECIMALS)
    figures.won = fields["winning_trades"]
    figures.lost = fields["losing_trades"]


def _order_memory(projector: Projector, fields: dict[str, Any]) -> OrderMemory:
    memory = OrderMemory(fields["created_seq"])
    scale = projector.state.orders[fields["id"]].instrument.price_scale
    memory.bid = _scaled(fields["bid_at_decision"], scale)
    memory.ask = _scaled(fields["ask_at_decision"], scale)
    memory.reason_text = fields["reason_text"]
    memory.submitted = fields["submitted_at"]
    memory.accepted = fields["accepted_at"]
    memory.first_filled = fields["first_filled_at"]
    memory.last_filled = fields["last_filled_at"]
    memory.closed = fields["closed_at"]
    fees: dict[str, str] = msgspec.json.decode(fields["fees"])
    for asset, fee in fees.items():
        memory.fees[asset] = _scaled(fee, asset_scale(projector.state, asset))
    return memory


def _scaled(value: str | None, scale: int) -> int:
    return parse_scaled(value, scale) if value is not None else 0

"""OKX API v5 through ccxt: spot and USDT linear swaps.

Requests go out by ccxt's own endpoints, so that signing and errors are ccxt's; answers are read
from OKX's own JSON, where every number is an exact text.
"""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Dialect
from zvt_trading.adapters.ccxt.okx.dialect import OkxDialect

DIALECT: Final[Dialect] = OkxDialect()

__all__ = ["DIALECT", "OkxDialect"]

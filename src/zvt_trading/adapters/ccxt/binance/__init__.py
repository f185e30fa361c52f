"""Binance: spot and USD-M perpetuals.

`profile` is its facts, `rows` reads what it writes of orders, fills and money, `frames` the
messages of its streams, `asking` asks for whole lists, `dialect` is the rest.
"""

from zvt_trading.adapters.ccxt.binance.dialect import BinanceDialect
from zvt_trading.adapters.ccxt.dialect import Dialect

DIALECT: Dialect = BinanceDialect()

"""Coinbase Advanced Trade, spot.

What is special here: orders are found by Coinbase's id only; a client order id that is sent again
is answered with the old order; the private stream tells that an order was filled but not how
(prices, fees: they are asked for); the sequence number of a stream belongs to its connection.
"""

from zvt_trading.adapters.ccxt.coinbase.dialect import CoinbaseDialect
from zvt_trading.adapters.ccxt.dialect import Dialect

DIALECT: Dialect = CoinbaseDialect()
"""The one object that the adapter uses."""

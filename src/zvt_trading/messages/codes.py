"""Integer codes used inside the engine; the public edge shows the names in `zvt_trading.types`.

They are plain `Final` ints because mypyc inlines them, where reading an Enum's value costs 86 ns.
"""

from typing import Final

# Side: the sign of the quantity it adds to a position.
BUY: Final = 1
SELL: Final = -1

# Instrument kind.
SPOT: Final = 0
LINEAR: Final = 1  # perpetual margined and settled in the quote asset
INVERSE: Final = 2  # perpetual margined and settled in the base asset; contract size is in quote

# Order type.
MARKET: Final = 0
LIMIT: Final = 1
STOP: Final = 2
STOP_LIMIT: Final = 3
TAKE_PROFIT: Final = 4
TAKE_PROFIT_LIMIT: Final = 5
TRAILING_STOP: Final = 6

# Time in force.
GTC: Final = 0
IOC: Final = 1
FOK: Final = 2
GTD: Final = 3

# What a stop's trigger price is compared with.
TRIGGER_QUOTE: Final = 0  # the price it could trade at: bid for a sell, ask for a buy
TRIGGER_LAST: Final = 1
TRIGGER_MARK: Final = 2

# Unit of a trailing stop's offset.
OFFSET_PRICE: Final = 0
OFFSET_BPS: Final = 1

# Liquidity of a fill.
MAKER: Final = 1
TAKER: Final = 2

# How lots are consumed when a position is reduced.
FIFO: Final = 0
LIFO: Final = 1
HIFO: Final = 2
AVERAGE: Final = 3

# Margin mode.
CROSS: Final = 0
ISOLATED: Final = 1

# Life of an order (first machine of core/order_fsm.py).
PENDING: Final = 0  # held by the core: an untriggered stop, a child waiting for its parent
SUBMITTED: Final = 1
UNKNOWN: Final = 2
ACCEPTED: Final = 3
FILLED: Final = 4
CANCELLED: Final = 5
REJECTED: Final = 6
EXPIRED: Final = 7

# Request under way at the venue (second machine).
NO_REQUEST: Final = 0
CANCEL_REQUESTED: Final = 1
AMEND_REQUESTED: Final = 2

# Trading state of a scope; a larger value is stricter.
ACTIVE: Final = 0
REDUCING: Final = 1
HALTED: Final = 2

# Kind of an order list.
SINGLE: Final = 0
OCO: Final = 1
BRACKET: Final = 2

# Role of an order inside its list.
ROLE_NONE: Final = 0
ROLE_OCO_LEG: Final = 1
ROLE_ENTRY: Final = 2
ROLE_TAKE_PROFIT: Final = 3
ROLE_STOP_LOSS: Final = 4

# Scope of a limit, a trading state or a cancel-all.
SCOPE_GLOBAL: Final = 0
SCOPE_PORTFOLIO: Final = 1
SCOPE_STRATEGY: Final = 2
SCOPE_VENUE: Final = 3
SCOPE_SYMBOL: Final = 4

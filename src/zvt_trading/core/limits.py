"""Every bound of the core, in one place, each with its reason."""

from typing import Final

CLOSED_ORDERS_KEPT: Final = 10_000
"""Closed orders kept in memory so that late evidence finds them; older ones live in the journal."""

CLIENT_TAG_LENGTH_MAX: Final = 64
"""A caller's own id is stored and indexed; 64 characters hold a UUID with a prefix."""

CLIENT_TAGS_KEPT: Final = 100_000
"""Caller's ids remembered for the duplicate check without a store; a store checks all of them."""

NAME_LENGTH_MAX: Final = 64
"""Portfolio and strategy names: they are keys of every table and label of every metric."""

QUANTITY_MAX: Final = 10**24
"""No quantity or price of any market comes near it; above it, input is noise."""

BOOK_DEPTH_ROUTED: Final = 50
"""Levels a side that routing looks at: beyond them a market order would breach any collar."""

MONEY_SCALE_USUAL: Final = 8
"""Decimals of money where no portfolio says otherwise: what the exchanges book with."""

EQUITY_SAMPLE_NS: Final = 1_000_000_000
"""How often equity is sampled for drawdown and daily loss: once a second of the core's time."""

EQUITY_RECORD_NS: Final = 60_000_000_000
"""How often a changed equity is journalled: a curve of minutes for drawdown, returns and charts."""

VENUE_ENTRIES_KEPT: Final = 100_000
"""Funding payments and liquidations remembered so that none is booked twice (3 a day each)."""

"""Every bound of the core, in one place, each with its reason."""

from typing import Final

CLOSED_ORDERS_KEPT: Final = 10_000
"""Closed orders kept in memory so that late evidence finds them; older ones live in the journal."""

CLIENT_TAG_LENGTH_MAX: Final = 64
"""A caller's own id is stored and indexed; 64 characters hold a UUID with a prefix."""

CLIENT_TAGS_KEPT: Final = 100_000
"""Callers' ids remembered: one that comes again among so many is refused, as a request repeated.
At the most orders a day that the default limits allow, that is two days; nobody repeats later."""

NAME_LENGTH_MAX: Final = 64
"""Names of portfolios, strategies, venues and symbols: keys of every table, labels of metrics."""

ASSET_LENGTH_MAX: Final = 32
"""Names of assets, which the tables keep in as many characters."""

VENUE_ID_LENGTH_MAX: Final = 128
"""A venue's trade ids are keys of a table; the longest we know have 36 characters (UUIDs)."""

AMOUNT_MAX: Final = 10**17
"""In whole units: no price, quantity or sum of money of any market comes near it; above it, input
is noise. The tables' numbers go three digits further (NUMERIC(38,18)), for what adds up."""

LEVERAGE_MAX: Final = 1_000
"""No venue offers more; above it, it is a mistake in the unit."""

BOOK_DEPTH_ROUTED: Final = 50
"""Levels a side that routing looks at: beyond them a market order would breach any collar."""

MONEY_SCALE_USUAL: Final = 8
"""Decimals of money where no portfolio says otherwise: what the exchanges book with."""

EQUITY_SAMPLE_NS: Final = 1_000_000_000
"""How often equity is sampled for drawdown and daily loss: once a second of the core's time."""

EQUITY_RECORD_NS: Final = 60_000_000_000
"""How often a changed equity is journalled: a curve of minutes for drawdown, returns and charts."""

VENUE_ENTRIES_KEPT: Final = 100_000
"""Funding payments (3 a day each), liquidations and money that moved without us, remembered so that
none is booked twice: months of it, or the busiest day of somebody else's trading on the account.
Venues are read with an overlap of minutes."""

QUARANTINED_KEPT: Final = 10_000
"""What was quarantined remembered so that it is told once: no account has as many open orders."""

SUBJECT_LENGTH_MAX: Final = 320
"""What was quarantined is kept in memory: a portfolio, a venue, an asset and a venue's id fit."""

DRIFT_READINGS: Final = 3
"""Readings of a venue's books in a row that must differ alike before it is drift: they are seconds
apart, and what was on its way at one has arrived at the next."""

DRIFT_SUBJECTS_MAX: Final = 1_000
"""Differences watched a venue; when more differ, what is wrong is not any one of them."""

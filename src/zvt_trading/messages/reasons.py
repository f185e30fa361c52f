"""Why something was refused, rejected, cancelled or halted: one closed list.

The order of the members is the precedence: when several checks of the gate fail, the smallest code
is reported. Codes are stored in journals, so a member is never renumbered or reused.
"""

from enum import IntEnum


class Reason(IntEnum):
    """A closed, ordered list; `name.lower()` is the public reason code."""

    NONE = 0
    # What was asked does not name things that exist.
    UNKNOWN_PORTFOLIO = 100
    UNKNOWN_INSTRUMENT = 101
    UNKNOWN_ORDER = 102
    UNKNOWN_ASSET = 103
    DUPLICATE_PORTFOLIO = 104
    DUPLICATE_INSTRUMENT = 105
    DUPLICATE_CLIENT_ID = 106
    ID_TOO_LONG = 107
    # The shape of the order is wrong.
    INVALID_SIDE = 110
    INVALID_ORDER_TYPE = 111
    INVALID_TIME_IN_FORCE = 112
    INVALID_QUANTITY = 113
    INVALID_PRICE = 114
    PRICE_MISSING = 115
    PRICE_NOT_ALLOWED = 116
    TRIGGER_MISSING = 117
    TRIGGER_NOT_ALLOWED = 118
    INVALID_TRIGGER = 119
    INVALID_TRAILING_OFFSET = 120
    EXPIRE_TIME_MISSING = 121
    EXPIRE_TIME_PAST = 122
    POST_ONLY_NOT_ALLOWED = 123
    INVALID_LIST = 124
    INVALID_AMOUNT = 125
    INVALID_LIMIT = 126
    LIMIT_LOOSER = 127
    INVALID_LEVERAGE = 128
    INVALID_SPEC = 129
    INVALID_SCOPE = 130
    # The instrument's filters.
    PRICE_TICK = 140
    PRICE_MIN = 141
    PRICE_MAX = 142
    QUANTITY_LOT = 143
    QUANTITY_MIN = 144
    QUANTITY_MAX = 145
    NOTIONAL_MIN = 146
    # Trading state.
    TRADING_HALTED = 200
    TRADING_REDUCING = 201
    VENUE_UNHEALTHY = 202
    COOL_DOWN = 203
    RECOVERING = 204
    STORE_UNAVAILABLE = 205
    # Market data.
    NO_REFERENCE_PRICE = 210
    STALE_DATA = 211
    BOOK_INVALID = 212
    BOOK_CROSSED = 213
    PRICE_COLLAR = 214
    # Size, position, exposure.
    MAX_ORDER_QUANTITY = 220
    MAX_ORDER_NOTIONAL = 221
    MAX_OPEN_ORDERS = 222
    MAX_POSITION_QUANTITY = 223
    MAX_POSITION_NOTIONAL = 224
    MAX_EXPOSURE = 225
    MAX_ALLOCATION = 226
    MAX_LEVERAGE = 227
    REDUCE_ONLY = 228
    # Pace and pattern.
    RATE_SECOND = 240
    RATE_HOUR = 241
    RATE_DAY = 242
    DUPLICATE_INTENT = 243
    REPEATED_EXECUTION = 244
    SELF_CROSS = 245
    # Loss.
    DAILY_LOSS = 250
    DRAWDOWN = 251
    # Money.
    INSUFFICIENT_BALANCE = 260
    INSUFFICIENT_MARGIN = 261
    NO_ROUTE = 270
    # Requests about a live order.
    ORDER_CLOSED = 300
    REQUEST_PENDING = 301
    AMEND_NOT_SUPPORTED = 302
    AMEND_NO_CHANGE = 303
    AMEND_BELOW_FILLED = 304
    # The venue said no, or nothing was sent.
    VENUE_REJECTED = 400
    VENUE_FILTER = 401
    VENUE_BALANCE = 402
    VENUE_POST_ONLY = 403
    VENUE_FILL_OR_KILL = 404
    VENUE_REDUCE_ONLY = 405
    VENUE_DUPLICATE_ID = 406
    VENUE_RATE_LIMIT = 407
    VENUE_UNKNOWN_ORDER = 408
    VENUE_NO_LIQUIDITY = 409
    NOT_SENT = 420
    ABSENCE_PROVEN = 421
    OUTCOME_UNKNOWN = 422
    # Why an order was taken back.
    USER = 500
    CANCEL_ALL = 501
    KILL_SWITCH = 502
    STRATEGY_STOPPED = 503
    LIST_SIBLING = 504
    LIST_PARENT = 505
    IMMEDIATE_OR_CANCEL = 506
    TIME_EXPIRED = 507
    LIQUIDATION = 508
    VENUE_CANCELLED = 509
    # Why the trading state changed by itself.
    OPERATOR = 600
    INVARIANT_BROKEN = 601
    STORE_FAILED = 602
    RECONCILIATION_DRIFT = 603
    # Why money moved at a venue without an order or command of ours.
    EXTERNAL_DEPOSIT = 700
    EXTERNAL_WITHDRAWAL = 701
    MANUAL_TRADE = 702
    UNEXPLAINED = 703
    # What else a venue's account shows that is not of our doing.
    FOREIGN_ORDER = 710
    ORPHANED_ORDER = 711
    LOST_ORDER = 712


TRANSIENT = frozenset(
    {
        Reason.STALE_DATA,
        Reason.BOOK_INVALID,
        Reason.BOOK_CROSSED,
        Reason.NO_REFERENCE_PRICE,
        Reason.VENUE_UNHEALTHY,
        Reason.RATE_SECOND,
        Reason.RATE_HOUR,
        Reason.RATE_DAY,
        Reason.DUPLICATE_INTENT,
        Reason.REQUEST_PENDING,
        Reason.VENUE_RATE_LIMIT,
        Reason.NOT_SENT,
        Reason.NO_ROUTE,
        Reason.COOL_DOWN,
        Reason.RECOVERING,
        Reason.STORE_UNAVAILABLE,
    }
)
"""Reasons after which the same request may succeed later without being changed."""

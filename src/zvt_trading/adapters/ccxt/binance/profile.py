"""The facts of Binance, from its documentation: https://developers.binance.com/docs."""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Profile, Refusals
from zvt_trading.messages.reasons import Reason

RECV_WINDOW_MS: Final = 5_000
"""`recvWindow` of every signed request: later than that the exchange refuses it (-1021)."""

_BALANCE: Final = (
    "-2018",  # futures: balance not sufficient
    "-2019",  # futures: margin not sufficient
)
_FILTER: Final = (
    "-1013",  # filter failure: LOT_SIZE, PRICE_FILTER, NOTIONAL, PERCENT_PRICE, market closed
    "-1111",  # precision over the maximum of this asset
    "-4001",  # futures: price less than zero
    "-4002",  # futures: price greater than max
    "-4003",  # futures: quantity less than zero
    "-4004",  # futures: quantity less than min
    "-4005",  # futures: quantity greater than max
    "-4013",  # futures: price less than min
    "-4014",  # futures: price not increased by tick size
    "-4016",  # futures: price higher than multiplier cap
    "-4023",  # futures: quantity not increased by step size
    "-4024",  # futures: price lower than multiplier floor
    "-4131",  # futures: counterparty's best price does not meet PERCENT_PRICE
    "-4164",  # futures: notional below the minimum
)
_OTHER: Final = (
    "-1002",  # not authorized
    "-1014",  # unsupported order combination
    "-1020",  # unsupported operation
    "-1021",  # timestamp outside of recvWindow
    "-1022",  # signature not valid
    "-1100",  # illegal characters in a parameter
    "-1101",  # too many parameters
    "-1102",  # mandatory parameter missing or malformed
    "-1103",  # unknown parameter
    "-1104",  # not all parameters were read
    "-1105",  # parameter empty
    "-1106",  # parameter not required
    "-1108",  # parameter overflow (spot), asset invalid (futures)
    "-1114",  # timeInForce not required
    "-1115",  # invalid timeInForce
    "-1116",  # invalid orderType
    "-1117",  # invalid side
    "-1118",  # new client order id was empty
    "-1121",  # invalid symbol
    "-1128",  # combination of optional parameters invalid
    "-1130",  # invalid data for a parameter
    "-1131",  # recvWindow must be less than 60000
    "-2014",  # API-key format invalid
    "-2015",  # invalid API-key, IP, or permissions
    "-2023",  # futures: user in liquidation mode
    "-2025",  # futures: maximum of open orders reached
    "-2027",  # futures: position beyond the maximum at this leverage
    "-2028",  # futures: leverage smaller than permitted
    "-4061",  # futures: position side does not match the setting
    "-2038",  # spot: the amend is rejected
    "-4140",  # futures: symbol status does not allow opening
    "-5026",  # futures: too many amends of this order
    "-5028",  # futures: the matching engine's own recvWindow is over
    "-5040",  # futures: goodTillDate
)

REFUSALS: Final = Refusals(
    # https://developers.binance.com/docs/binance-spot-api-docs/errors and
    # https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code.
    # Not here, as the order may have been taken: -1000 and -1001 (inner errors), -1006 (unexpected
    # answer), -1007 (timeout, "execution status unknown"), -1008 (overloaded), -1016; and
    # "Duplicate order sent." (-2010) and -4116: that an id is in use proves that such an order is.
    codes={
        **dict.fromkeys(_BALANCE, Reason.VENUE_BALANCE),
        **dict.fromkeys(_FILTER, Reason.VENUE_FILTER),
        **dict.fromkeys(_OTHER, Reason.VENUE_REJECTED),
        "-1003": Reason.VENUE_RATE_LIMIT,  # too much request weight, or banned
        "-1015": Reason.VENUE_RATE_LIMIT,  # too many new orders
        "-2020": Reason.VENUE_NO_LIQUIDITY,  # futures: unable to fill
        "-2022": Reason.VENUE_REDUCE_ONLY,  # futures: reduceOnly order is rejected
        "-4118": Reason.VENUE_REDUCE_ONLY,  # futures: reduceOnly margin check failed
        "-5021": Reason.VENUE_FILL_OR_KILL,  # futures: FOK could not be filled
        "-5022": Reason.VENUE_POST_ONLY,  # futures: GTX would take
        "INSUFFICIENT_BALANCE": Reason.VENUE_BALANCE,  # why an order event says REJECTED
    },
    # -2010 is every refusal of the matching engine; only these texts are known to end there. ccxt
    # drops the code of a message that it knows by heart, so each is listed without a code too.
    texts={
        (code, text): reason
        for code in ("-2010", "")
        for text, reason in (
            ("account has insufficient balance", Reason.VENUE_BALANCE),
            ("order would immediately match and take", Reason.VENUE_POST_ONLY),
            ("order book liquidity is less than", Reason.VENUE_NO_LIQUIDITY),
            ("market is closed", Reason.VENUE_REJECTED),
            ("not permitted for this account", Reason.VENUE_REJECTED),
            ("restricted for this account", Reason.VENUE_REJECTED),
            ("this action is disabled on this account", Reason.VENUE_REJECTED),
            ("this account may not place or cancel orders", Reason.VENUE_REJECTED),
            ("rest api trading is not enabled", Reason.VENUE_REJECTED),
            ("order amount is above the maximum", Reason.VENUE_FILTER),
        )
    },
    order_gone=frozenset(
        {
            "-2011",  # unknown order sent
            "-2013",  # order does not exist
            "-2026",  # spot: the order is archived
        }
    ),
)

PROFILE: Final = Profile(
    name="binance",
    client_id_rule=r"[A-Za-z0-9_-]{1,36}",  # spot's; futures allow more
    refusals=REFUSALS,
    validity_ms=RECV_WINDOW_MS,
    read_lag_ms=1_000,  # "data source: memory => database"
    duplicate_ids="refused while open",
    amend=True,  # of perpetuals; spot only takes a smaller quantity
    amend_keeps_id=True,
    stops_held_by_venue=False,  # it would hold them, this adapter does not send them
    batch=True,
    dead_man_switch=True,
    self_trade_prevention=True,
    market_buy_by_quote=False,
    perpetuals=True,
    fees_in="received",
    orders_per_second=10,  # spot: 100 in 10 s
    cancels_reserved_per_second=3,
    requests_per_second=20,
    source="https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits",
)

"""The facts of Bybit, from its documentation: https://bybit-exchange.github.io/docs/v5/intro."""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Profile, Refusals
from zvt_trading.messages.reasons import Reason

_BALANCE: Final = (
    "110004",  # wallet balance is insufficient
    "110006",  # the assets are estimated to be unable to cover the position margin
    "110007",  # available balance is insufficient
    "110012",  # insufficient available balance
    "110044",  # available margin is insufficient
    "110045",  # wallet balance is insufficient
    "110051",  # balance cannot cover the lowest price of the market
    "110052",  # balance is insufficient to set a price
    "110053",  # balance cannot cover the market price and the upper limit price
    "170033",  # margin: insufficient balance
    "170131",  # balance insufficient
)
_FILTER: Final = (
    "110003",  # price exceeds the allowable range
    "110094",  # notional below the lower limit
    "170124",  # order amount too large
    "170132",  # price too high
    "170133",  # price below the minimum
    "170134",  # price: too many decimals
    "170135",  # quantity too large
    "170136",  # quantity below the minimum
    "170137",  # quantity: too many decimals
    "170140",  # value below the minimum
    "170148",  # market order amount: too many decimals
    "170192",  # price cannot be higher than ...
    "170193",  # buy price cannot be higher than ...
    "170194",  # sell price cannot be lower than ...
)
_OTHER: Final = (
    "10001",  # request parameter error
    "10002",  # the request time is outside of the receive window
    "10003",  # API key is invalid
    "10004",  # signature is wrong
    "10005",  # permission denied
    "10009",  # IP is banned
    "10010",  # IP does not match
    "10024",  # compliance rules triggered
    "10027",  # trading is banned
    "10028",  # for unified accounts only
    "10029",  # symbol is not in the whitelist
    "110020",  # more than 500 active orders
    "110021",  # open interest exceeded
    "110023",  # only reductions are allowed
    "170115",  # invalid timeInForce
    "170116",  # invalid orderType
    "170117",  # invalid side
    "170121",  # invalid symbol
    "170130",  # data sent for a parameter is not valid
    "170151",  # the pair is not open yet
    "170157",  # the pair is not available for API trading
    "170201",  # the account is restricted
    "170217",  # only LIMIT-MAKER orders for this pair
)

REFUSALS: Final = Refusals(
    # https://bybit-exchange.github.io/docs/v5/error. Not here, as the order may have been taken:
    # 10000, 10016, 110079, 170001, 170007, 170032, 170035, 170146, 170147, 170149, 170234 (timeouts
    # and inner errors), 429, 10429 and 170222 (limits somewhere behind the gateway), and 110072 and
    # 170141: that an id is in use already proves that an order of this id exists.
    codes={
        **dict.fromkeys(_BALANCE, Reason.VENUE_BALANCE),
        **dict.fromkeys(_FILTER, Reason.VENUE_FILTER),
        **dict.fromkeys(_OTHER, Reason.VENUE_REJECTED),
        "110017": Reason.VENUE_REDUCE_ONLY,  # reduce-only rule not satisfied
        "170218": Reason.VENUE_POST_ONLY,  # the LIMIT-MAKER order is rejected due to its price
        # What an order ends with that was taken and then refused, before any execution.
        "EC_PostOnlyWillTakeLiquidity": Reason.VENUE_POST_ONLY,
        "EC_CancelForNoFullFill": Reason.VENUE_FILL_OR_KILL,
        "10006": Reason.VENUE_RATE_LIMIT,  # too many visits of this user
        "10018": Reason.VENUE_RATE_LIMIT,  # too many requests from this address
        "170005": Reason.VENUE_RATE_LIMIT,  # too many new orders
    },
    order_gone=frozenset(
        {
            "110001",  # order does not exist
            "110008",  # order has been completed or cancelled
            "110010",  # order has been cancelled
            "170139",  # order has been filled
            "170142",  # order has been cancelled
            "170143",  # cannot be found on the order book
            "170190",  # cancelling has been finished
            "170213",  # order does not exist
        }
    ),
)

PROFILE: Final = Profile(
    name="bybit",
    client_id_rule=r"[A-Za-z0-9_-]{1,36}",
    refusals=REFUSALS,
    validity_ms=5_000,  # its default recv_window, which `settings` sends
    read_lag_ms=3_000,  # answers only say that a request was taken; the rest is asynchronous
    duplicate_ids="refused",
    amend=True,
    amend_keeps_id=True,
    stops_held_by_venue=False,  # it would hold them, this adapter does not send them
    batch=True,
    dead_man_switch=True,
    self_trade_prevention=True,
    market_buy_by_quote=True,
    perpetuals=True,
    fees_in="received",
    orders_per_second=10,  # of derivatives; spot has 20
    cancels_reserved_per_second=10,  # limits are by endpoint: cancels have their own
    requests_per_second=50,
    source="https://bybit-exchange.github.io/docs/v5/rate-limit",
)

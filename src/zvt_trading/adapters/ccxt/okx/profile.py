"""The facts of OKX, as data. Codes: https://www.okx.com/docs-v5/en/#error-code."""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Profile, Refusals
from zvt_trading.messages.reasons import Reason

CANCEL_SOURCE: Final = "cancelSource "
"""Before the number that says who ended an order, as OrderView.reason has it."""
POST_ONLY_SOURCE: Final = CANCEL_SOURCE + "31"  # it would have taken liquidity
FILL_OR_KILL_SOURCE: Final = CANCEL_SOURCE + "13"  # it could not be filled completely
NO_SUCH_ORDER: Final = "51603"

# A request that OKX's gate refused, before any order was made of it: key, signature, clock,
# permission, body. 50011 and 50061 are limits that the gate applies.
# Not here, since an order may have been made: 50001 (upgrading), 50004 (timeout, "does not
# indicate success or failure of order"), 50013 and 50026 (busy, system error), 1 and 2 (look at
# the row). Nor 51016 (the client order id exists): our ids are sent once, so if it exists the order
# is there.
_GATE: Final = {
    **dict.fromkeys(("50011", "50061"), Reason.VENUE_RATE_LIMIT),
    **dict.fromkeys(
        (
            "50000", "50002", "50006", "50007", "50012", "50014", "50016", "50024", "50027",
            "50100", "50101", "50102", "50103", "50104", "50105", "50106", "50107", "50110",
            "50111", "50112", "50113", "50114", "50120",
        ),
        Reason.VENUE_REJECTED,
    ),
}  # fmt: skip

# "Trade class" of the error list: what is wrong with the order itself.
_ORDER: Final = {
    **dict.fromkeys(
        (
            "51000", "51001", "51002", "51003", "51009", "51010", "51012", "51015", "51021",
            "51022", "51024", "51025", "51027", "51028", "51029", "51030", "51110", "51124",
            "51155", "51174", "51204",
        ),
        Reason.VENUE_REJECTED,
    ),
    **dict.fromkeys(
        (
            "51004", "51005", "51006", "51007", "51020", "51031", "51100", "51101", "51102",
            "51103", "51104", "51105", "51106", "51107", "51116", "51118", "51120", "51121",
            "51122", "51129", "51137", "51138", "51185", "51201", "51202", "51203",
        ),
        Reason.VENUE_FILTER,
    ),
    **dict.fromkeys(("51008", "51119", "51127", "51131"), Reason.VENUE_BALANCE),
    **dict.fromkeys(("51023", "51112", "51169", "51205"), Reason.VENUE_REDUCE_ONLY),
    "51109": Reason.VENUE_NO_LIQUIDITY,
    POST_ONLY_SOURCE: Reason.VENUE_POST_ONLY,
    FILL_OR_KILL_SOURCE: Reason.VENUE_FILL_OR_KILL,
}  # fmt: skip

# Amends that left the order as it was.
_AMEND: Final = {
    "51500": Reason.VENUE_REJECTED,
    "51502": Reason.VENUE_BALANCE,
    "51506": Reason.VENUE_REJECTED,
    "51508": Reason.VENUE_REJECTED,
    "51511": Reason.VENUE_POST_ONLY,
}

PROFILE: Final = Profile(
    name="okx",
    client_id_rule=r"[A-Za-z0-9]{1,32}",
    refusals=Refusals(
        codes={**_GATE, **_ORDER, **_AMEND},
        order_gone=frozenset({"51400", "51401", "51402", "51503", "51509", "51510", NO_SUCH_ORDER}),
    ),
    validity_ms=30_000,  # a request's OK-ACCESS-TIMESTAMP may be so old (50102 beyond)
    read_lag_ms=2_000,
    duplicate_ids="refused",
    amend=True,
    amend_keeps_id=True,
    stops_held_by_venue=False,  # algo orders have ids of their own: the engine holds stops
    batch=True,
    dead_man_switch=True,  # /trade/cancel-all-after
    self_trade_prevention=True,
    market_buy_by_quote=True,  # tgtCcy=quote_ccy unless told; ours are bounded limit orders
    perpetuals=True,
    fees_in="received",
    # /trade/batch-orders and its like: 300 orders in 2 s; less, to leave room for others' keys.
    orders_per_second=100,
    cancels_reserved_per_second=20,
    requests_per_second=20,  # /trade/order, /trade/fills: 60 in 2 s
    source="https://www.okx.com/docs-v5/en/",
)

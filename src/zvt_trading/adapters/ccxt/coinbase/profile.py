"""The facts about Coinbase as data. Each code of the table is one that a documented answer gives.

Sources, below https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/:
NewOrderFailureReason and PreviewFailureReason in `create-order` ("success": false means that the
order was not created), EditOrderFailureReason in `edit-order`, the failure reasons of a cancel in
`cancel-order`.
"""

from typing import Final

from zvt_trading.adapters.ccxt.dialect import Profile, Refusals
from zvt_trading.messages.reasons import Reason

# Not in the table, because they prove nothing: UNKNOWN_FAILURE_REASON, INTERNAL, UNKNOWN,
# RESOURCE_EXHAUSTED (any layer behind the gate may run out), every 5xx; and
# DUPLICATE_CLIENT_ORDER_ID, which proves that an order with this id IS there.
_NEW_ORDER: Final = {
    "UNSUPPORTED_ORDER_CONFIGURATION": Reason.VENUE_REJECTED,
    "INVALID_SIDE": Reason.VENUE_REJECTED,
    "INVALID_PRODUCT_ID": Reason.VENUE_REJECTED,
    "INVALID_SIZE_PRECISION": Reason.VENUE_FILTER,
    "INVALID_PRICE_PRECISION": Reason.VENUE_FILTER,
    "INSUFFICIENT_FUND": Reason.VENUE_BALANCE,
    "INSUFFICIENT_FUNDS": Reason.VENUE_BALANCE,
    "INVALID_LEDGER_BALANCE": Reason.VENUE_BALANCE,
    "ORDER_ENTRY_DISABLED": Reason.VENUE_REJECTED,
    "INELIGIBLE_PAIR": Reason.VENUE_REJECTED,
    "INVALID_LIMIT_PRICE_POST_ONLY": Reason.VENUE_POST_ONLY,
    "INVALID_LIMIT_PRICE": Reason.VENUE_FILTER,
    "LIMIT_PRICE_TOO_FAR_FROM_MARKET": Reason.VENUE_FILTER,
    "INVALID_NO_LIQUIDITY": Reason.VENUE_NO_LIQUIDITY,
    "INVALID_REQUEST": Reason.VENUE_REJECTED,
    "COMMANDER_REJECTED_NEW_ORDER": Reason.VENUE_REJECTED,
    "UNTRADABLE_PRODUCT": Reason.VENUE_REJECTED,
    "GEOFENCING_RESTRICTION": Reason.VENUE_REJECTED,
    "FOK_DISABLED": Reason.VENUE_REJECTED,
    "POST_ONLY_NOT_ALLOWED_WITH_FOK": Reason.VENUE_REJECTED,
    "END_TIME_TOO_FAR_IN_FUTURE": Reason.VENUE_REJECTED,
}
_PREVIEW: Final = {
    "PREVIEW_INVALID_SIDE": Reason.VENUE_REJECTED,
    "PREVIEW_INVALID_ORDER_CONFIG": Reason.VENUE_REJECTED,
    "PREVIEW_INVALID_PRODUCT_ID": Reason.VENUE_REJECTED,
    "PREVIEW_INVALID_SIZE_PRECISION": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_PRICE_PRECISION": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_QUOTE_SIZE_PRECISION": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_PRICE_TOO_LARGE": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_LIMIT_PRICE": Reason.VENUE_FILTER,
    "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY": Reason.VENUE_POST_ONLY,
    "PREVIEW_INVALID_NO_LIQUIDITY": Reason.VENUE_NO_LIQUIDITY,
    "PREVIEW_INSUFFICIENT_FUND": Reason.VENUE_BALANCE,
    "PREVIEW_INSUFFICIENT_LEDGER_BALANCE": Reason.VENUE_BALANCE,
    "PREVIEW_INVALID_LEDGER_BALANCE": Reason.VENUE_BALANCE,
}
_EDIT: Final = {
    "COMMANDER_REJECTED_EDIT_ORDER": Reason.VENUE_REJECTED,
    "CANNOT_EDIT_TO_BELOW_FILLED_SIZE": Reason.VENUE_FILTER,
    "ONLY_LIMIT_ORDER_EDITS_SUPPORTED": Reason.VENUE_REJECTED,
    "ONLY_OPEN_ORDERS_CAN_BE_EDITED": Reason.VENUE_REJECTED,
    "INVALID_EDITED_SIZE": Reason.VENUE_FILTER,
    "INVALID_EDITED_PRICE": Reason.VENUE_FILTER,
    "EDIT_REQUEST_EQUAL_TO_ORIGINAL_REQUEST": Reason.VENUE_REJECTED,
    "EXCEEDED_MAX_ALLOWED_EDIT_REQUEST_COUNT": Reason.VENUE_REJECTED,
    "CANNOT_EDIT_ORDER_PENDING_CANCEL": Reason.VENUE_REJECTED,
}
_REQUEST: Final = {
    # The gate's own words, before anything is done: google.rpc.Code in the error's body.
    "INVALID_ARGUMENT": Reason.VENUE_REJECTED,
    "PERMISSION_DENIED": Reason.VENUE_REJECTED,
}
NOT_FOUND: Final = "NOT_FOUND"

PROFILE: Final = Profile(
    name="coinbase",
    # Any unique text, a UUID is advised; what is within a UUID's letters and length is safe.
    client_id_rule=r"[0-9A-Za-z-]{1,36}",
    refusals=Refusals(
        codes={**_NEW_ORDER, **_PREVIEW, **_EDIT, **_REQUEST},
        order_gone=frozenset(
            {
                NOT_FOUND,
                "not_found",
                "ORDER_NOT_FOUND",  # edit
                "UNKNOWN_CANCEL_ORDER",
                "ORDER_IS_FULLY_FILLED",
            }
        ),
    ),
    validity_ms=15_000,  # `exp` of our JWTs (Client.jwt): so long a late request is still good
    read_lag_ms=5_000,
    duplicate_ids="returned",
    amend=True,
    amend_keeps_id=True,
    stops_held_by_venue=False,  # only stop-limit orders, which is not what a stop promises
    batch=False,  # of cancels only
    dead_man_switch=False,
    self_trade_prevention=True,
    market_buy_by_quote=True,
    perpetuals=False,
    fees_in="quote",
    orders_per_second=30,
    cancels_reserved_per_second=10,
    requests_per_second=30,
    source="https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api",
)

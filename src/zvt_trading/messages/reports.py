"""Reports: what venues tell us about our orders and accounts.

`order_id` is our client order id. Prices and quantities are on the symbol's scale, money on the
asset's scale, times int nanoseconds UTC (`ts` is the venue's time of the fact, 0 when not given).
"""

from msgspec import Struct


class VenueAccepted(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue has the order."""

    order_id: str
    venue_order_id: str
    ts: int


class VenueRejected(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue proved that it did not take the order (`reason` is a Reason 4xx)."""

    order_id: str
    reason: int
    text: str
    ts: int


class SendFailed(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """No byte of the order left: it cannot be at the venue."""

    order_id: str
    text: str
    ts: int


class OutcomeUnknown(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The order may or may not be at the venue (timeout, reset, 5xx, unreadable answer)."""

    order_id: str
    text: str
    ts: int


class AbsenceProven(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Evidence shows that an UNKNOWN order never reached the venue."""

    order_id: str
    text: str
    ts: int


class Fill(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """One execution. `trade_id` is unique per (venue, account, symbol); `fee` > 0 is paid by us."""

    order_id: str
    trade_id: str
    price: int
    quantity: int
    liquidity: int
    fee_asset: str
    fee: int
    ts: int


class VenueCancelled(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The order is no longer working; `filled` is the venue's total filled, -1 when not given."""

    order_id: str
    reason: int
    ts: int
    filled: int = -1


class VenueExpired(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The order's time is over."""

    order_id: str
    ts: int
    filled: int = -1


class CancelFailed(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The cancel request did not succeed; the order's state is what it was."""

    order_id: str
    reason: int
    text: str
    ts: int


class VenueAmended(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue changed the order to this price and total quantity."""

    order_id: str
    price: int
    quantity: int
    ts: int


class AmendFailed(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The amend was refused; the order works on unchanged."""

    order_id: str
    reason: int
    text: str
    ts: int


class FundingPaid(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Funding settled on a position; `amount` > 0 is paid by us, on the settle asset's scale."""

    portfolio: str
    instrument: str
    rate: int
    amount: int
    funding_id: str
    ts: int


class Liquidated(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """The venue closed (part of) a position of ours at the bankruptcy price or better.

    `side` is the side of the closing trade; `insurance` is the loss beyond the margin that the
    venue's insurance fund bore (settle asset, >= 0).
    """

    portfolio: str
    instrument: str
    side: int
    price: int
    quantity: int
    fee: int
    insurance: int
    trade_id: str
    ts: int


class CashMoved(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """Money came to (`amount` > 0, asset units) or left an account, and no order of ours moved it.

    `cause` is EXTERNAL_DEPOSIT, EXTERNAL_WITHDRAWAL, MANUAL_TRADE or UNEXPLAINED (a Reason).
    `reference` is the venue's id of the movement, unique per (portfolio, venue, asset): both sides
    of a trade may have the trade's id, its fee in one of their assets needs one of its own.
    """

    portfolio: str
    venue: str
    asset: str
    amount: int
    cause: int
    reference: str
    text: str
    ts: int


class ForeignActivity(Struct, frozen=True, tag=True, tag_field="msg", gc=False):
    """A venue's account shows something that is not of our doing, or lacks something that is.

    `kind` is a Reason: FOREIGN_ORDER (somebody else's), ORPHANED_ORDER (with our id prefix, but we
    never recorded it) or LOST_ORDER (ours, and the venue has it no more). `subject` is the order's
    id, ours where it has one.
    """

    venue: str
    subject: str
    kind: int
    text: str
    ts: int


Report = (
    VenueAccepted
    | VenueRejected
    | SendFailed
    | OutcomeUnknown
    | AbsenceProven
    | Fill
    | VenueCancelled
    | VenueExpired
    | CancelFailed
    | VenueAmended
    | AmendFailed
    | FundingPaid
    | Liquidated
    | CashMoved
    | ForeignActivity
)

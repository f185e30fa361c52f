"""Faults of an emulated exchange: one at a time on demand, or at random by a seeded profile.

A request's fault says whether the request is executed, and what of the answer arrives. A frame's
fault says what becomes of one message of a stream.
"""

from typing import Final

from msgspec import Struct

from zvt_trading.core.rng import Rng

# Of requests: not executed ...
TIMEOUT_BEFORE: Final = "timeout_before"  # never answered
DROP_BEFORE: Final = "drop_before"  # the connection is closed
ERROR_BEFORE: Final = "error_before"  # 503
RATE_LIMIT: Final = "rate_limit"  # 429 with Retry-After
BAN: Final = "ban"  # the exchange's ban, for `ms`
# ... or executed:
TIMEOUT_AFTER: Final = "timeout_after"
DROP_AFTER: Final = "drop_after"
ERROR_AFTER: Final = "error_after"
TRUNCATE: Final = "truncate"  # half of the body
JUNK: Final = "junk"  # 200, not JSON
EMPTY: Final = "empty"  # 200, no body
DELAY: Final = "delay"  # answered after `ms`
HIDE: Final = "hide"  # taken, but queries do not find it for `ms`

REQUEST_KINDS: Final = (
    TIMEOUT_BEFORE,
    DROP_BEFORE,
    ERROR_BEFORE,
    RATE_LIMIT,
    BAN,
    TIMEOUT_AFTER,
    DROP_AFTER,
    ERROR_AFTER,
    TRUNCATE,
    JUNK,
    EMPTY,
    DELAY,
    HIDE,
)
NOT_EXECUTED: Final = REQUEST_KINDS[:5]

# Of frames.
FRAME_DROP: Final = "frame_drop"
FRAME_DUPLICATE: Final = "frame_duplicate"
FRAME_REORDER: Final = "frame_reorder"  # sent after the next one
FRAME_DELAY: Final = "frame_delay"  # and all that follow, by `ms`
FRAME_SILENCE: Final = "frame_silence"  # no data for `ms`; the connection lives
FRAME_DISCONNECT: Final = "frame_disconnect"

FRAME_KINDS: Final = (
    FRAME_DROP,
    FRAME_DUPLICATE,
    FRAME_REORDER,
    FRAME_DELAY,
    FRAME_SILENCE,
    FRAME_DISCONNECT,
)
KINDS: Final = REQUEST_KINDS + FRAME_KINDS

# What a request is for; a fault may be for one of them only.
PLACE: Final = "place"
CANCEL: Final = "cancel"
AMEND: Final = "amend"
QUERY: Final = "query"
OPEN_ORDERS: Final = "open_orders"
FILLS: Final = "fills"
BALANCE: Final = "balance"
POSITIONS: Final = "positions"
MARKET: Final = "market"
OTHER: Final = "other"
# What a frame is of.
PRIVATE: Final = "private"
PUBLIC: Final = "public"

ENDPOINTS: Final = (
    PLACE,
    CANCEL,
    AMEND,
    QUERY,
    OPEN_ORDERS,
    FILLS,
    BALANCE,
    POSITIONS,
    MARKET,
    OTHER,
    PRIVATE,
    PUBLIC,
)


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """One fault; `ms` belongs to those that last. `endpoint` "" is any."""

    kind: str
    endpoint: str = ""
    ms: int = 0
    count: int = 1

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault {self.kind!r}; there are {', '.join(KINDS)}")
        if self.endpoint and self.endpoint not in ENDPOINTS:
            raise ValueError(f"no endpoint {self.endpoint!r}; there are {', '.join(ENDPOINTS)}")
        if self.ms < 0 or self.count < 1:
            raise ValueError(f"ms {self.ms} must be >= 0, count {self.count} >= 1")


class Rate(Struct, frozen=True, forbid_unknown_fields=True):
    """How often a fault happens by itself: `per_10000` of the requests or frames it is for."""

    fault: Fault
    per_10000: int


class Faults:
    """What is to go wrong next. `happened` counts by kind."""

    def __init__(self, seed: int = 0) -> None:
        self.queue: list[Fault] = []
        self.rates: tuple[Rate, ...] = ()
        self.happened: dict[str, int] = {}
        self._rng = Rng(seed)

    def add(self, fault: Fault) -> None:
        """The next `count` requests (or frames) that it is for."""
        self.queue.append(fault)

    def set_profile(self, seed: int, rates: tuple[Rate, ...]) -> None:
        """From now on, at random; no rates: nothing by itself."""
        self._rng = Rng(seed)
        self.rates = rates

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        self.queue.clear()
        self.rates = ()

    def of_request(self, endpoint: str) -> Fault | None:
        """What happens to this request; None: nothing."""
        return self._next(endpoint, REQUEST_KINDS)

    def of_frame(self, stream: str) -> Fault | None:
        """What happens to this frame of a PRIVATE or PUBLIC stream."""
        return self._next(stream, FRAME_KINDS)

    def _next(self, endpoint: str, kinds: tuple[str, ...]) -> Fault | None:
        found = self._queued(endpoint, kinds) or self._drawn(endpoint, kinds)
        if found is not None:
            self.happened[found.kind] = self.happened.get(found.kind, 0) + 1
        return found

    def _queued(self, endpoint: str, kinds: tuple[str, ...]) -> Fault | None:
        for at, fault in enumerate(self.queue):
            if fault.kind in kinds and fault.endpoint in {"", endpoint}:
                if fault.count > 1:
                    self.queue[at] = Fault(fault.kind, fault.endpoint, fault.ms, fault.count - 1)
                else:
                    del self.queue[at]
                return fault
        return None

    def _drawn(self, endpoint: str, kinds: tuple[str, ...]) -> Fault | None:
        for rate in self.rates:
            fault = rate.fault
            is_for_it = fault.kind in kinds and fault.endpoint in {"", endpoint}
            if is_for_it and self._rng.chance(rate.per_10000, 10_000):
                return fault
        return None

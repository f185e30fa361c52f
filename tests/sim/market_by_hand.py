"""Markets moved by hand for the tests of how our orders fill: a recorded one, a generated one."""

from zvt_trading.messages.codes import BUY, GTC, SELL
from zvt_trading.messages.market import BookDelta, BookSnapshot, QuoteTick, TradeTick
from zvt_trading.sim.fills import MatchedMarket, RecordedMarket
from zvt_trading.sim.matcher import Matcher
from zvt_trading.sim.recorded_side import EXPLAIN_NS

ANY_PRICE = 0
ID = "binance:BTC/USDT"
ASKS = ((100, 3), (101, 4), (103, 5))
BIDS = ((99, 3), (98, 4), (96, 5))
LATER = 2 * EXPLAIN_NS
Fills = list[tuple[str, int, int, bool]]


def drained(market: RecordedMarket | MatchedMarket) -> Fills:
    """(order, price, quantity, is maker) of each fill since the last time."""
    fills = [(fill.order_id, fill.price, fill.quantity, fill.is_maker) for fill in market.fills]
    market.fills.clear()
    return fills


class Recording:
    """A recorded market moved by hand: quotes, trades, depth."""

    def __init__(self) -> None:
        self.market = RecordedMarket()
        self.now = 0
        self.update_id = 100

    def quote(self, bid: int, bid_size: int, ask: int, ask_size: int, wait: int = 1) -> Fills:
        self.now += wait
        self.market.on_quote(QuoteTick(ID, bid, bid_size, ask, ask_size, self.now))
        return drained(self.market)

    def trade(self, price: int, size: int, aggressor: int = SELL, wait: int = 1) -> Fills:
        self.now += wait
        self.market.on_trade(TradeTick(ID, price, size, aggressor, self.now))
        return drained(self.market)

    def snapshot(
        self,
        bids: tuple[tuple[int, int], ...] = BIDS,
        asks: tuple[tuple[int, int], ...] = ASKS,
        wait: int = 1,
    ) -> Fills:
        self.now += wait
        self.market.on_book_snapshot(BookSnapshot(ID, bids, asks, self.now, self.update_id))
        return drained(self.market)

    def delta(
        self,
        bids: tuple[tuple[int, int], ...] = (),
        asks: tuple[tuple[int, int], ...] = (),
        skipped: int = 0,
        wait: int = 1,
    ) -> Fills:
        self.now += wait
        self.update_id += 1 + skipped
        number = self.update_id
        self.market.on_book_delta(BookDelta(ID, bids, asks, self.now, number, number))
        return drained(self.market)

    def send(
        self,
        side: int,
        price: int,
        quantity: int,
        tif: int = GTC,
        post_only: bool = False,
        order_id: str = "o",
    ) -> int:
        return self.market.submit(order_id, side, price, quantity, tif, post_only)

    def ahead(self, order_id: str = "o") -> int:
        return self.market.ahead(order_id)


def with_depth() -> Recording:
    recording = Recording()
    recording.snapshot()
    return recording


def with_quotes() -> Recording:
    recording = Recording()
    recording.quote(99, 3, 100, 3)
    return recording


def matched() -> MatchedMarket:
    """A generated market whose book is ASKS and BIDS, each level one order of the flow."""
    matcher = Matcher()
    for number, (price, size) in enumerate(ASKS + BIDS):
        matcher.submit(number, 1, SELL if price >= 100 else BUY, price, size)
    return MatchedMarket(matcher)

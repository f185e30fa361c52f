"""Candles from trades: exact, only whole ones, each once."""

from stream_world import T0

from zvt_trading.core.units import MINUTE, SECOND
from zvt_trading.data.stream_candles import LATE_NS, CandleMaker
from zvt_trading.messages.codes import BUY
from zvt_trading.messages.market import Bar, TradeTick

NAME = "okx:BTC/USDT"
START = T0 + -T0 % MINUTE


def trade(seconds: int, price: int, size: int = 1) -> TradeTick:
    return TradeTick(NAME, price, size, BUY, START + seconds * SECOND)


def bar(minute: int, prices: tuple[int, int, int, int], volume: int) -> Bar:
    opened = START + minute * MINUTE
    return Bar(NAME, *prices, volume, opened, opened + MINUTE)


def maker(began: int = 0) -> CandleMaker:
    made = CandleMaker(NAME, MINUTE)
    made.begin(START + began * SECOND)
    return made


def test_a_candle_is_its_trades() -> None:
    """First, highest, lowest and last price, summed sizes; told by the first trade after it."""
    candles = maker()
    for one in (trade(0, 100, 2), trade(10, 103), trade(20, 98), trade(59, 101, 5)):
        assert candles.take(one) is None
    assert bar(0, (100, 103, 98, 101), 9) == candles.take(trade(60, 70))


def test_a_candle_is_told_by_time_when_nobody_trades() -> None:
    """A second after its end, so that trades on their way are in it; and only once."""
    candles = maker()
    candles.take(trade(5, 100))
    end = START + MINUTE
    assert candles.tick(end + LATE_NS - 1) is None
    assert candles.take(trade(59, 90)) is None
    assert bar(0, (100, 100, 90, 90), 2) == candles.tick(end + LATE_NS)
    assert candles.tick(end + MINUTE) is None


def test_an_interval_without_trades_has_no_candle() -> None:
    """The next one begins where its first trade is."""
    candles = maker()
    candles.take(trade(5, 100))
    assert bar(0, (100,) * 4, 1) == candles.take(trade(200, 110))
    assert bar(3, (110,) * 4, 1) == candles.take(trade(245, 120))


def test_a_trade_of_a_told_candle_is_counted_and_left_out() -> None:
    """What was told is not told differently."""
    candles = maker()
    candles.take(trade(5, 100))
    candles.take(trade(61, 110))
    assert candles.take(trade(59, 1)) is None
    candles.tick(START + 2 * MINUTE + LATE_NS)
    assert candles.take(trade(119, 1)) is None
    assert 2 == candles.late


def test_an_interval_that_was_not_heard_whole_has_no_candle() -> None:
    """The one that the stream begins in, and the one that it was interrupted in."""
    candles = maker(began=30)
    assert candles.take(trade(40, 1)) is None
    assert candles.take(trade(70, 100)) is None  # nothing to tell of the first minute
    candles.begin(START + 90 * SECOND)  # the second minute is broken now
    assert candles.take(trade(100, 1)) is None
    assert candles.take(trade(125, 200)) is None
    assert bar(2, (200,) * 4, 1) == candles.take(trade(190, 3))
    assert 0 == candles.late

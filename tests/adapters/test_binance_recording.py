"""Raw Binance recordings become market messages: exact numbers, one clock, errors with a line."""

import gzip
from collections import Counter
from pathlib import Path

import pytest
from recording_world import BEHIND_NS, EVENT_MS, LOCAL_NS, depth, rest, ticker, trade, write

from zvt_trading.adapters.files.binance_recording import BinanceRecording
from zvt_trading.errors import DataError, SymbolNotFoundError
from zvt_trading.messages.codes import BUY, SELL
from zvt_trading.messages.market import (
    BookDelta,
    BookSnapshot,
    MarketData,
    QuoteTick,
    TradeTick,
)

BTC = "binance:BTC/USDT"
FIRST_TS = LOCAL_NS + BEHIND_NS
BID, ASK = ("100.10", "2.00000"), ("100.20", "3.00000")


def messages(path: Path, *lines: str) -> list[MarketData]:
    return list(BinanceRecording(write(path / "r.gz", lines)))


def deltas(found: list[MarketData]) -> list[tuple[int, int]]:
    return [(m.last_id, m.ts) for m in found if isinstance(m, BookDelta)]


class TestMessages:
    def test_a_ticker_is_a_quote_on_the_symbols_scales(self, tmp_path: Path) -> None:
        found = messages(tmp_path, ticker(7, ("61837.63000000", "3.78826000"), ("61837.64", "1.5")))
        assert [QuoteTick(BTC, 6183763, 3788260, 6183764, 1500000, LOCAL_NS, 7)] == found

    @pytest.mark.parametrize(("maker", "aggressor"), [(True, SELL), (False, BUY)])
    def test_the_aggressor_is_the_one_who_was_not_the_maker(
        self, tmp_path: Path, maker: bool, aggressor: int
    ) -> None:
        found = messages(tmp_path, trade(5, "100.5", "0.02", maker=maker))
        assert [TradeTick(BTC, 10050, 20000, aggressor, FIRST_TS, 5)] == found

    def test_trades_not_made_in_the_book_are_left_out(self, tmp_path: Path) -> None:
        found = messages(
            tmp_path,
            trade(1, "100.5", "1", maker=True, X="MARKET"),
            trade(2, "0", "0", maker=True, X="INSURANCE_FUND"),
        )
        assert ["1"] == [str(m.trade_id) for m in found if isinstance(m, TradeTick)]

    def test_a_snapshot_and_a_diff_keep_their_levels_and_ids(self, tmp_path: Path) -> None:
        found = messages(tmp_path, rest(10, [BID], [ASK]), depth(11, 12, [("100.10", "0.0")], []))
        assert [
            BookSnapshot(BTC, ((10010, 2000000),), ((10020, 3000000),), FIRST_TS, 10),
            BookDelta(BTC, ((10010, 0),), (), FIRST_TS, 11, 12, -1),
        ] == found

    @pytest.mark.parametrize(
        ("line", "instrument"),
        [
            (depth(1, 2), BTC),
            (depth(1, 2, previous=0), f"{BTC}:USDT"),
            (ticker(1, BID, ASK), BTC),
            (ticker(1, BID, ASK, event=EVENT_MS), f"{BTC}:USDT"),
            (trade(1, "100", "1", maker=True), BTC),
            (trade(1, "100", "1", maker=True, X="MARKET"), f"{BTC}:USDT"),
        ],
    )
    def test_the_market_is_seen_from_the_messages_not_the_name(
        self, tmp_path: Path, line: str, instrument: str
    ) -> None:
        assert instrument == BinanceRecording(write(tmp_path / "spot.gz", [line])).instrument

    def test_numbers_are_the_same_when_the_cache_of_texts_is_full(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [ticker(n, (f"{n}.5", "1"), (f"{n}.6", "2")) for n in (1, 2, 1, 3, 1)]
        expected = messages(tmp_path, *lines)
        monkeypatch.setattr("zvt_trading.adapters.files.binance_recording.CACHE_MAX", 2)
        assert expected == messages(tmp_path, *lines)

    def test_an_uncompressed_recording_is_read_too(self, tmp_path: Path) -> None:
        path = tmp_path / "plain.txt"
        path.write_text(ticker(1, BID, ASK) + "\n")
        assert 1 == len(list(BinanceRecording(path)))

    def test_other_streams_and_subscription_answers_are_skipped(self, tmp_path: Path) -> None:
        other = ticker(1, BID, ASK).replace("bookTicker", "kline_1m")
        answer = f'{LOCAL_NS} {{"result":null,"id":1}}'
        nameless = ticker(1, BID, ASK).replace("btcusdt@bookTicker", "heartbeat")
        assert 1 == len(messages(tmp_path, answer, other, nameless, ticker(2, BID, ASK)))


class TestClock:
    def test_no_message_arrives_before_it_was_sent(self, tmp_path: Path) -> None:
        found = messages(
            tmp_path,
            trade(1, "100", "1", maker=True, at=0),
            trade(2, "100", "1", maker=True, at=5),
        )
        assert [FIRST_TS, FIRST_TS + 5_000_000] == [m.ts for m in found]

    def test_the_shift_is_that_of_the_fastest_message(self, tmp_path: Path) -> None:
        # The second message took 3 ms less than the first.
        slow = trade(1, "100", "1", maker=True, at=0)
        fast = trade(2, "100", "1", maker=True, at=5).replace(str(EVENT_MS + 5), str(EVENT_MS + 8))
        found = messages(tmp_path, slow, fast)
        assert [FIRST_TS + 3_000_000, FIRST_TS + 8_000_000] == [m.ts for m in found]

    def test_the_shift_grows_when_the_clock_drifts_on(self, tmp_path: Path) -> None:
        lines = [trade(n, "100", "1", maker=True, at=n) for n in range(1, 1_005)]
        lines.append(
            trade(2_000, "100", "1", maker=True, at=1_005).replace(
                str(EVENT_MS + 1_005), str(EVENT_MS + 1_025)
            )
        )
        lines.append(ticker(9, BID, ASK, at=1_006))
        recording = BinanceRecording(write(tmp_path / "r.gz", lines))
        assert BEHIND_NS == recording.shift_ns
        late, quote = list(recording)[-2:]
        assert (EVENT_MS + 1_025) * 1_000_000 == late.ts
        assert late.ts + 1_000_000 == quote.ts

    def test_time_never_goes_back_when_the_clock_is_set_back(self, tmp_path: Path) -> None:
        found = messages(
            tmp_path, ticker(1, BID, ASK, at=50), ticker(2, BID, ASK, at=20), ticker(3, BID, ASK)
        )
        assert [LOCAL_NS + 50_000_000] * 3 == [m.ts for m in found]

    def test_a_clock_that_is_ahead_is_left_alone(self, tmp_path: Path) -> None:
        line = trade(1, "100", "1", maker=True).replace(str(EVENT_MS), str(EVENT_MS - 2_000))
        assert [LOCAL_NS] == [m.ts for m in messages(tmp_path, line)]

    def test_a_larger_shift_can_be_given(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.gz", [trade(1, "100", "1", maker=True)])
        shifted = BinanceRecording(path, shift_ns=BEHIND_NS + 7)
        assert [FIRST_TS + 7] == [m.ts for m in shifted]


class TestSnapshots:
    def test_diffs_before_the_first_snapshot_follow_it(self, tmp_path: Path) -> None:
        found = messages(
            tmp_path,
            depth(1, 5, at=0),
            depth(6, 12, at=100),
            rest(10, [BID], [ASK], at=150),
            depth(13, 14, at=200),
        )
        assert isinstance(found[0], BookSnapshot)
        at = found[0].ts
        assert [(12, at), (14, FIRST_TS + 200_000_000)] == deltas(found)

    def test_after_a_later_snapshot_the_diffs_after_it_are_repeated(self, tmp_path: Path) -> None:
        found = messages(
            tmp_path,
            rest(10, [BID], [ASK], at=0),
            depth(11, 12, at=1),
            depth(13, 14, at=2),
            rest(12, [BID], [ASK], at=3),
        )
        assert [12, 14, 14] == [last for last, _ in deltas(found)]
        assert sorted(m.ts for m in found) == [m.ts for m in found]

    def test_a_futures_diff_that_ends_at_the_snapshot_links_it_to_the_next(
        self, tmp_path: Path
    ) -> None:
        found = messages(
            tmp_path,
            depth(5, 10, previous=4),
            rest(10, [BID], [ASK]),
            depth(13, 14, previous=10),
        )
        assert [10, 14] == [last for last, _ in deltas(found)]


class TestErrors:
    @pytest.mark.parametrize(
        ("bad", "text"),
        [
            ("no stamp", "malformed"),
            (f"{LOCAL_NS} ", "malformed"),
            (f"{LOCAL_NS} {{", "malformed"),
            (f'{LOCAL_NS} {{"foo":1}}', "lastUpdateId"),
            (depth(1, 2, [("1e5", "1")]), "not a plain decimal"),
            (depth(1, 2, [("NaN", "1")]), "not a plain decimal"),
            (depth(1, 2, [("-1", "1")]), "negative"),
            (depth(1, 2, [("100.001", "1")]), "more than 2 decimals"),
            (depth(1, 2, symbol="ETHUSDT"), "ETHUSDT in a recording of BTCUSDT"),
            (depth(1, 2).replace('"u":2', '"u":"2"'), "malformed"),
            (depth(1, 2).replace('"u":2,', ""), "malformed"),
        ],
    )
    @pytest.mark.parametrize("before", [2, 1_500], ids=["early", "late"])
    def test_a_malformed_line_is_named(
        self, tmp_path: Path, bad: str, text: str, before: int
    ) -> None:
        path = write(tmp_path / "r.gz", [ticker(1, BID, ASK)] * before + [bad])
        with pytest.raises(DataError, match=rf"r\.gz:{before + 1}: .*{text}"):
            list(BinanceRecording(path))

    def test_a_file_cut_off_is_named_with_its_line(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.gz", [ticker(n, BID, (f"{n}.5", "1")) for n in range(1, 9_000)])
        path.write_bytes(path.read_bytes()[:-2_000])
        recording = BinanceRecording(path)
        with pytest.raises(DataError, match=r"r\.gz:\d+: the file is damaged or cut off"):
            list(recording)

    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"none\.gz: cannot be read"):
            BinanceRecording(tmp_path / "none.gz")

    @pytest.mark.parametrize("lines", [[], [rest(1, [BID], [ASK])]])
    def test_a_file_without_streams_is_refused(self, tmp_path: Path, lines: list[str]) -> None:
        path = write(tmp_path / "r.gz", lines)
        with pytest.raises(DataError, match="no depth, bookTicker or trade stream"):
            BinanceRecording(path)

    def test_an_unknown_symbol_says_what_is_known(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.gz", [depth(1, 2, symbol="DOGEUSDT")])
        with pytest.raises(SymbolNotFoundError, match=r"spot DOGEUSDT.*known: binance:BTC/BUSD"):
            BinanceRecording(path)


class TestProgress:
    def test_it_goes_from_nothing_to_the_size_of_the_file(self, tmp_path: Path) -> None:
        path = write(tmp_path / "r.gz", [ticker(1, BID, ASK)] * 3)
        recording = BinanceRecording(path)
        assert (0, path.stat().st_size) == recording.progress()
        list(recording)
        assert (path.stat().st_size, path.stat().st_size) == recording.progress()

    def test_in_between_it_is_the_bytes_read(self, shared_data: Path) -> None:
        recording = BinanceRecording(shared_data / "binance" / "usdm_btcusdt_20240808.gz")
        stream = iter(recording)
        for _ in range(10_000):
            next(stream)
        done, total = recording.progress()
        assert 0 < done < total


@pytest.mark.parametrize(
    ("name", "instrument", "counts"),
    [
        ("spot", BTC, {"BookSnapshot": 1, "QuoteTick": 28_040, "TradeTick": 9_757}),
        ("usdm", f"{BTC}:USDT", {"BookSnapshot": 1, "QuoteTick": 66_089, "TradeTick": 21_313}),
    ],
)
def test_the_recorded_files_are_read_whole(
    shared_data: Path, name: str, instrument: str, counts: dict[str, int]
) -> None:
    """Every ticker and trade of the files (41,249 and 93,954 lines), in time order."""
    path = shared_data / "binance" / f"{name}_btcusdt_20240808.gz"
    recording = BinanceRecording(path)
    assert instrument == recording.instrument
    assert 1_260_000_000 < recording.shift_ns < 1_280_000_000
    seen: Counter[str] = Counter()
    last = 0
    for message in recording:
        assert last <= message.ts
        last = message.ts
        seen[type(message).__name__] += 1
    with gzip.open(path) as file:
        diffs = sum(b"@depth" in line[:60] for line in file)
    held = diffs - seen.pop("BookDelta")  # diffs older than the snapshot
    assert counts == dict(seen)
    assert 0 <= held < 10

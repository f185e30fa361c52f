"""What the recorder writes is what replays read: exact, whole, each file by itself."""

from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from msgspec import ValidationError
from msgspec.structs import replace
from stream_world import T0, Clock, spec

from zvt_trading.adapters.files.merge import open_recordings
from zvt_trading.adapters.files.stream_recording import StreamRecording, recorded_listing
from zvt_trading.core.units import HOUR, SECOND
from zvt_trading.data.recorder import RETRY_NS, Recorder
from zvt_trading.errors import CallerError, DataError
from zvt_trading.messages.codes import BUY, LINEAR
from zvt_trading.messages.market import (
    BookDelta,
    BookInvalid,
    BookSnapshot,
    FundingRate,
    InstrumentSpec,
    MarketData,
    MarkPrice,
    QuoteTick,
    TradeTick,
)
from zvt_trading.messages.recording import (
    RecordingHead,
    decode_head,
    encode_head,
    encode_line,
    is_recording,
)

NAME = "okx:BTC/USDT"
SPECS = {NAME: spec(), "okx:BTC/USDT:USDT": spec(symbol="BTC/USDT:USDT", kind=LINEAR)}

EVERY_KIND = (
    QuoteTick(NAME, 6_000_000, 1, 6_000_001, 2, T0, 7),
    TradeTick(NAME, 6_000_001, 12_345, BUY, T0, 8),
    BookSnapshot(NAME, ((6_000_000, 1), (5_999_900, 3)), ((6_000_001, 2),), T0, 9),
    BookDelta(NAME, ((6_000_000, 0),), (), T0, -1, 10, 9),
    BookInvalid(NAME, T0, "a gap"),
    MarkPrice(NAME, 6_000_002, T0, 6_000_003),
    FundingRate(NAME, -5, 6_000_004, T0),
)


def trade(number: int, instrument: str = NAME) -> TradeTick:
    return TradeTick(instrument, 100, 1, BUY, T0, number)


def recorder(folder: Path, **options: Any) -> Recorder:
    return Recorder(folder, SPECS, clock=Clock(), **options)


def written(folder: Path, *messages: MarketData) -> Path:
    """One file of these, a second apart."""
    made = recorder(folder)
    for number, message in enumerate(messages):
        made.write(message, T0 + number * SECOND)  # type: ignore[arg-type]  # what is recorded
    made.close()
    (path,) = made.files
    return path


def test_every_kind_is_read_as_it_was_heard(tmp_path: Path) -> None:
    """Exactly; its time is when it was heard."""
    path = written(tmp_path, *EVERY_KIND)
    expected = [replace(one, ts=T0 + at * SECOND) for at, one in enumerate(EVERY_KIND)]
    feed = StreamRecording(path)
    assert (0, path.stat().st_size) == feed.progress()
    assert expected == list(feed)
    assert (path.stat().st_size,) * 2 == feed.progress()
    assert SPECS[NAME] == feed.spec


def test_times_in_a_file_do_not_go_back(tmp_path: Path) -> None:
    """A clock that was set back is waited for."""
    made = recorder(tmp_path)
    for ts in (T0 + 5, T0, T0 + 6):
        made.write(trade(1), ts)
    made.close()
    assert [T0 + 5, T0 + 5, T0 + 6] == [one.ts for one in StreamRecording(made.files[0])]


def test_files_are_named_as_replay_wants(tmp_path: Path) -> None:
    """After the instrument and the second of their beginning; a second one of it has a number."""
    made = recorder(tmp_path, file_bytes_max=1)
    for name in (*SPECS, NAME):
        made.write(trade(1, name), T0)
        made.flush()
    made.close()
    assert [
        "okx_BTC-USDT_20231114T221320Z.jsonl",
        "okx_BTC-USDT_perp_20231114T221320Z.jsonl",
        "okx_BTC-USDT_20231114T221320Z_2.jsonl",
    ] == [path.name for path in made.files]


def test_the_next_file_begins_with_the_book(tmp_path: Path) -> None:
    """So that it can be replayed by itself; an invalid book is none."""
    made = recorder(tmp_path, file_ns=HOUR)
    snapshot, delta, invalid = EVERY_KIND[2:5]
    hour = T0 + -T0 % HOUR
    made.write(snapshot, hour - 2)
    made.write(delta, hour - 1)
    made.write(trade(1), hour)
    made.write(invalid, hour + 1)
    made.write(trade(2), hour + HOUR)
    made.close()
    first, second, third = (list(StreamRecording(path)) for path in made.files)
    assert [snapshot, delta] == [replace(one, ts=T0) for one in first]
    book = BookSnapshot(NAME, ((5_999_900, 3),), ((6_000_001, 2),), hour, 10)
    assert [book, replace(trade(1), ts=hour), replace(invalid, ts=hour + 1)] == second
    assert [replace(trade(2), ts=hour + HOUR)] == third
    assert 6 == len(list(open_recordings(made.files)))


def test_a_file_is_whole_or_its_last_line_is_cut(tmp_path: Path) -> None:
    """Wherever a recorder dies, all lines before are read."""
    path = written(tmp_path, trade(1), trade(2), trade(3))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for size in range(len(lines[0]), len(whole) + 1):
        path.write_bytes(whole[:size])
        ends = whole[:size].count(b"\n") - 1
        assert list(range(1, ends + 1)) == [one.trade_id for one in StreamRecording(path)]  # type: ignore[union-attr]  # trades only


def _renamed(whole: bytes) -> bytes:
    head, _, lines = whole.partition(b"\n")
    return head + b"\n" + lines.replace(b"okx:", b"bybit:")


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda whole: whole.replace(b'"TradeTick"', b'"TradeTock"', 1), ":2: malformed line"),
        (lambda whole: whole.replace(b'"price":100', b'"price":"x"', 1), ":2: malformed line"),
        (lambda whole: whole.replace(b"[17", b"\0\0\0", 1), ":2: malformed line"),
        (_renamed, "a message of bybit:BTC/USDT in a file of okx:BTC/USDT"),
        (lambda whole: whole.replace(b'"version":1', b'"version":2', 1), "version 2"),
        (lambda whole: whole[:40], ":1: not the beginning"),
    ],
)  # fmt: skip
def test_damage_elsewhere_is_an_error(damage: Any, text: str, tmp_path: Path) -> None:
    """That names the file and the line."""
    path = written(tmp_path, trade(1), trade(2))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=text):
        list(open_recordings([path]))


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """It is no recording."""
    (tmp_path / "okx_BTC-USDT.jsonl").touch()
    with pytest.raises(DataError, match="empty"):
        StreamRecording(tmp_path / "okx_BTC-USDT.jsonl")


def test_several_venues_are_replayed_on_common_scales(tmp_path: Path) -> None:
    """Numbers mean the same as before."""
    fine = spec("coinbase", price_scale=3, quantity_scale=6)
    path = written(tmp_path, *EVERY_KIND)
    other = tmp_path / "other.jsonl"
    quote = QuoteTick("coinbase:BTC/USDT", 60_000_001, 1_000_000, 60_000_002, 7, T0)
    other.write_bytes(encode_head(fine) + encode_line(T0, quote))
    feed = open_recordings([path, other])
    scales = {(one.price_scale, one.quantity_scale) for one in feed.specs}
    assert {(3, 6)} == scales
    read = {type(one): one for one in feed if getattr(one, "instrument", "") == NAME}
    assert (60_000_000, 100, 60_000_010, 200) == tuple(
        getattr(read[QuoteTick], name) for name in ("bid", "bid_size", "ask", "ask_size")
    )
    assert ((60_000_000, 100), (59_999_000, 300)) == read[BookSnapshot].bids  # type: ignore[union-attr]  # by its key
    assert (60_000_020, 60_000_030) == (read[MarkPrice].price, read[MarkPrice].index_price)  # type: ignore[union-attr]  # by its key
    assert 60_000_040 == read[FundingRate].mark_price  # type: ignore[union-attr]  # by its key
    assert (60_000_010, 1_234_500) == (read[TradeTick].price, read[TradeTick].size)  # type: ignore[union-attr]  # by its key


def test_a_number_that_is_too_fine_is_an_error(tmp_path: Path) -> None:
    """It is not rounded."""
    path = written(tmp_path, EVERY_KIND[0])
    coarse = spec(price_scale=1)
    with pytest.raises(DataError, match="finer than the scale by 1 decimals"):
        list(StreamRecording(path, coarse))


def test_a_recording_is_of_the_instrument_that_it_says(tmp_path: Path) -> None:
    """Not of the one that was asked for."""
    path = written(tmp_path, trade(1))
    with pytest.raises(DataError, match=f"recording of {NAME}, not of bybit:BTC/USDT"):
        StreamRecording(path, spec("bybit"))


def test_the_instrument_is_told_in_human_numbers(tmp_path: Path) -> None:
    """Fees in basis points, bounds in whole units."""
    own = replace(
        spec(), tick=10, lot=2, notional_min=5 * 10**8, maker_fee=-50_000, taker_fee=100_000
    )
    path = tmp_path / "own.jsonl"
    path.write_bytes(encode_head(own) + encode_line(T0, trade(1)))
    listing = recorded_listing(path)
    assert ("0.10", "0.0002", "5.00000000", "-5.0000", "10.0000") == (
        listing.tick, listing.lot, listing.notional_min, listing.maker_fee_bps,
        listing.taker_fee_bps,
    )  # fmt: skip


def test_a_failing_disk_costs_what_it_must(tmp_path: Path) -> None:
    """The error is raised, the loss counted; after a while there is a new file with the book."""
    folder = tmp_path / "there"
    made = recorder(folder)
    snapshot = EVERY_KIND[2]
    folder.rmdir()
    with pytest.raises(OSError, match="No such file"):
        made.write(snapshot, T0)
    made.write(trade(1), T0 + 1)
    assert 2 == made.lost
    folder.mkdir()
    made.write(trade(2), T0 + RETRY_NS)
    made.close()
    (path,) = made.files
    assert [BookSnapshot, TradeTick] == [type(one) for one in StreamRecording(path)]


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has /dev/full")


def fill_the_disk(made: Recorder) -> None:
    """From now on the file of NAME takes no more bytes."""
    file = made._tracks[NAME].file
    assert file is not None
    file._raw.close()
    vars(file)["_raw"] = FileIO("/dev/full", "w")


@needs_full
def test_a_full_disk_ends_the_file(tmp_path: Path) -> None:
    """What was written stays, what waits is lost and counted; later there is another file."""
    made = recorder(tmp_path)
    made.write(trade(1), T0)
    made.flush()
    fill_the_disk(made)
    made.write(trade(2), T0 + 1)
    with pytest.raises(OSError, match="No space left"):
        made.flush()
    made.write(trade(3), T0 + 2)
    made.write(trade(4), T0 + RETRY_NS)
    made.close()
    assert 2 == made.lost
    read = [[one.trade_id for one in StreamRecording(path)] for path in made.files]  # type: ignore[union-attr]  # trades only
    assert [[1], [4]] == read


@needs_full
def test_a_file_that_cannot_be_ended_does_not_keep_the_others_open(tmp_path: Path) -> None:
    """The error is raised when all are closed."""
    made = recorder(tmp_path)
    other = "okx:BTC/USDT:USDT"
    made.write(trade(1), T0)
    made.write(trade(2, other), T0)
    fill_the_disk(made)
    with pytest.raises(OSError, match="No space left"):
        made.close()
    assert 1 == made.lost
    assert [trade(2, other)] == list(StreamRecording(made.files[1]))


@pytest.mark.parametrize("options", [{"file_bytes_max": 0}, {"file_ns": 5}])
def test_files_have_a_size(options: dict[str, int], tmp_path: Path) -> None:
    """At least a byte, and a second."""
    with pytest.raises(CallerError, match="file_bytes_max"):
        recorder(tmp_path, **options)


def test_a_recording_of_another_version_is_refused() -> None:
    """It may mean something else."""
    own: InstrumentSpec = spec()
    head = encode_head(own)
    assert is_recording(head)
    assert RecordingHead(1, own) == decode_head(head)
    with pytest.raises(ValidationError, match="version 9"):
        decode_head(head.replace(b'"version":1', b'"version":9'))

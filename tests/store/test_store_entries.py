"""Events as entries: whatever an event says comes back, and no damage to a journal goes unseen."""

from itertools import pairwise
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints
from zlib import crc32

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_world import TS, as_entries, entries_of, said, simulated

from zvt_trading.messages import codec
from zvt_trading.messages.codec import CodecError, decode_event, encode_event, encode_events
from zvt_trading.messages.events import EngineResumed, Event, OrderFilled
from zvt_trading.ports.store import FIRST_CHECKSUM, DamagedJournalError, Entry, chain_value
from zvt_trading.runtime.entries import Chain, checked

KINDS: Final[tuple[type[Any], ...]] = get_args(Event)
ODD_TEXT: Final = (
    'line\nreturn\r "quoted" \\ back\\\\slash \x00 NUL \x7f ü 漢 😀 \u2028\u2029 \ufeff'
)
HUGE: Final = 2**200 + 1

characters = st.characters(exclude_categories=["Cs"])  # all that UTF-8 can hold
texts = st.text(characters) | st.just(ODD_TEXT)
integers = st.integers() | st.sampled_from([0, -1, 2**63 - 1, 2**63, -(2**63) - 1, HUGE, -HUGE])


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value that a field of this type may have."""
    if hint is int:
        return integers
    if hint is str:
        return texts
    if hint is bool:
        return st.booleans()
    if hint is type(None):
        return st.none()
    if get_origin(hint) is tuple:
        return st.lists(any_of(get_args(hint)[0]), max_size=3).map(tuple)
    if get_origin(hint) in (UnionType, Union):
        return st.one_of([any_of(one) for one in get_args(hint)])
    assert issubclass(hint, msgspec.Struct), hint
    return st.builds(hint, **{name: any_of(one) for name, one in get_type_hints(hint).items()})


class TestCodec:
    """Every event's stored form is read back as the same event."""

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @settings(max_examples=30)
    @given(data=st.data())
    def test_events_come_back(self, kind: type[Any], data: st.DataObject) -> None:
        event = data.draw(any_of(kind))
        body = encode_event(event)
        assert event == decode_event(body)
        assert event == decode_event(body.decode())
        assert kind is type(decode_event(body))
        assert b"\n" not in body

    def test_those_are_all(self) -> None:
        assert len(KINDS) > 35
        assert all(issubclass(kind, msgspec.Struct) for kind in KINDS)

    @pytest.mark.parametrize("number", [2**63, 2**64 + 1, HUGE, -HUGE])
    def test_numbers_beyond_64_bits_are_exact(self, number: int) -> None:
        """Prices times quantities are."""
        fill = OrderFilled(1, TS, "o", "p", "v:s", 1, "t", number, number, 1, "A", number, 0, 0, 0)
        found = decode_event(encode_event(fill))
        assert isinstance(found, OrderFilled)
        assert (number, number, number) == (found.price, found.quantity, found.fee)

    @given(said=st.lists(texts, max_size=8))
    def test_many_at_once_are_each_as_alone(self, said: list[str]) -> None:
        events: list[Event] = [EngineResumed(n, TS, text) for n, text in enumerate(said, 1)]
        bodies, as_text = encode_events(events)
        assert [encode_event(event) for event in events] == bodies
        assert bodies == [text.encode() for text in as_text]

    @pytest.mark.parametrize(
        "body",
        ["", "{", "[]", "null", "{}", '{"msg":"NoSuchEvent","seq":1}', '{"msg":"OrderFilled"}',
         '{"msg":"EngineResumed","seq":"1","ts":1,"text":""}', "\x00"],
    )  # fmt: skip
    def test_what_is_no_event_is_told(self, body: str) -> None:
        with pytest.raises(CodecError, match="not an event of version 1: "):
            decode_event(body)

    def test_a_person_can_read_it(self) -> None:
        """Names of fields are part of the stored form."""
        assert b'{"msg":"EngineResumed","seq":7,"ts":5,"text":"all is well"}' == encode_event(
            EngineResumed(7, 5, "all is well")
        )


class TestVersions:
    """Old bodies are read by steps from each version to the next; bodies are never rewritten."""

    OLD = '{"kind":"EngineResumed","number":3,"ts":9}'

    @pytest.fixture
    def newer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A program of version 3: `number` was renamed, then `kind`, then `text` was added."""

        def rename_number(body: dict[str, Any]) -> dict[str, Any]:
            return {"seq" if name == "number" else name: one for name, one in body.items()}

        def rename_kind(body: dict[str, Any]) -> dict[str, Any]:
            found = {"msg" if name == "kind" else name: one for name, one in body.items()}
            return {**found, "text": "not said then"}

        monkeypatch.setattr(codec, "CODEC_VERSION", 3)
        monkeypatch.setattr(codec, "UPCASTERS", {1: rename_number, 2: rename_kind})

    @pytest.mark.usefixtures("newer")
    def test_an_old_body_goes_through_every_step(self) -> None:
        assert EngineResumed(3, 9, "not said then") == decode_event(self.OLD, 1)

    @pytest.mark.usefixtures("newer")
    def test_a_younger_one_through_the_rest(self) -> None:
        younger = self.OLD.replace("number", "seq")
        assert EngineResumed(3, 9, "not said then") == decode_event(younger.encode(), 2)

    @pytest.mark.usefixtures("newer")
    def test_one_of_today_through_none(self) -> None:
        event = EngineResumed(3, 9, "now")
        assert event == decode_event(encode_event(event), 3)

    @pytest.mark.usefixtures("newer")
    def test_numbers_stay_exact_on_the_way(self) -> None:
        old = self.OLD.replace("9}", f"{HUGE}}}")
        assert EngineResumed(3, HUGE, "not said then") == decode_event(old, 1)

    @pytest.mark.usefixtures("newer")
    def test_a_step_that_gives_no_event_is_told(self) -> None:
        with pytest.raises(CodecError, match="not an event of version 1: Invalid value 'Other'"):
            decode_event('{"kind":"Other","number":3,"ts":9}', 1)

    @pytest.mark.usefixtures("newer")
    def test_an_old_journal_is_checked_and_read(self) -> None:
        """The checksum is over the body as it is stored."""
        body = self.OLD.replace("3", "1")
        checksum = codec_checksum(body, FIRST_CHECKSUM, 1, 1)
        entry = Entry(1, 9, 1, "EngineResumed", 1, body, checksum)
        ((_, event),) = checked([entry], "store", 0, FIRST_CHECKSUM)
        assert EngineResumed(1, 9, "not said then") == event

    @pytest.mark.parametrize("version", [0, -1, 2, 99])
    def test_a_version_that_this_program_does_not_know(self, version: int) -> None:
        with pytest.raises(CodecError, match=rf"version {version} .* reads up to 1: use the pro"):
            decode_event("{}", version)

    def test_in_a_journal_it_is_told_with_its_entry(self) -> None:
        body = encode_event(EngineResumed(1, 9, "")).decode()
        entry = Entry(1, 9, 1, "EngineResumed", 4, body, codec_checksum(body, 0, 1, 4))
        with pytest.raises(DamagedJournalError, match=r"store: entry 1: written in version 4") as e:
            list(checked([entry], "store", 0, FIRST_CHECKSUM))
        assert 1 == e.value.seq


class TestChain:
    """Entries in a row, in any groups."""

    @given(cuts=st.lists(st.integers(0, 12), max_size=6))
    def test_groups_make_no_difference(self, cuts: list[int]) -> None:
        events = said(12)
        chain = Chain(3, 0, FIRST_CHECKSUM)
        edges = [0, *sorted(cuts), 12]
        rows = [row for start, end in pairwise(edges) for row in chain.entries(events[start:end])]
        assert entries_of(events, epoch=3) == rows
        assert (12, rows[-1][6]) == (chain.seq, chain.checksum)

    @pytest.mark.parametrize("seed", range(5))
    def test_a_sound_journal_is_read_as_it_was(self, seed: int) -> None:
        events = simulated(seed)
        entries = as_entries(entries_of(events))
        found = list(checked(entries, "store", 0, FIRST_CHECKSUM))
        assert list(zip(entries, events, strict=True)) == found

    def test_reading_may_begin_anywhere(self) -> None:
        entries = as_entries(entries_of(said(9)))
        found = list(checked(entries[4:], "store", 4, entries[3].checksum))
        assert said(9)[4:] == [event for _, event in found]

    def test_every_epoch_has_its_own_checksums(self) -> None:
        """So that two engines that write the same event are told apart."""
        assert entries_of(said(1), epoch=1)[0][6] != entries_of(said(1), epoch=2)[0][6]

    @given(
        checksum=st.integers(0, 2**32 - 1),
        epoch=st.integers(0, 2**31 - 1),
        other=st.integers(0, 2**31 - 1),
    )
    def test_epochs_begin_differently(self, checksum: int, epoch: int, other: int) -> None:
        first, second = chain_value(checksum, epoch, 1), chain_value(checksum, other, 1)
        assert (first == second) == (epoch == other)
        assert 0 <= first < 2**32


EVENTS: Final = simulated(5)
ENTRIES: Final = as_entries(entries_of(EVENTS))

places = st.integers(0, len(ENTRIES) - 1)


class TestDamage:
    """The first entry that is not what was written is named; those before it are read."""

    @given(at=places, data=st.data())
    def test_a_changed_character(self, at: int, data: st.DataObject) -> None:
        body = ENTRIES[at].body
        place = data.draw(st.integers(0, len(body) - 1))
        other = data.draw(
            st.characters(exclude_categories=["Cs"]).filter(lambda c: c != body[place])
        )
        changed = ENTRIES[at]._replace(body=body[:place] + other + body[place + 1 :])
        assert_found(at, [*ENTRIES[:at], changed, *ENTRIES[at + 1 :]], "is not what was written")

    @given(at=places, data=st.data())
    def test_a_flipped_bit(self, at: int, data: st.DataObject) -> None:
        """As far as it is still text, which databases see to."""
        content = bytearray(ENTRIES[at].body.encode())
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= 1 << data.draw(st.integers(0, 6))
        try:
            changed = ENTRIES[at]._replace(body=content.decode())
        except UnicodeDecodeError:
            return
        assert_found(at, [*ENTRIES[:at], changed, *ENTRIES[at + 1 :]], "is not what was written")

    @given(at=places, cut=st.integers(1, 40))
    def test_a_body_that_is_cut_short(self, at: int, cut: int) -> None:
        changed = ENTRIES[at]._replace(body=ENTRIES[at].body[:-cut])
        assert_found(at, [*ENTRIES[:at], changed, *ENTRIES[at + 1 :]], "is not what was written")

    @pytest.mark.parametrize(
        ("field", "message"),
        [
            ("seq", "is missing: entry"),
            ("ts", "says it is"),
            ("epoch", "is not what was written"),
            ("version", "is not what was written"),
            ("checksum", "is not what was written"),
        ],
    )
    @given(at=places, by=st.integers(-(2**30), 2**30).filter(bool))
    def test_a_changed_number(self, field: str, message: str, at: int, by: int) -> None:
        changed = ENTRIES[at]._replace(**{field: getattr(ENTRIES[at], field) + by})
        assert_found(at, [*ENTRIES[:at], changed, *ENTRIES[at + 1 :]], message)

    @given(at=places, kind=st.sampled_from([one.__name__ for one in KINDS] + ["", "Other"]))
    def test_a_changed_kind(self, at: int, kind: str) -> None:
        if kind == ENTRIES[at].kind:
            return
        changed = ENTRIES[at]._replace(kind=kind)
        assert_found(at, [*ENTRIES[:at], changed, *ENTRIES[at + 1 :]], f"says it is {kind} of")

    @given(at=st.integers(0, len(ENTRIES) - 2))
    def test_a_missing_entry(self, at: int) -> None:
        assert_found(at, ENTRIES[:at] + ENTRIES[at + 1 :], f"is missing: entry {at + 2} comes next")

    @given(at=places, other=places)
    def test_two_that_are_swapped(self, at: int, other: int) -> None:
        if at == other:
            return
        swapped = list(ENTRIES)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        assert_found(min(at, other), swapped, "is missing")

    @given(at=places, other=places)
    def test_two_whose_bodies_are_swapped(self, at: int, other: int) -> None:
        """With all that goes with them but their numbers."""
        if at == other:
            return
        swapped = list(ENTRIES)
        swapped[at] = ENTRIES[other]._replace(seq=at + 1)
        swapped[other] = ENTRIES[at]._replace(seq=other + 1)
        assert_found(min(at, other), swapped, "is not what was written")

    @given(at=st.integers(0, len(ENTRIES) - 2))
    def test_one_that_is_there_twice(self, at: int) -> None:
        twice = [*ENTRIES[: at + 1], *ENTRIES[at:]]
        assert_found(at + 1, twice, f"is missing: entry {at + 1} comes next")

    @given(at=places)
    def test_one_of_another_journal(self, at: int) -> None:
        """Sound in itself, but not chained to what is before it here."""
        other = Chain(1, at, 12_345).entries([EVENTS[at]])
        changed = [*ENTRIES[:at], *as_entries(other), *ENTRIES[at + 1 :]]
        assert_found(at, changed, "is not what was written")

    @given(at=places)
    def test_a_body_of_another_event_with_a_right_checksum(self, at: int) -> None:
        """Whoever could do that: the number in the body is still another."""
        body = encode_event(msgspec.structs.replace(EVENTS[at], seq=at + 100)).decode()
        before = ENTRIES[at - 1].checksum if at else FIRST_CHECKSUM
        forged = ENTRIES[at]._replace(body=body, checksum=codec_checksum(body, before, 1, 1))
        assert_found(at, [*ENTRIES[:at], forged, *ENTRIES[at + 1 :]], f"its body .* {at + 100} of")

    def test_the_message_says_what_to_do(self) -> None:
        with pytest.raises(DamagedJournalError) as caught:
            list(checked(ENTRIES[1:], "sqlite:///a.db", 0, FIRST_CHECKSUM))
        assert str(caught.value).startswith("sqlite:///a.db: entry 1 is missing")
        assert str(caught.value).endswith("Nothing is traded on it; restore a backup")


def assert_found(at: int, entries: list[Entry], message: str) -> None:
    """All before `at` are read, then it is named."""
    read: list[Event] = []
    with pytest.raises(DamagedJournalError, match=message) as caught:
        read.extend(event for _, event in checked(entries, "store", 0, FIRST_CHECKSUM))
    assert at + 1 == caught.value.seq
    assert f"store: entry {at + 1}" in str(caught.value)
    assert list(EVENTS[:at]) == read


def codec_checksum(body: str, before: int, epoch: int, version: int) -> int:
    """Of an entry, worked out here."""
    return crc32(body.encode(), (before + epoch * 0x9E3779B1 + version) % 2**32)

"""API keys that do not show themselves, whatever is done with them."""

import copy
import json
import pickle
import traceback
from collections.abc import Callable

import msgspec
import pytest
from rich.pretty import pretty_repr
from rich.traceback import Traceback
from structlog.tracebacks import ExceptionDictTransformer

from settings_world import KEY, PASSWORD, PEM, SECRET
from zvt_trading.adapters.settings.credentials import LENGTH_MAX, Credentials
from zvt_trading.adapters.settings.errors import KeyStoreError


def keys(**changes: str) -> Credentials:
    """OKX's, which have all three parts."""
    parts = {"key": KEY, "secret": SECRET, "password": PASSWORD} | changes
    return Credentials("okx", "main", source="keyring", **parts)


def assert_nothing_shown(text: str) -> None:
    for secret in (KEY, SECRET, PASSWORD):
        assert secret not in text


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        "{}".format,
        "{!r:>80}".format,
        lambda it: f"{it}",
        lambda it: "%s %r" % (it, it),  # noqa: UP031 - old code formats so
        ascii,
        pretty_repr,
        lambda it: json.dumps({"keys": it}, default=str),
        lambda it: repr({"keys": [it]}),
        lambda it: repr(getattr(it, "__dict__", "")),
    ],
)
def test_no_way_of_showing_them_shows_the_secret(show: Callable[[object], str]) -> None:
    """Nor the key itself, which names the account."""
    assert_nothing_shown(show(keys()))


@pytest.mark.parametrize(
    "write", [json.dumps, pickle.dumps, msgspec.json.encode, msgspec.to_builtins]
)
def test_what_would_write_them_down_refuses(write: Callable[[object], object]) -> None:
    """And says nothing of them."""
    with pytest.raises(TypeError) as caught:
        write(keys())
    assert_nothing_shown(str(caught.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_no_protocol_of_pickle_takes_them(protocol: int) -> None:
    """They would be in a pipe or a file then."""
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps([keys()], protocol)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_the_same(duplicate: Callable[[object], object]) -> None:
    """Nothing of them can be changed."""
    given = keys()
    assert given is duplicate(given)


def failing(given: Credentials) -> None:
    """An error where the keys are a local variable."""
    raise ValueError(given.venue)


def test_a_traceback_with_local_variables_does_not_show_them() -> None:
    """Neither rich's nor structlog's."""
    try:
        failing(keys())
    except ValueError as error:
        dicts = ExceptionDictTransformer(show_locals=True)(
            (type(error), error, error.__traceback__)
        )
        rich = Traceback.extract(type(error), error, error.__traceback__, show_locals=True)
        plain = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert_nothing_shown(f"{dicts} {rich} {''.join(plain.format())}")
    assert "<Credentials okx/main" in "".join(plain.format())


def test_who_needs_them_reads_them() -> None:
    """The venue's client and the log's redaction."""
    given = keys()
    assert (KEY, SECRET, PASSWORD) == (given.key, given.secret, given.password)
    assert (KEY, SECRET, PASSWORD) == given.values()
    assert ("okx", "main", "keyring") == (given.venue, given.account, given.source)


def test_a_long_key_is_told_from_others_by_its_end() -> None:
    """Four characters of a short one would be too much."""
    assert f"...{KEY[-4:]}" == keys().hint
    assert "..." == keys(key="short-key").hint


def test_they_are_kept_as_json_and_read_back() -> None:
    """With nothing lost."""
    read = Credentials.from_json("okx", "main", keys().to_json(), "file")
    assert (keys().values(), "file") == (read.values(), read.source)


@pytest.mark.parametrize("text", ["", "{}", "hunter2", '{"key": "hunter2"}', "[]", "null"])
def test_what_is_no_key_is_refused_and_not_shown(text: str) -> None:
    """Somebody may have put something else there."""
    with pytest.raises(KeyStoreError, match="what is kept for okx/main is no API key") as caught:
        Credentials.from_json("okx", "main", text, "keyring")
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("key", ""),
        ("key", "hun ter2"),
        ("secret", " "),
        ("secret", "hunter2\x00"),
        ("secret", "hunter2\nhunter2"),
        ("password", "hunter2\x07"),
        ("secret", "hunter2" * LENGTH_MAX),
    ],
)
def test_what_no_venue_gives_out_is_refused_and_not_shown(name: str, value: str) -> None:
    """It is half a key, or two."""
    with pytest.raises(KeyStoreError, match=f"okx: the {name} must be 1 to ") as caught:
        keys(**{name: value})
    assert "hunter2" not in str(caught.value)


def test_what_is_no_text_is_refused() -> None:
    """JSON may have a number there."""
    with pytest.raises(KeyStoreError, match="okx: the key must be text, not int"):
        Credentials.from_json("okx", "main", '{"key": 1, "secret": "s", "password": ""}', "x")


def test_okx_needs_its_passphrase() -> None:
    """Without it every request is refused there."""
    with pytest.raises(KeyStoreError, match="okx: its keys have a passphrase, which is missing"):
        keys(password="")
    assert "" == Credentials("binance", "main", KEY, SECRET).password


def test_a_pem_has_its_line_ends_back() -> None:
    """In JSON and in environment variables they are often written as two characters."""
    flat = PEM.replace("\n", "\\n") + "\n"
    assert PEM == Credentials("coinbase", "default", KEY, flat).secret

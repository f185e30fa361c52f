"""Nothing that is logged shows a secret: by value wherever it is, by name whatever it is."""

import json
from decimal import Decimal
from urllib.parse import quote, quote_plus, urlencode

import pytest

from settings_world import KEY, PASSWORD, PEM, SECRET
from zvt_trading.adapters.settings.redaction import HIDDEN, Redactor


def redactor() -> Redactor:
    """One that knows the secrets of a venue."""
    made = Redactor()
    made.add((KEY, SECRET, PASSWORD, PEM))
    return made


def logged(event: dict[str, object]) -> dict[str, object]:
    """What is left of a log line."""
    return dict(redactor()(None, "info", event))


def assert_clean(shown: object) -> None:
    """No secret, and no longer part of one."""
    text = str(shown)
    for secret in (KEY, SECRET, PASSWORD, *PEM.splitlines()[1:-1]):
        assert secret not in text
        assert json.dumps(secret)[1:-1] not in text
        assert quote(secret, safe="") not in text


# By value.


class Odd:
    """Shows a secret by str only; some renderers take repr, some str."""

    def __str__(self) -> str:
        return SECRET

    def __repr__(self) -> str:
        return "<odd>"


@pytest.mark.parametrize("secret", [KEY, SECRET, PASSWORD, PEM])
@pytest.mark.parametrize(
    "form",
    [
        str,
        quote,
        quote_plus,
        lambda it: quote(it, safe=""),
        json.dumps,
        repr,
        lambda it: repr({"a": [it]}),
        lambda it: f"https://api.example.com/order?{urlencode({'x': it})}&y=1",
        lambda it: f"cannot connect: 'wss://stream/ws/{it}'",
        str.encode,
        lambda it: bytearray(it.encode()),
        lambda it: {"a": {"b": [(it,)]}},
        lambda it: {it: 1},
        lambda it: {it},
        ValueError,
        lambda it: ValueError({"headers": {"X": it}}),
    ],
)
def test_a_secret_is_hidden_in_whatever_it_is(form: object, secret: str) -> None:
    """As text, quoted, in containers, in URLs, in exceptions."""
    assert callable(form)
    shown = logged({"event": "x", "detail": form(secret)})
    assert_clean(shown)
    assert HIDDEN in str(shown)


def test_an_object_that_shows_one_by_str_only_is_hidden() -> None:
    """Renderers differ in what they call."""
    assert {"event": "x", "detail": "<odd>"} == logged({"event": "x", "detail": Odd()})


def test_one_line_of_a_pem_is_a_secret() -> None:
    """A parser's error may quote it."""
    line = PEM.splitlines()[1]
    assert f"bad base64: {HIDDEN}!" == redactor().text(f"bad base64: {line}!")


def test_a_private_key_that_nobody_loaded_is_hidden() -> None:
    """It is one by its looks."""
    other = PEM.replace("MHcC", "AAAA").replace("\n", "\\n")
    shown = Redactor().text(f"read {other} from a file")
    assert (
        f"read -----BEGIN EC PRIVATE KEY-----{HIDDEN}-----END EC PRIVATE KEY----- from a file"
        == shown
    )


def test_a_secret_that_begins_with_another_is_hidden_whole() -> None:
    """Whichever was loaded first."""
    made = Redactor()
    made.add(("abcdef", "abcdefgh"))
    made.add(("abcd",))
    assert HIDDEN == made.text("abcdefgh")


def test_loops_and_depth_end_as_text() -> None:
    """A container may contain itself."""
    loop: list[object] = [SECRET]
    loop.append(loop)
    shown = logged({"event": "x", "loop": loop})
    assert_clean(shown)


def test_a_secret_of_digits_is_hidden_as_a_number_too() -> None:
    """Somebody may have parsed it."""
    made = Redactor()
    made.add(("1234567",))
    assert {"event": "x", "n": HIDDEN, "m": 7} == dict(
        made(None, "info", {"event": "x", "n": 1234567, "m": 7})
    )


def test_too_short_a_secret_is_not_searched_for() -> None:
    """It would be found in every other word; no venue gives one out."""
    made = Redactor()
    made.add(("", "abc"))
    assert "abc" == made.text("abc")


# By name.


@pytest.mark.parametrize(
    "name",
    [
        "secret",
        "apiKey",
        "api_key",
        "password",
        "passphrase",
        "signature",
        "X-MBX-APIKEY",
        "OK-ACCESS-SIGN",
        "OK-ACCESS-PASSPHRASE",
        "X-BAPI-SIGN",
        "Authorization",
        "listenKey",
        "privateKey",
        "Cookie",
    ],
)
def test_what_is_called_like_a_secret_is_hidden(name: str) -> None:
    """At every depth, whatever its value is; nobody has to have loaded it."""
    made = Redactor()
    for value in ("unknown", 7, ["unknown"]):
        event = {"event": "x", name: value, "headers": {name: value}}
        expected = {"event": "x", name: HIDDEN, "headers": {name: HIDDEN}}
        assert expected == dict(made(None, "info", event))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "GET /api/v3/order?symbol=BTCUSDT&signature=c8db56825ae7&x=1",
            f"GET /api/v3/order?symbol=BTCUSDT&signature={HIDDEN}&x=1",
        ),
        ("{'X-MBX-APIKEY': 'unknown', 'a': 1}", f"{{'X-MBX-APIKEY': '{HIDDEN}', 'a': 1}}"),
        ('{"sign":"ab+/=","a":1}', f'{{"sign":"{HIDDEN}","a":1}}'),
        ("listenKey=pqia91ma19a5s61cv6a81va", f"listenKey={HIDDEN}"),
        ("authorization: Bearer eyJhbGciOi.JIUzI1.abc-_", f"authorization: Bearer {HIDDEN}"),
        ("postgresql://zvt:pw@db:5432/zvt", f"postgresql://zvt:{HIDDEN}@db:5432/zvt"),
        ("PASSWORD = unknown;", f"PASSWORD = {HIDDEN};"),
    ],
)
def test_secrets_in_text_are_known_by_what_is_before_them(text: str, expected: str) -> None:
    """Signatures and tokens are made anew each time: no list of values has them."""
    assert expected == Redactor().text(text)


@pytest.mark.parametrize(
    "text",
    [
        "design=good",
        "order 42 of BTC/USDT: assigned 3 lots",
        "see https://example.com:443/a@b",
        "12:30:00 key=okx/main",
        "no secret here",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """A log that hides everything is no log."""
    assert text == redactor().text(text)


def test_values_that_are_clean_stay_what_they_are() -> None:
    """Numbers stay numbers for the renderer."""
    event: dict[str, object] = {
        "event": "filled",
        "price": Decimal("1.50"),
        "count": 3,
        "ok": True,
        "none": None,
        "secret": None,
    }
    assert event == logged(dict(event))


# Exceptions.


def failing(error: Exception) -> None:
    raise error


def raised(text: str) -> ValueError:
    """An exception as it was caught, with a cause and a local variable."""
    try:
        try:
            failing(KeyError(SECRET))
        except KeyError as cause:
            raise ValueError(text) from cause
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("form", ["error", "triple"])
def test_a_traceback_is_written_without_secrets_and_variables(form: str) -> None:
    """Also that of what caused it."""
    error = raised(f"refused: {KEY}")
    info = error if form == "error" else (ValueError, error, error.__traceback__)
    shown = logged({"event": "x", "exc_info": info})
    assert ["event", "exception"] == list(shown)
    assert f"ValueError: refused: {HIDDEN}" in str(shown["exception"])
    assert f"KeyError: '{HIDDEN}'" in str(shown["exception"])
    assert_clean(shown)


def test_exc_info_true_is_the_current_exception() -> None:
    """As `log.exception` asks for."""
    try:
        failing(ValueError(SECRET))
    except ValueError:
        shown = logged({"event": "x", "exc_info": True})
    assert f"ValueError: {HIDDEN}" in str(shown["exception"])
    assert {"event": "x"} == logged({"event": "x", "exc_info": True})
    assert {"event": "x"} == logged({"event": "x", "exc_info": None})

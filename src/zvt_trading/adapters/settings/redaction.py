"""Logs without secrets: every loaded one is replaced wherever it is, and what is called like one.

redactor = Redactor()
redactor.add(keys.values())
structlog.configure(processors=[..., redactor, JSONRenderer()])   # the last before the renderer
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import quote, quote_plus

from zvt_trading.runtime.tracebacks import stack_of

HIDDEN: Final = "***"

LENGTH_MIN: Final = 4
"""Shorter secrets would be found in every other word; no venue gives any."""

_LINE_LENGTH_MIN: Final = 16  # of a PEM's lines: a part of a secret is a secret
_DEPTH_MAX: Final = 8  # of containers in containers: deeper ones become text

# Names of what is secret, in small letters without - and _: ours, the venues' headers and fields.
_NAMES: Final = frozenset({
    "accesskey", "accesspassphrase", "accesssign", "apikey", "apisecret", "authorization",
    "cookie", "jwt", "listenkey", "okaccesskey", "okaccesspassphrase", "okaccesssign",
    "passphrase", "password", "privatekey", "secret", "setcookie", "sign", "signature", "token",
    "xbapiapikey", "xbapisign", "xmbxapikey",
})  # fmt: skip

# name=value, "name": "value", name: value; the first group stays.
_NAMED_VALUE: Final = re.compile(
    r"""(?ix)
    (
      (?<![a-z])                     # no part of a longer name, as in `design`
      (?: x-mbx-apikey | x-bapi-(?:api-key|sign) | ok-access-(?:key|sign|passphrase)
        | api_?key | api_?secret | secret | pass(?:word|phrase) | private_?key | listen_?key
        | signature | sign | token | jwt )
      ["']? \s* [=:] \s* ["']?
    )
    ( [^\s"'&,;)}\]]+ )
    """
)
_BEARER: Final = re.compile(r"(?i)\b(bearer\s+)[\w.~+/-]+=*")
_USER_INFO: Final = re.compile(r"(://[^/\s:@]*:)[^/\s@]+(?=@)")  # postgresql://user:password@host
_PEM: Final = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)


class Redactor:
    """Replaces secrets in text, and in all that a log line is made of."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def __call__(
        self,
        logger: object,  # noqa: ARG002 - structlog gives it to every processor
        method: str,  # noqa: ARG002 - as above
        event: MutableMapping[str, Any],
    ) -> MutableMapping[str, Any]:
        """Process a log line of structlog; an exception becomes its traceback, without values."""
        raised = event.pop("exc_info", None)
        if raised:
            error = _error_of(raised)
            if error is not None:
                event.setdefault("exception", stack_of(error))
        return {self.text(str(key)): self._named(str(key), value) for key, value in event.items()}

    def add(self, secrets: Iterable[str]) -> None:
        """Hide these from now on, also quoted for URLs or JSON, and each line of a PEM."""
        for secret in secrets:
            for part in (secret, *_long_lines(secret)):
                if len(part) >= LENGTH_MIN:
                    self._values.update(_forms(part))
        # The longest first: one secret may begin with another.
        ordered = sorted(self._values, key=lambda value: (-len(value), value))
        self._pattern = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(HIDDEN, text)
        text = _PEM.sub(rf"\1{HIDDEN}\2", text)
        text = _NAMED_VALUE.sub(rf"\1{HIDDEN}", text)
        text = _BEARER.sub(rf"\1{HIDDEN}", text)
        return _USER_INFO.sub(rf"\1{HIDDEN}", text)

    def _named(self, name: str, value: object, depth: int = 0) -> object:
        if value is not None and _is_secret_name(name):
            return HIDDEN
        return self._value(value, depth)

    def _value(self, value: object, depth: int) -> object:
        """The value as it may be written; what cannot be looked into is looked at as text."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            return value if self.text(str(value)) == str(value) else HIDDEN
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode(errors="backslashreplace"))
        if isinstance(value, BaseException):
            return self.text(f"{type(value).__name__}: {value}")
        if depth < _DEPTH_MAX:
            if isinstance(value, Mapping):
                return {
                    self.text(str(key)): self._named(str(key), part, depth + 1)
                    for key, part in value.items()
                }
            if isinstance(value, list | tuple | set | frozenset):
                return [self._value(part, depth + 1) for part in value]
        # Renderers write some things by str and others by repr: both must be clean.
        is_clean = all(self.text(shown) == shown for shown in (str(value), repr(value)))
        return value if is_clean and depth < _DEPTH_MAX else self.text(repr(value))


def _forms(secret: str) -> set[str]:
    """The ways in which a text may be written elsewhere."""
    return {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
    }


def _long_lines(secret: str) -> list[str]:
    lines = [line.strip() for line in secret.splitlines()]
    marks = "-----"
    return [line for line in lines if len(line) >= _LINE_LENGTH_MIN and not line.startswith(marks)]


def _is_secret_name(name: str) -> bool:
    return name.lower().replace("-", "").replace("_", "") in _NAMES


def _error_of(raised: object) -> BaseException | None:
    """The exception of an `exc_info`, which may be one, a triple, or True for the current one."""
    if isinstance(raised, BaseException):
        return raised
    if isinstance(raised, tuple) and len(raised) == 3 and isinstance(raised[1], BaseException):
        return raised[1]
    return sys.exc_info()[1]

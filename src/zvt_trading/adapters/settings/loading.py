"""From a config file and an environment to settings; the environment wins, variable by variable.

Both are read without float errors: a number of the file is the decimal that is written there.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, NoDecode, SettingsError
from pydantic_settings.sources.utils import parse_env_vars

from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.limits import check_limits
from zvt_trading.adapters.settings.model import PREFIX, Settings

SIZE_BYTES_MAX: Final = 1_000_000
"""A config file that is larger is another file, given by mistake."""

NOT_SETTINGS: Final = ("COMPILE", "KEY_", "KEYS_", "PASSWORD_", "SECRET_", "TEST_")
"""Our environment variables that are for others: the build, API keys, tests."""

_PLAIN: Final = ("mode", "db_url")
_DIGITS_SHOWN: Final = 60
_TABLE: Final = re.compile(r"a valid dictionary( or instance of \w+)?")
_SECRET_WORDS: Final = ("key", "secret", "password", "passphrase", "token")


def load(path: Path, env: Mapping[str, str]) -> Settings:
    """The settings of a TOML file and `ZVT_TRADING_...` variables (nested by `__`).

    Raises ConfigError that names every key path, what was given and what is allowed. Files that the
    settings name are looked for beside the config file.
    """
    return merged(_read(path), env, path)


def merged(tables: Mapping[str, Any], env: Mapping[str, str], path: Path) -> Settings:
    """`load` for tables that were read already; `path` is the file that they are from."""
    _check_variables(env)
    try:
        given = _over(tables, _Environment(env)())
    except SettingsError as error:
        # Its cause has the value in it, which may be a secret.
        raise ConfigError(f"environment: {error}: it must be JSON") from None
    for key in given:
        if key.startswith("_"):  # to pydantic-settings these are orders, not settings
            raise ConfigError(f"{path}: {_unknown((key,), key)}")
    try:
        settings = Settings(**given)
    except ValidationError as error:
        found = "; ".join(_text(detail) for detail in error.errors(include_url=False))
        raise ConfigError(f"{path}: {found}") from None
    try:
        check_limits(settings.risk)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    return _located(settings, path.parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_BYTES_MAX + 1)
    except OSError as error:
        text = f"cannot read {path}: {error.strerror}; give the path of a config file (TOML)"
        raise ConfigError(text) from None
    if len(content) > SIZE_BYTES_MAX:
        raise ConfigError(f"{path} has more than {SIZE_BYTES_MAX} bytes: it is no config file")
    try:
        return tomllib.loads(content.decode(), parse_float=Decimal)
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not text in UTF-8: it is no config file") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is no TOML: {error}") from None


class _Environment(EnvSettingsSource):
    """The environment that is given, not the process's."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._given = env
        super().__init__(Settings)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return parse_env_vars(self._given, self.case_sensitive)

    def decode_complex_value(
        self,
        field_name: str,  # noqa: ARG002 - pydantic-settings gives it
        field: FieldInfo,
        value: Any,  # noqa: ANN401 - as it is declared there
    ) -> Any:  # noqa: ANN401 - as above
        """Tables and lists as JSON, with exact decimals."""
        if field is not None and NoDecode in field.metadata:
            return value  # `fields` takes parts between commas too
        return json.loads(value, parse_float=Decimal)


def _check_variables(env: Mapping[str, str]) -> None:
    """ConfigError for a variable of ours that is no setting: a typing error must not be ignored."""
    allowed = [field.alias or name for name, field in Settings.model_fields.items()]
    for name in sorted(env):
        rest = name.upper().removeprefix(PREFIX)
        if rest == name.upper() or rest.startswith(NOT_SETTINGS):
            continue
        key, nested, _ = rest.lower().partition("__")
        if key not in allowed or (nested and key in _PLAIN):
            known = ", ".join(f"{PREFIX}{key.upper()}" for key in allowed)
            raise ConfigError(f"environment: {name} is no setting; allowed: {known} (nested by __)")


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Tables laid over tables, key by key; what is no table replaces what is below."""
    found = dict(below)
    for key, value in above.items():
        under = found.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        found[key] = _over(under, value) if both and isinstance(under, dict) else value
    return found


def _located(settings: Settings, folder: Path) -> Settings:
    """The files that settings name, seen from the config file's folder."""
    venues = {
        name: venue.model_copy(update={"ca_file": folder / venue.ca_file})
        if venue.ca_file is not None
        else venue
        for name, venue in settings.venues.items()
    }
    return settings.model_copy(update={"venues": venues})


# Errors.


def _text(detail: ErrorDetails) -> str:
    """One error in a line: key path, what was given, what is allowed."""
    path = tuple(part for part in detail["loc"] if part != "[key]")
    where = ".".join(str(part) for part in path)
    if detail["type"] == "extra_forbidden":
        return _unknown(path, where)
    if detail["type"] == "missing":
        return f"{where}: missing; it must be given"
    rule = detail["msg"].removeprefix("Value error, ").replace("Input should", "must")
    rule = _TABLE.sub("a table", rule).replace("a valid tuple", "a list")
    if not where:
        return rule
    if detail["loc"][-1] == "[key]":
        return f"{where}: its name {rule}"
    return f"{where}{_given(path, detail['input'])}: {rule}"


def _unknown(path: tuple[int | str, ...], where: str) -> str:
    """A key that there is not, without its value: it may be a secret in the wrong place."""
    allowed = ", ".join(sorted(_keys(path[:-1])))
    advice = ""
    if any(word in str(path[-1]).lower() for word in _SECRET_WORDS):
        advice = "; API keys do not belong here: use `zvt-trading keys set VENUE`"
    return f"{where}: no such key; allowed: {allowed}{advice}"


def _keys(path: tuple[int | str, ...]) -> list[str]:
    """The keys of the table at a path."""
    kind: Any = Settings
    for part in path:
        if _is_table(kind):
            kind = next(
                (f.annotation for name, f in kind.model_fields.items() if part in (name, f.alias)),
                None,
            )
        else:
            kind = next((arg for arg in reversed(get_args(kind)) if arg is not ...), None)
    fields = kind.model_fields if _is_table(kind) else {}
    return [field.alias or name for name, field in fields.items()]


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _given(path: tuple[int | str, ...], value: object) -> str:
    """What was given, in a length fit for a message; nothing of what may hold a secret."""
    if path[-1] == "db_url" or isinstance(value, dict | list | tuple):
        return ""
    text = str(value) if isinstance(value, Decimal | int) else repr(value)
    return f" = {text if len(text) <= _DIGITS_SHOWN else text[:_DIGITS_SHOWN] + '...'}"

"""Config files and environments: what they become, and what is refused in which words."""

from decimal import Decimal
from pathlib import Path

import pytest

from settings_world import SMALL, config, settings_of
from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.loading import SIZE_BYTES_MAX, load
from zvt_trading.adapters.settings.model import LogLevel, Mode
from zvt_trading.types import AccountingMethod, MarginMode

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"

WHOLE = """
mode = "live"
db_url = "postgresql://zvt:hunter2@localhost/zvt"
[log]
level = "warning"
json = true
[[portfolio]]
name = "main"
base_asset = "USDC"
method = "hifo"
cash = { okx = 0.1, binance = "12.50" }
[[portfolio]]
name = "other"
[venues.okx]
symbols = ["BTC/USDT:USDT", "ETH/USDT"]
account = "sub_1"
leverage = 3
margin_mode = "isolated"
answer_timeout_ms = 2_500
reconcile_seconds = 5
endpoint = "127.0.0.1:8443"
ca_file = "ca.pem"
[venues.binance]
enabled = false
symbols = ["BTC/USDT"]
[risk.global]
order_notional_max = 0.1
[risk.strategy.maker]
allow_looser = true
order_notional_max = 1e3
[strategies.maker]
class = "market_maker"
portfolio = "other"
parameters = { notional = 0.3, inventory_max = 2, instrument = "okx:ETH/USDT" }
"""


def refused(folder: Path, text: str = SMALL, env: dict[str, str] | None = None) -> str:
    """What is said of a config, without the file's name."""
    with pytest.raises(ConfigError) as caught:
        settings_of(folder, text, env)
    return str(caught.value).removeprefix(f"{folder / 'config.toml'}: ")


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """Everything else has a default: paper, one portfolio, a comparison every 10 seconds."""
    settings = settings_of(tmp_path)
    venue = settings.venues["binance"]
    assert (Mode.PAPER, None, LogLevel.INFO) == (settings.mode, settings.db_url, settings.log.level)
    assert ("default", "USDT") == (settings.portfolios[0].name, settings.portfolios[0].base_asset)
    assert (True, "default", None) == (venue.enabled, venue.account, venue.leverage)
    assert (10, 10_000) == (venue.reconcile_seconds, venue.answer_timeout_ms)
    assert (None, None) == (venue.endpoint, venue.ca_file)


def test_every_key_of_a_file_arrives(tmp_path: Path) -> None:
    """Under its name; the order of venues is the file's."""
    settings = settings_of(tmp_path, WHOLE)
    okx = settings.venues["okx"]
    assert (Mode.LIVE, LogLevel.WARNING, True) == (
        settings.mode,
        settings.log.level,
        settings.log.as_json,
    )
    assert ["main", "other"] == [portfolio.name for portfolio in settings.portfolios]
    assert AccountingMethod.HIFO == settings.portfolios[0].method
    assert (("BTC/USDT:USDT", "ETH/USDT"), "sub_1", 3) == (okx.symbols, okx.account, okx.leverage)
    assert (MarginMode.ISOLATED, 2_500, 5) == (
        okx.margin_mode,
        okx.answer_timeout_ms,
        okx.reconcile_seconds,
    )
    assert "127.0.0.1:8443" == okx.endpoint
    assert ["okx"] == list(settings.trading_venues())
    assert ("market_maker", "other") == (
        settings.strategies["maker"].reference,
        settings.strategies["maker"].portfolio,
    )


def test_numbers_are_the_decimals_that_are_written(tmp_path: Path) -> None:
    """0.1 as a float is not a tenth; money is never one."""
    settings = settings_of(tmp_path, WHOLE)
    cash = settings.portfolios[0].cash
    assert {"okx": Decimal("0.1"), "binance": Decimal("12.50")} == cash
    assert Decimal("0.1") == settings.risk.everywhere.order_notional_max
    assert Decimal("0.3") == settings.strategies["maker"].parameters["notional"]
    assert 2 == settings.strategies["maker"].parameters["inventory_max"]


def test_a_file_that_settings_name_is_beside_the_config_file(tmp_path: Path) -> None:
    """Wherever the command is called from."""
    assert tmp_path / "ca.pem" == settings_of(tmp_path, WHOLE).venues["okx"].ca_file


def test_the_password_of_the_store_is_in_no_repr(tmp_path: Path) -> None:
    """Settings are shown in logs and debuggers."""
    settings = settings_of(tmp_path, WHOLE)
    assert "hunter2" not in f"{settings!r} {settings}"


@pytest.mark.parametrize("name", ["paper", "live"])
def test_the_examples_can_be_used(name: str) -> None:
    """As they stand there, for the mode that they are named after."""
    settings = load(EXAMPLES / f"{name}.toml", {})
    assert name == settings.for_mode(None).mode


# The environment.


def test_the_environment_wins_variable_by_variable(tmp_path: Path) -> None:
    """What it does not say stays as in the file."""
    env = {
        "ZVT_TRADING_MODE": "paper",
        "ZVT_TRADING_DB_URL": "sqlite:///other.db",
        "ZVT_TRADING_LOG__JSON": "false",
        "ZVT_TRADING_VENUES__BINANCE__ENABLED": "true",
        "ZVT_TRADING_VENUES__OKX__RECONCILE_SECONDS": "30",
        "ZVT_TRADING_RISK__GLOBAL__ORDER_NOTIONAL_MAX": "0.7",
    }
    settings = settings_of(tmp_path, WHOLE, env)
    assert (Mode.PAPER, "sqlite:///other.db") == (settings.mode, settings.db_url)
    assert (False, LogLevel.WARNING) == (settings.log.as_json, settings.log.level)
    assert ["okx", "binance"] == list(settings.trading_venues())
    assert (30, 2_500) == (
        settings.venues["okx"].reconcile_seconds,
        settings.venues["okx"].answer_timeout_ms,
    )
    assert Decimal("0.7") == settings.risk.everywhere.order_notional_max


@pytest.mark.parametrize("text", ["ETH/USDT, BTC/USDT", '["ETH/USDT", "BTC/USDT"]'])
def test_a_list_in_the_environment_is_json_or_parts_between_commas(
    tmp_path: Path, text: str
) -> None:
    """Both mean the same."""
    env = {"ZVT_TRADING_VENUES__BINANCE__SYMBOLS": text}
    assert ("ETH/USDT", "BTC/USDT") == settings_of(tmp_path, env=env).venues["binance"].symbols


def test_a_list_that_is_no_json_is_refused(tmp_path: Path) -> None:
    """With what it should look like."""
    said = refused(tmp_path, env={"ZVT_TRADING_VENUES__BINANCE__SYMBOLS": "[BTC/USDT"})
    assert said == (
        "venues.binance.symbols = '[BTC/USDT': must be a JSON list, like [\"BTC/USDT\"]"
    )


def test_tables_in_the_environment_are_json_with_exact_decimals(tmp_path: Path) -> None:
    """And laid over those of the file."""
    env = {
        "ZVT_TRADING_STRATEGIES__MAKER__PARAMETERS": '{"notional": 0.1}',
        "ZVT_TRADING_PORTFOLIO": '[{"name": "other", "cash": {"okx": 0.2}}]',
    }
    settings = settings_of(tmp_path, WHOLE, env)
    parameters = settings.strategies["maker"].parameters
    assert (Decimal("0.1"), 2) == (parameters["notional"], parameters["inventory_max"])
    assert [("other", {"okx": Decimal("0.2")})] == [
        (portfolio.name, portfolio.cash) for portfolio in settings.portfolios
    ]


def test_only_the_environment_that_is_given_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`load` depends on nothing but what it is given."""
    monkeypatch.setenv("ZVT_TRADING_MODE", "live")
    monkeypatch.setenv("PORTFOLIO", "[]")
    monkeypatch.setenv("MODE", "live")
    assert Mode.PAPER == settings_of(tmp_path).mode


def test_variables_of_others_are_let_be(tmp_path: Path) -> None:
    """API keys, the build, and whatever else there is in an environment."""
    env = {"ZVT_TRADING_KEY_OKX": "k", "ZVT_TRADING_COMPILE": "1", "PATH": "/bin", "MODE": "live"}
    assert Mode.PAPER == settings_of(tmp_path, env=env).mode


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ZVT_TRADING_MOED", "environment: ZVT_TRADING_MOED is no setting; allowed: "),
        ("ZVT_TRADING_MODE__X", "environment: ZVT_TRADING_MODE__X is no setting; allowed: "),
        (
            "ZVT_TRADING_VENUES__BINANCE__ENABELD",
            "venues.binance.enabeld: no such key; allowed: account, answer_timeout_ms, ca_file, ",
        ),
        ("ZVT_TRADING_LOG__LEVLE", "log.levle: no such key; allowed: json, level"),
    ],
)
def test_a_typing_error_in_the_environment_is_refused(tmp_path: Path, name: str, said: str) -> None:
    """It must not be as if nothing was said."""
    assert refused(tmp_path, env={name: "x"}).startswith(said)


def test_a_table_in_the_environment_that_is_no_json_is_not_shown(tmp_path: Path) -> None:
    """It may be a secret in the wrong place."""
    said = refused(tmp_path, env={"ZVT_TRADING_STRATEGIES": "hunter2"})
    assert "it must be JSON" in said
    assert "hunter2" not in said


# What is refused.

VENUE = '[venues.binance]\nsymbols = ["BTC/USDT"]\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "venues: missing; it must be given"),
        ("[venues]", "venues: Dictionary should have at least 1 item"),
        (VENUE + "enabeld = 1", "venues.binance.enabeld: no such key; allowed: account, "),
        ('_env_file = ".env"\n' + VENUE, "_env_file: no such key; allowed: db_url, log, mode, "),
        (VENUE + "[a]", "a: no such key; allowed: db_url, log, mode, portfolio, risk, "),
        (VENUE + "[[portfolio]]\nnam = 1", "portfolio.0.nam: no such key; allowed: base_asset, "),
        (VENUE + "[risk.venue.binance]\nx = 1", "risk.venue.binance.x: no such key; allowed: allo"),
        (VENUE + "[strategies.a]\nclas = 1", "strategies.a.class: missing; it must be given"),
        ("[venues.kraken]", "venues.kraken: its name must be 'binance', 'okx', 'bybit' or 'coin"),
        ("[venues.okx]", "venues.okx.symbols: missing; it must be given"),
        ('mode = "demo"\n' + VENUE, "mode = 'demo': must be 'paper' or 'live'"),
        ("mode = 1\n" + VENUE, "mode = 1: must be 'paper' or 'live'"),
        ("venues = 3", "venues = 3: must be a table"),
        ("portfolio = []\n" + VENUE, "portfolio: "),
        (VENUE + "reconcile_seconds = 0", "venues.binance.reconcile_seconds = 0: must be greater"),
        (
            VENUE + "reconcile_seconds = true",
            "venues.binance.reconcile_seconds = True: must be a n",
        ),
        (
            VENUE + "reconcile_seconds = 1.5",
            "venues.binance.reconcile_seconds = 1.5: must be a val",
        ),
        (VENUE + 'account = "A-B"', "venues.binance.account = 'A-B': "),
        (VENUE + 'endpoint = "localhost"', "venues.binance.endpoint = 'localhost': must be \"host"),
        (VENUE + 'endpoint = "x:70000"', "venues.binance.endpoint = 'x:70000': must be \"host:por"),
        (VENUE + 'ca_file = "ca.pem"', "venues.binance: ca_file is for a private testnet: give i"),
        (VENUE + "leverage = 2", "venues.binance: leverage is for perpetuals, and symbols has n"),
        (VENUE + "leverage = 0", "venues.binance.leverage = 0: must be greater than or equal to 1"),
        (
            VENUE + "[risk.global]\nexposure_max = nan",
            "risk.global.exposure_max = NaN: must be a fi",
        ),
        (
            VENUE + "[risk.global]\nexposure_max = -1",
            "risk.global.exposure_max = -1: must be great",
        ),
        (
            VENUE + "[risk.global]\nexposure_max = 1e18",
            "risk.global.exposure_max = 1E+18: must be ",
        ),
        (
            VENUE + "[risk.global]\nexposure_max = true",
            "risk.global.exposure_max = True: must be a",
        ),
        (VENUE + "[risk.portfolio.x]", "risk.portfolio: there is no 'x'; there is: default"),
        (VENUE + "[risk.strategy.x]", "risk.strategy: there is no 'x'; there is: none"),
        (VENUE + "[risk.venue.okx]", "risk.venue: there is no 'okx'; there is: binance"),
        (VENUE + '[risk.symbol."A/B"]', "risk.symbol: there is no 'A/B'; there is: BTC/USDT"),
        (VENUE + "[risk.symbol.x]", "risk.symbol.x: its name must be BASE/QUOTE for spot or "),
        (
            VENUE + '[strategies.a]\nclass = "basis"\nportfolio = "x"',
            "strategies.a.portfolio: there is no 'x'; there is: default",
        ),
        (
            VENUE + "[[portfolio]]\ncash = { okx = 1 }",
            "portfolio.0.cash: there is no 'okx'; there is: binance",
        ),
        (
            VENUE + "[[portfolio]]\ncash = { binance = 0 }",
            "portfolio.0.cash.binance = 0: must be g",
        ),
        (
            VENUE + '[[portfolio]]\nname = "a"\n[[portfolio]]\nname = "a"',
            "portfolio: the name 'a' is given to more than one",
        ),
        (
            VENUE + '[[portfolio]]\nname = "a\\u0007"',
            "portfolio.0.name = 'a\\x07': must not have characters that cannot be printed",
        ),
        (VENUE + '[[portfolio]]\nname = ""', "portfolio.0.name = '': String should have at least"),
        (VENUE + "enabled = false", "venues: none is enabled; set enabled = true on at least one"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the key path, what was given and what is allowed."""
    assert refused(tmp_path, text).startswith(said)


@pytest.mark.parametrize(
    ("symbol", "said"),
    [
        ("BTCUSDT", "must be BASE/QUOTE for spot or BASE/QUOTE:QUOTE for a linear perpetual"),
        ("BTC/USDT:USDT-240628", "must be BASE/QUOTE for spot or "),
        ("BTC/USD:BTC", "settles in BTC, not USD: linear perpetuals only"),
        ("btc/usdt", "must be BASE/QUOTE for spot or "),
    ],
)
def test_symbols_are_spot_or_linear_perpetuals(tmp_path: Path, symbol: str, said: str) -> None:
    """Written as ccxt writes them."""
    text = f'[venues.okx]\nsymbols = ["{symbol}"]'
    assert refused(tmp_path, text).startswith(f"venues.okx.symbols.0 = {symbol!r}: {said}")


def test_a_symbol_is_named_once(tmp_path: Path) -> None:
    """Twice is a typing error."""
    text = '[venues.okx]\nsymbols = ["A/B", "A/B"]'
    assert "venues.okx.symbols: has A/B more than once" == refused(tmp_path, text)


def test_coinbase_is_for_spot(tmp_path: Path) -> None:
    """Its perpetuals are not connected."""
    text = '[venues.coinbase]\nsymbols = ["BTC/USDC:USDC"]'
    assert "venues.coinbase.symbols: BTC/USDC:USDC: coinbase is for spot only" == refused(
        tmp_path, text
    )


def test_all_errors_are_named_at_once(tmp_path: Path) -> None:
    """Nobody likes to find them one by one."""
    said = refused(tmp_path, 'mode = "x"\n' + VENUE + "reconcile_seconds = -1")
    assert "mode = 'x'" in said
    assert "; venues.binance.reconcile_seconds = -1" in said


@pytest.mark.parametrize("key", ["secret", "apiKey", "password"])
def test_an_api_key_in_the_file_is_refused_and_not_shown(tmp_path: Path, key: str) -> None:
    """A config file is shared and kept under version control."""
    said = refused(tmp_path, VENUE + f'{key} = "hunter2"')
    assert f"venues.binance.{key}: no such key" in said
    assert "use `zvt-trading keys set VENUE`" in said
    assert "hunter2" not in said


def test_what_is_wrong_with_a_store_is_said_without_its_password(tmp_path: Path) -> None:
    """A URL of a wrong type may have one."""
    said = refused(tmp_path, 'db_url = ["postgresql://zvt:hunter2@db/zvt"]\n' + VENUE)
    assert said.startswith("db_url: must be a valid string")
    assert "hunter2" not in said


def test_long_values_are_cut(tmp_path: Path) -> None:
    """An error is one line that can be read."""
    said = refused(tmp_path, f'mode = "{"x" * 500}"\n' + VENUE)
    assert f"mode = '{'x' * 59}...: must be 'paper' or 'live'" == said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"mode = ", "is no TOML: Invalid value (at end of document)"),
        (b"\xff\xfe", "is not text in UTF-8: it is no config file"),
        (b"#" * (SIZE_BYTES_MAX + 1), f"has more than {SIZE_BYTES_MAX} bytes: it is no config"),
    ],
)
def test_a_file_that_is_no_config_file_is_named(tmp_path: Path, content: bytes, said: str) -> None:
    """With the place of the error where there is one."""
    path = tmp_path / "x.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    assert str(caught.value).startswith(f"{path} {said}")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With what to do."""
    path = tmp_path / "x.toml"
    with pytest.raises(ConfigError, match="give the path of a config file") as caught:
        load(path, {})
    assert str(path) in str(caught.value)


# The mode.


def test_the_command_line_has_the_last_word_on_the_mode(tmp_path: Path) -> None:
    """Without it the file's counts."""
    settings = settings_of(tmp_path)
    assert Mode.LIVE == settings.for_mode(Mode.LIVE).mode
    assert Mode.PAPER == settings.for_mode(None).mode


def test_paper_trading_needs_cash_where_it_trades(tmp_path: Path) -> None:
    """Live trading does not: what is there is asked of the venue."""
    settings = settings_of(tmp_path, VENUE)
    assert Mode.LIVE == settings.for_mode(Mode.LIVE).mode
    with pytest.raises(ConfigError, match=r"portfolio\.0\.cash: paper trading needs cash"):
        settings.for_mode(Mode.PAPER)


def test_cash_on_a_venue_that_is_off_does_not_count(tmp_path: Path) -> None:
    """Nothing could be bought with it."""
    path = config(tmp_path, WHOLE.replace("okx = 0.1, ", ""))
    with pytest.raises(ConfigError, match="paper trading needs cash"):
        load(path, {}).for_mode(Mode.PAPER)

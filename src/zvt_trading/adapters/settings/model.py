"""The settings: one table of the config file, one class here. docs/configuration.md explains them.

Everything is frozen and checked; what is not named here is refused. Amounts are exact decimals in
whole units, times in the unit that their name ends with.
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from zvt_trading.adapters.settings.errors import ConfigError
from zvt_trading.adapters.settings.fields import (
    AccountName,
    Amount,
    Asset,
    Cash,
    Endpoint,
    Name,
    Symbol,
    Symbols,
    VenueName,
    Whole,
)
from zvt_trading.core.limits import LEVERAGE_MAX
from zvt_trading.types import AccountingMethod, MarginMode

PREFIX = "ZVT_TRADING_"
"""What names of our environment variables begin with."""


class Mode(StrEnum):
    """PAPER trades with live data on simulated venues, LIVE with real money."""

    PAPER = "paper"
    LIVE = "live"


class LogLevel(StrEnum):
    """The least that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class _Table(BaseModel):
    """A table of the file."""

    # Without the input in its errors: there may be a password in it.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class LogSettings(_Table):
    """What is logged, and whether as one JSON object a line."""

    level: LogLevel = LogLevel.INFO
    as_json: bool = Field(default=False, alias="json")


class PortfolioSettings(_Table):
    """A portfolio, opened at the first start. `cash`, of the base asset by venue, is for paper."""

    name: Name = "default"
    base_asset: Asset = "USDT"
    method: AccountingMethod = AccountingMethod.FIFO
    cash: dict[VenueName, Cash] = Field(default_factory=dict)


class VenueSettings(_Table):
    """A venue and what is traded there.

    `account` names the API keys. `leverage` and `margin_mode` are for its perpetuals; without a
    leverage the venue's own setting stays. An answer that takes longer than `answer_timeout_ms`
    makes an order's outcome unknown. Every `reconcile_seconds` orders, fills, balances and
    positions are compared with the venue's. With `endpoint`, "host:port", everything goes to a
    private testnet, which `ca_file` (PEM) vouches for, instead of the exchange.
    """

    enabled: bool = True
    symbols: Symbols
    account: AccountName = "default"
    leverage: Annotated[Whole, Field(ge=1, le=LEVERAGE_MAX)] | None = None
    margin_mode: MarginMode = MarginMode.CROSS
    # 10 s is ccxt's own patience; below 0.1 s every order's outcome would be unknown.
    answer_timeout_ms: Annotated[Whole, Field(ge=100, le=60_000)] = 10_000
    # Every second is what rate limits bear; after an hour a lost fill is no use to anyone.
    reconcile_seconds: Annotated[Whole, Field(ge=1, le=3_600)] = 10
    endpoint: Endpoint | None = None
    ca_file: Path | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.ca_file is not None and self.endpoint is None:
            raise ValueError("ca_file is for a private testnet: give its endpoint, or no ca_file")
        if self.leverage is not None and not any(":" in symbol for symbol in self.symbols):
            raise ValueError("leverage is for perpetuals, and symbols has none")
        return self


class ScopeLimits(_Table):
    """Limits of one scope, as messages.commands.LimitSet has them, in whole units.

    What is not given is left to the wider scope; 0 forbids. Money is in the portfolio's base asset,
    quantities (of a symbol only) in the symbol's, `*_bps` in basis points, `*_ms` in milliseconds.
    """

    allow_looser: bool = False
    order_quantity_max: Amount | None = None
    order_notional_max: Amount | None = None
    open_orders_max: Whole | None = None
    position_quantity_max: Amount | None = None
    position_notional_max: Amount | None = None
    exposure_max: Amount | None = None
    allocation_bps_max: Whole | None = None
    leverage_max: Whole | None = None
    collar_bps: Whole | None = None
    data_age_ms_max: Whole | None = None
    orders_per_second_max: Whole | None = None
    orders_per_hour_max: Whole | None = None
    orders_per_day_max: Whole | None = None
    duplicate_window_ms: Whole | None = None
    repeated_executions_max: Whole | None = None
    repeated_window_ms: Whole | None = None
    daily_loss_max: Amount | None = None
    daily_loss_bps_max: Whole | None = None
    drawdown_bps_max: Whole | None = None
    cool_down_ms: Whole | None = None


class RiskSettings(_Table):
    """Limits by scope; within each, by the name of what they are for."""

    everywhere: ScopeLimits = Field(default_factory=ScopeLimits, alias="global")
    portfolio: dict[Name, ScopeLimits] = Field(default_factory=dict)
    strategy: dict[Name, ScopeLimits] = Field(default_factory=dict)
    venue: dict[VenueName, ScopeLimits] = Field(default_factory=dict)
    symbol: dict[Symbol, ScopeLimits] = Field(default_factory=dict)


Parameter = bool | int | Decimal | str | list[str] | None


class StrategySettings(_Table):
    """A strategy: what `--strategy` takes, what it is made with, the portfolio it trades for.

    Without `portfolio` it is the first one. Decimals among the parameters are exact.
    """

    reference: Annotated[str, Field(min_length=1)] = Field(alias="class")
    portfolio: Name | None = None
    parameters: dict[str, Parameter] = Field(default_factory=dict)


class Settings(BaseSettings):
    """Everything a run is told; made by `loading.load`, which alone looks at file and environment.

    `portfolios` are the tables `[[portfolio]]`, `db_url` is None for the user's own store.
    """

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        env_prefix=PREFIX,
        env_prefix_target="all",  # also of fields with an alias
        env_nested_delimiter="__",
    )

    mode: Mode = Mode.PAPER
    db_url: str | None = Field(default=None, repr=False)  # it may have a password
    log: LogSettings = Field(default_factory=LogSettings)
    portfolios: tuple[PortfolioSettings, ...] = Field(
        default=(PortfolioSettings(),), alias="portfolio", min_length=1
    )
    venues: dict[VenueName, VenueSettings] = Field(min_length=1)
    risk: RiskSettings = Field(default_factory=RiskSettings)
    strategies: dict[Name, StrategySettings] = Field(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - pydantic calls it by these names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what it is given: `load` reads the environment that it is given."""
        return (init_settings,)

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Names that stand for something must stand for something that is there."""
        names = [portfolio.name for portfolio in self.portfolios]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"portfolio: the name {twice[0]!r} is given to more than one")
        if not self.trading_venues():
            raise ValueError("venues: none is enabled; set enabled = true on at least one")
        spot_only = self.venues.get("coinbase")
        for symbol in spot_only.symbols if spot_only is not None else ():
            if ":" in symbol:
                raise ValueError(f"venues.coinbase.symbols: {symbol}: coinbase is for spot only")
        for path, given, known in self._references(names):
            unknown = [name for name in given if name not in known]
            if unknown:
                there = ", ".join(sorted(known)) or "none"
                raise ValueError(f"{path}: there is no {unknown[0]!r}; there is: {there}")
        return self

    def _references(
        self, portfolios: Sequence[str]
    ) -> list[tuple[str, Sequence[str], Sequence[str]]]:
        """(key path, names that are used there, names that there are)."""
        venues: list[str] = list(self.venues)
        symbols = sorted({name for venue in self.venues.values() for name in venue.symbols})
        risk = self.risk
        return [
            *(
                (f"portfolio.{number}.cash", list(portfolio.cash), venues)
                for number, portfolio in enumerate(self.portfolios)
            ),
            *(
                (f"strategies.{name}.portfolio", [strategy.portfolio], portfolios)
                for name, strategy in self.strategies.items()
                if strategy.portfolio is not None
            ),
            ("risk.portfolio", list(risk.portfolio), portfolios),
            ("risk.strategy", list(risk.strategy), list(self.strategies)),
            ("risk.venue", list(risk.venue), venues),
            ("risk.symbol", list(risk.symbol), symbols),
        ]

    def trading_venues(self) -> dict[VenueName, VenueSettings]:
        """The venues that are enabled, in the order of the file."""
        return {name: venue for name, venue in self.venues.items() if venue.enabled}

    def for_mode(self, mode: Mode | None) -> "Settings":
        """The same for the mode that a command line wishes (None: as it is).

        Raises ConfigError for paper trading without any cash on a venue that is enabled.
        """
        chosen = self.mode if mode is None else mode
        trading = self.trading_venues()
        funded = any(venue in trading for owner in self.portfolios for venue in owner.cash)
        if chosen is Mode.PAPER and not funded:
            raise ConfigError(
                "portfolio.0.cash: paper trading needs cash on a venue that is enabled, "
                f'like cash = {{ {next(iter(trading))} = "10000" }}'
            )
        return self.model_copy(update={"mode": chosen})

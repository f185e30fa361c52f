"""The command `zvt-trading run`: paper or live trading as a config file says.

Exit codes: 0 it was stopped and everything is in order; 1 the engine failed, or was stopped at
once; 2 the config, the keys or the store cannot be used, or live trading was not confirmed.
"""

from typing import TYPE_CHECKING, Annotated

import typer

from zvt_trading.cli.exits import EXIT_FAILED, EXIT_USAGE, errors, fail
from zvt_trading.cli.options import ConfigOption, ModeOption, mode_of, redacted

if TYPE_CHECKING:  # they load pydantic, which `zvt-trading version` need not wait for
    from zvt_trading.adapters.settings.credentials import Credentials
    from zvt_trading.adapters.settings.model import Settings


def run(
    context: typer.Context,
    *,
    config: ConfigOption,
    mode: ModeOption = None,
    confirm_live: Annotated[
        bool, typer.Option("--confirm-live", help="Yes, trade with real money.")
    ] = False,
    allow_withdraw_keys: Annotated[
        bool, typer.Option("--allow-withdraw-keys", help="Use keys that can withdraw; logged.")
    ] = False,
) -> None:
    """Trade: paper on simulated venues with live data, or live. Ctrl-C stops it gracefully."""
    import asyncio

    from zvt_trading.adapters.settings.keys import environment, secrets_in
    from zvt_trading.adapters.settings.loading import load
    from zvt_trading.adapters.settings.logs import configure_logs
    from zvt_trading.adapters.settings.redaction import Redactor
    from zvt_trading.cli.live_parts import live_parts
    from zvt_trading.cli.live_session import trade

    redactor = Redactor()
    redactor.add(secrets_in(environment()))
    with errors(), redacted(redactor):
        settings = load(config, environment()).for_mode(mode_of(mode))
        keys = _live_keys(settings, confirmed=confirm_live)
        for each in keys.values():
            redactor.add(each.values())
        configure_logs(settings.log, redactor)
        session = trade(settings, keys, live_parts(context), allow_withdraw=allow_withdraw_keys)
        try:
            asyncio.run(session)
        except asyncio.CancelledError:
            fail("stopped at once; orders may be open: the next start finds out", EXIT_FAILED)


def _live_keys(settings: "Settings", *, confirmed: bool) -> "dict[str, Credentials]":
    """The keys for live trading, which must be confirmed; paper trading needs none."""
    from zvt_trading.adapters.settings.keys import environment, key_sources, require_keys
    from zvt_trading.adapters.settings.model import Mode
    from zvt_trading.adapters.store.opening import default_url, is_in_memory
    from zvt_trading.cli.live_parts import ask_passphrase

    if settings.mode is Mode.PAPER:
        return {}
    if not confirmed:
        fail("live trading moves real money: say --confirm-live to mean it", EXIT_USAGE)
    if is_in_memory(settings.db_url or default_url()):
        fail("live trading needs a store that remembers: db_url names none", EXIT_USAGE)
    accounts = [(name, venue.account) for name, venue in settings.trading_venues().items()]
    return require_keys(key_sources(environment(), ask_passphrase), accounts)

"""The command `zvt-trading doctor`: whether `run` would work, looked at beforehand.

Exit codes: 0 nothing fails; 1 something does. Warnings do not change it.
"""

import json
from typing import Annotated

import typer
from rich.console import Console

from zvt_trading.cli.exits import EXIT_FAILED, errors, fail
from zvt_trading.cli.options import ConfigOption, ModeOption, mode_of, redacted


def doctor(
    context: typer.Context,
    *,
    config: ConfigOption,
    mode: ModeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Check config, store, keys, clock, connectivity and permissions; changes nothing."""
    import asyncio

    from zvt_trading.adapters.settings.keys import environment, key_sources, secrets_in
    from zvt_trading.adapters.settings.redaction import Redactor
    from zvt_trading.cli import checks
    from zvt_trading.cli.live_parts import ask_passphrase, live_parts

    redactor = Redactor()
    env = environment()
    redactor.add(secrets_in(env))
    with errors(), redacted(redactor):
        settings, found = checks.check_config(config, env, mode_of(mode))
        if settings is not None:
            found.append(checks.check_store(settings))
            keys, about_keys = checks.check_keys(settings, key_sources(env, ask_passphrase))
            found += about_keys
            for each in keys.values():
                redactor.add(each.values())
            found += asyncio.run(checks.check_venues(settings, keys, live_parts(context)))
    rows: list[dict[str, object]] = [
        {
            "status": each.status.value,
            "subject": each.subject,
            "finding": redactor.text(each.text),
            **({"facts": each.facts} if as_json else {}),
        }
        for each in found
    ]
    failed = sum(1 for each in found if each.status is checks.Status.FAIL)
    _show(rows, failed, as_json=as_json)
    if failed:
        fail(f"{failed} of {len(found)} checks failed", EXIT_FAILED)


def _show(rows: list[dict[str, object]], failed: int, *, as_json: bool) -> None:
    from zvt_trading.cli.tables import print_rows

    if as_json:
        typer.echo(json.dumps({"ok": not failed, "checks": rows}))
    else:
        print_rows(rows, Console())

"""No test leaves this machine: the exchanges' names are the emulator, others do not resolve."""

import asyncio
import socket
from typing import Any

import pytest
import requests

from emulator.redirect import Loopback, names_redirected, running, session
from zvt_trading.emulator.emulator import Emulator

NAME = "binance"


def run(story: Any) -> None:
    async def whole() -> None:
        async with running(Emulator((NAME,), is_quiet=True)) as emulator:
            await story(emulator)

    asyncio.run(whole())


def test_a_session_reaches_the_emulator_under_the_real_name_only() -> None:
    """By TLS, whatever the port; other names are errors before any byte leaves."""

    async def story(emulator: Emulator) -> None:
        async with session(emulator) as opened:
            async with opened.get("https://fapi.binance.com:8443/fapi/v1/ping") as answer:
                assert 200 == answer.status
            with pytest.raises(OSError, match="Cannot connect to host"):
                await opened.get("https://www.example.com/")
        with pytest.raises(OSError, match="no host of the emulator"):
            await Loopback(emulator).resolve("api.okx.com")

    run(story)


def test_blocking_clients_too() -> None:
    """With the production address; afterwards the process is as it was."""

    def client_story(emulator: Emulator) -> None:
        before = socket.getaddrinfo
        with names_redirected(emulator):
            answer = requests.get("https://api.binance.com/api/v3/ping", timeout=5)
            assert 200 == answer.status_code
            with pytest.raises(OSError, match="no host of the emulator"):
                socket.getaddrinfo("www.example.com", 443)
        assert before is socket.getaddrinfo

    run(lambda emulator: asyncio.to_thread(client_story, emulator))

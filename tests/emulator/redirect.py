"""Real clients with the exchanges' real addresses, every byte of which goes to an emulator.

    async with running(Emulator(("okx",), is_quiet=True)) as emulator:
        async with exchange(emulator, "okx") as okx:  # a ccxt.pro exchange in str mode
            await okx.fetch_balance()

Names of other hosts are refused: no test here can reach the network. Blocking clients run in a
thread (`asyncio.to_thread`) inside `names_redirected(emulator)`, or against `plain_url`.
"""

import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.pro
import certifi
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from zvt_trading.emulator.emulator import LOOPBACK, Emulator

DEADLINE_S = 10
"""How long a test waits for what must happen; it happens within milliseconds."""


class Loopback(AbstractResolver):
    """Knows the exchanges' names only, and all of them as one port of this machine."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The emulator's TLS port, whatever `port` was asked for."""
        del port, family
        if host not in emulated_hosts(self._emulator):
            raise OSError(f"{host} is no host of the emulator; tests do not leave this machine")
        result: ResolveResult = {
            "hostname": host,
            "host": LOOPBACK,
            "port": self._emulator.tls_port,
            "family": socket.AF_INET,
            "proto": 0,
            "flags": socket.AI_NUMERICHOST,
        }
        return [result]

    async def close(self) -> None:
        """Nothing is held."""


def emulated_hosts(emulator: Emulator) -> list[str]:
    """The names that the emulated exchanges are known by."""
    return [host for wire in emulator.wires.values() for host in wire.hosts]


def plain_url(emulator: Emulator, name: str, scheme: str = "http") -> str:
    """Where an exchange listens without TLS, e.g. "http://127.0.0.1:4711"."""
    return f"{scheme}://{LOOPBACK}:{emulator.ports[name]}"


@asynccontextmanager
async def running(emulator: Emulator) -> AsyncIterator[Emulator]:
    """Started on the loop of the test, stopped at the end."""
    async with emulator:
        yield emulator


@asynccontextmanager
async def session(emulator: Emulator) -> AsyncIterator[aiohttp.ClientSession]:
    """For ccxt's `session` setting, or to call by hand."""
    context = ssl.create_default_context(cafile=str(emulator.authority.ca_file))
    connector = aiohttp.TCPConnector(
        ssl=context, resolver=Loopback(emulator), family=socket.AF_INET
    )
    async with aiohttp.ClientSession(connector=connector) as opened:
        yield opened


@asynccontextmanager
async def exchange(
    emulator: Emulator, name: str, settings: dict[str, Any] | None = None
) -> AsyncIterator[Any]:
    """A ccxt.pro exchange that signs with the emulator's key; numbers are texts."""
    key = emulator.keys[name]
    config = {"apiKey": key.key, "secret": key.secret, "password": key.passphrase}
    async with session(emulator) as opened:
        client = getattr(ccxt.pro, name)({**config, "session": opened, **(settings or {})})
        client.number = str
        try:
            yield client
        finally:
            await client.close()


@contextmanager
def names_redirected(emulator: Emulator) -> Iterator[Path]:
    """Every Python client of this process, SDKs too; yields the authority's certificate file.

    The names of other hosts but this one do not resolve meanwhile.
    """
    bundle = emulator.authority.ca_file
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _redirected(emulator, socket.getaddrinfo))
        patch.setattr(certifi, "where", lambda: str(bundle))
        for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "WEBSOCKET_CLIENT_CA_BUNDLE"):
            patch.setitem(os.environ, name, str(bundle))
        yield bundle


def _redirected(emulator: Emulator, original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name in emulated_hosts(emulator):
            return original(LOOPBACK, emulator.tls_port, *args, **options)
        if name not in {LOOPBACK, "localhost"}:
            raise OSError(f"{name} is no host of the emulator; tests do not leave this machine")
        return original(host, port, *args, **options)

    return getaddrinfo

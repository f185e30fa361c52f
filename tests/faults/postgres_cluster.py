"""A PostgreSQL server of a test's own, which may be killed, stopped and made to fail."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import psycopg
from fake_store import until
from msgspec import Struct
from store_world import query

from zvt_trading.adapters.store.opening import open_store

DEBIAN: Final = Path("/usr/lib/postgresql")
USER: Final = "postgres"
ENGINE: Final = "application_name = 'zvt-trading'"
_SETTINGS: Final = (
    "fsync = on",  # the engine refuses less
    "shared_buffers = 16MB",
    "max_connections = 20",
    "listen_addresses = '127.0.0.1'",
    "unix_socket_directories = ''",
    "autovacuum = off",
)


def program(name: str) -> Path | None:
    """A program of the newest server on this machine."""
    newest = sorted(DEBIAN.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    found = newest[-1] if newest else shutil.which(name)
    return Path(found) if found is not None else None


class Cluster:
    """One server on a free port; a context manager that removes it."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zvt-faults-"))
        self._data = self._folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    def __enter__(self) -> Self:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(USER)
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        self._run("initdb", "--no-sync", "--auth=trust", f"--username={USER}", "-E", "UTF8")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n".join(["", *_SETTINGS, f"port = {self.port}", ""]))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(self._folder)

    def start(self) -> None:
        """Again after a kill; it listens when this returns."""
        self._run("pg_ctl", "start", "--wait", f"--log={self._folder / 'log'}")

    def kill(self) -> None:
        """The server's first process, as by `kill -9`; the others end when they see it."""
        lock = self._data / "postmaster.pid"
        first = int(lock.read_text(encoding="utf-8").split()[0])
        backends = self.processes()
        os.kill(first, signal.SIGKILL)
        until(lambda: not any(map(is_alive, [first, *backends])))
        lock.unlink()  # a next one would believe in a process that nobody has waited for

    def processes(self, condition: str = "true") -> list[int]:
        """Ids of the server's processes that are so."""
        statement = f"SELECT pid FROM pg_stat_activity WHERE {condition}"  # noqa: S608 - of our own
        return [row[0] for row in query(self.url("postgres"), statement)]

    def url(self, database: str, port: int | None = None) -> str:
        """In plain text from the first byte, so that a proxy can read it."""
        host = f"{USER}@127.0.0.1:{port or self.port}"
        return f"postgresql://{host}/{database}?sslmode=disable&gssencmode=disable"

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """The name of one with an empty store in it."""
        name = f"faults_{uuid.uuid4().hex[:12]}"
        query(self.url("postgres"), f"CREATE DATABASE {name}")
        open_store(self.url(name)).close()
        yield name
        query(self.url("postgres"), f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, name: str, *arguments: str) -> None:
        """One of the server's programs, by a user that it accepts: it runs for nobody's root."""
        command = [str(program(name)), f"--pgdata={self._data}", *arguments]
        if os.geteuid() == 0:
            command = [str(shutil.which("runuser")), "-u", USER, "--", *command]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder)


class Served(Struct):
    """A database with a store on a server that may be broken."""

    cluster: Cluster
    database: str

    @property
    def url(self) -> str:
        """Straight to the server."""
        return self.cluster.url(self.database)

    def engines(self) -> list[int]:
        """The server's processes that serve engines."""
        return self.cluster.processes(f"{ENGINE} AND datname = '{self.database}'")

    def last_entry(self) -> int:
        """The journal's last number."""
        return int(query(self.url, "SELECT max(seq) FROM event_journal")[0][0])

    def is_all_written(self) -> bool:
        """Whether the tables have everything, so that the next commit is an order's."""
        return query(self.url, "SELECT projected_seq FROM engine_store") == [(self.last_entry(),)]


def is_alive(process: int) -> bool:
    """One that has ended and waits for its parent is not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def answers(url: str) -> bool:
    """Whether a server can be talked to."""
    try:
        psycopg.connect(url, connect_timeout=1).close()
    except psycopg.OperationalError:
        return False
    return True

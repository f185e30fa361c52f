"""Between an engine and its PostgreSQL server: a wire that is cut, or hangs, where a test says.

It reads the client's messages (https://www.postgresql.org/docs/current/protocol-message-formats.html)
to know a commit when it sees one: the end of a COPY, or COMMIT.
"""

import contextlib
import socket
from collections.abc import Callable
from enum import Enum
from threading import Event, Lock, Thread
from typing import Final, Self

COPY_DONE: Final = b"c"
COMMIT: Final = b"Q\0\0\0\x0bCOMMIT"
READY: Final = b"Z\0\0\0\x05"
BYTES: Final = 65_536


class Cut(Enum):
    """What happens to the next commit."""

    NOT = "it passes"
    BEFORE = "the wire is cut, and the server never hears of it"
    AFTER = "the server commits, and the wire is cut before it can say so"
    LATE = "the wire is cut, and the server hears of it when `let_late_through` is called"


class Proxy:
    """Listens on `port`; a context manager."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.was_cut = Event()
        self.is_deaf = Event()
        self._cut = Cut.NOT
        self._cut_at = b""
        self._next_is_deaf = False
        self._flows = Event()
        self._flows.set()
        self._late = Event()
        self._mutex = Lock()
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Self:
        _in_background(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._flows.set()
        self._late.set()
        _close(self._listener)
        self.drop()

    def cut_next(self, cut: Cut, commit: bytes) -> None:
        """At the next commit of this kind: COPY_DONE, or COMMIT."""
        self.was_cut.clear()
        self._late.clear()
        self._cut_at = commit
        self._cut = cut

    def let_late_through(self) -> None:
        """The commit that was held back reaches the server."""
        self._late.set()

    def hang(self) -> None:
        """Nothing passes any more; connections stay, and new ones are taken."""
        self._flows.clear()

    def deafen_next(self) -> None:
        """The next connection that is used hangs for ever from its first statement on."""
        self._next_is_deaf = True

    def flow(self) -> None:
        """Everything passes again, also what was held back."""
        self._flows.set()

    def drop(self) -> None:
        """All connections, on both sides."""
        with self._mutex:
            for one in self._sockets:
                _close(one)
            self._sockets.clear()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self._server_port))
            except OSError:
                _close(client)
                continue
            with self._mutex:
                self._sockets += [client, server]
            link = _Link(self, client, server)
            _in_background(link.forward)
            _in_background(link.back)

    def cut_for(self, message: bytes) -> Cut:
        """What is to happen to a message; it happens once."""
        if self._cut is Cut.NOT or not message.startswith(self._cut_at):
            return Cut.NOT
        cut, self._cut = self._cut, Cut.NOT
        return cut

    def deafens(self) -> bool:
        """Whether this connection is the one."""
        if not self._next_is_deaf:
            return False
        self._next_is_deaf = False
        self.is_deaf.set()
        return True

    def wait_for_flow(self) -> None:
        """Until nothing hangs."""
        self._flows.wait()

    def wait_for_late(self) -> None:
        """Until the commit that was held back may go on."""
        self._late.wait()


class _Link:
    """One connection."""

    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy = proxy
        self._is_deaf = False
        self._client = client
        self._server = server
        self._is_mute = False  # the server's answers go nowhere, and are waited for

    def forward(self) -> None:
        """The client's messages to the server."""
        kind_length = 0  # the first message has no kind
        waiting = b""
        while chunk := self._client.recv(BYTES):
            self._proxy.wait_for_flow()
            waiting += chunk
            while len(waiting) >= kind_length + 4:
                size = kind_length + int.from_bytes(waiting[kind_length : kind_length + 4])
                if len(waiting) < size:
                    break
                message, waiting = waiting[:size], waiting[size:]
                if kind_length and self._proxy.deafens():
                    self._is_deaf = True
                if not self._is_deaf:
                    self._pass_on(message)
                kind_length = 1
        _close(self._server)

    def _pass_on(self, message: bytes) -> None:
        cut = self._proxy.cut_for(message)
        if cut is Cut.BEFORE:
            _close(self._server)
            self._cut_client()
            return
        self._is_mute = self._is_mute or cut is not Cut.NOT
        if cut is Cut.LATE:
            self._cut_client()
            self._proxy.wait_for_late()
        self._server.sendall(message)

    def back(self) -> None:
        """The server's messages to the client."""
        while chunk := self._server.recv(BYTES):
            self._proxy.wait_for_flow()
            if not self._is_mute:
                self._client.sendall(chunk)
            elif READY in chunk:  # it has committed, and says so
                break
        _close(self._server)
        self._cut_client()

    def _cut_client(self) -> None:
        self._proxy.was_cut.set()
        _close(self._client)


def _close(one: socket.socket) -> None:
    """Also for a thread that waits for it."""
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _in_background(work: Callable[[], None]) -> None:
    """Until the sockets it works on are closed."""

    def until_closed() -> None:
        with contextlib.suppress(OSError):
            work()

    Thread(target=until_closed, daemon=True).start()

"""A TCP proxy before a server, to do to its connections what a network does: cut them, slow them, swallow one direction."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

_READ_BYTES: Final = 65_536


class Proxy:
    """Stands before the server of a URL, under :attr:`url`, until the end of its ``with`` block."""

    def __init__(self, url: str, *, name: str = "proxy") -> None:
        self.name = name
        self._parts = urlsplit(url)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self._closed = False
        self._pairs: dict[socket.socket, socket.socket] = {}
        """The client's side of each connection → the server's."""
        self._lock = threading.Lock()
        self._bytes_per_s: float | None = None
        self._delay_s = 0.0
        self._deaf_to_server = False
        threading.Thread(target=self._accept, name=name, daemon=True).start()

    @property
    def url(self) -> str:
        """The server through us."""
        user = self._parts.netloc.rpartition("@")[0]
        return urlunsplit(self._parts._replace(netloc=f"{user}@127.0.0.1:{self._server.getsockname()[1]}"))

    @property
    def connections(self) -> int:
        """How many stand now."""
        return len(self._pairs)

    def cut(self) -> int:
        """Drop all connections, as a network does that goes, and let none through.

        :returns: how many there were.
        """
        with self._lock:
            self._open = False
            pairs, self._pairs = self._pairs, {}
        for pair in pairs.items():
            for one in pair:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        return len(pairs)

    def slow(self, *, bytes_per_s: float, delay_s: float) -> None:
        """Let through only so much, each piece late."""
        self._bytes_per_s, self._delay_s = bytes_per_s, delay_s

    def deafen(self) -> None:
        """Swallow what the server says: what the client asks for happens, and it never learns so."""
        self._deaf_to_server = True

    def mend(self) -> None:
        """Let everything through again, and quickly."""
        self._bytes_per_s, self._delay_s, self._deaf_to_server = None, 0.0, False
        self._open = True

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self.mend()
        self.cut()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _accept(self) -> None:
        while not self._closed:
            try:
                near, _ = self._server.accept()
            except OSError:
                return
            try:
                far = socket.create_connection((self._parts.hostname or "127.0.0.1", self._parts.port or 5432))
            except OSError:  # the server is away
                near.close()
                continue
            with self._lock:
                if not self._open:
                    near.close()
                    far.close()
                    continue
                self._pairs[near] = far
            for source, target, from_server in ((near, far, False), (far, near, True)):
                source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._pump, args=(near, source, target, from_server), daemon=True).start()

    def _pump(self, near: socket.socket, source: socket.socket, target: socket.socket, from_server: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_READ_BYTES):
                if self._bytes_per_s is not None:
                    # Short enough naps for a mended network to be quick at once.
                    time.sleep(min(self._delay_s + len(data) / self._bytes_per_s, 1.0))
                if not (from_server and self._deaf_to_server):
                    target.sendall(data)
        with self._lock:
            self._pairs.pop(near, None)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        # The other direction's pump closes the other one.
        source.close()

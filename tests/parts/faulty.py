"""A server in front of a true one, which breaks the way a test says: down, slow, resetting, answering garbage."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from tests.parts.ports import free_port

SLOW_SECONDS = 30
PIECE = 64 * 1024
GARBAGE = b"\x00\x15garbage\xff\xfe no protocol begins like this\r\n\r\n" * 8
NOW = struct.pack("ii", 1, 0)  # close without farewell


class Fault(StrEnum):
    """What is wrong with it."""

    NONE = "none"
    DOWN = "down"
    SLOW = "slow"
    RESETTING = "resetting"
    GARBAGE = "garbage"


@dataclass
class Faulty:
    """Listens on a port or a socket file, and passes everything on to `upstream` while it is well."""

    upstream: Callable[[], socket.socket]
    path: Path | None = None
    port: int = field(default_factory=free_port)
    _fault: Fault = Fault.NONE
    _changed: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket | None = None
    _open: set[socket.socket] = field(default_factory=set)

    def start(self) -> Faulty:
        self._listen()
        return self

    def stop(self) -> None:
        self._end_listening()
        self._changed.set()
        self._cut_all()

    def become(self, fault: Fault) -> None:
        """Break it in this way, or mend it; what is open breaks as well."""
        self._fault = fault
        woken, self._changed = self._changed, threading.Event()
        woken.set()
        if fault == Fault.DOWN:
            self._end_listening()
        elif self._listener is None:
            self._listen()
        if fault not in (Fault.NONE, Fault.SLOW):
            self._cut_all()

    def _listen(self) -> None:
        if self.path:
            self.path.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX if self.path else socket.AF_INET)
        if not self.path:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(str(self.path) if self.path else ("127.0.0.1", self.port))
        made.listen(64)
        self._listener = made
        threading.Thread(target=self._accept, args=(made,), daemon=True).start()

    def _end_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # an accept that waits would keep it open
            listener.close()
            if self.path:
                self.path.unlink(missing_ok=True)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        try:
            if self._fault == Fault.RESETTING:
                if client.family == socket.AF_INET:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)  # closing it sends a reset
                return None
            if self._fault == Fault.GARBAGE:
                with contextlib.suppress(OSError):
                    client.sendall(GARBAGE)
                    client.shutdown(socket.SHUT_WR)
                    client.settimeout(1)
                    client.recv(PIECE)  # closing with something unread would reset instead
                return None
            self._wait_if_slow()
            self._pass_on(client)
        except OSError:
            return None
        finally:
            self._open.discard(client)
            client.close()

    def _pass_on(self, client: socket.socket) -> None:
        server = self.upstream()
        self._open.add(server)
        back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
        back.start()
        self._pump(client, server)
        back.join()
        self._open.discard(server)
        server.close()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                self._wait_if_slow()
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _wait_if_slow(self) -> None:
        if self._fault == Fault.SLOW:
            self._changed.wait(SLOW_SECONDS)

    def _cut_all(self) -> None:
        for opened in list(self._open):
            _cut(opened)


def to_port(port: int) -> Callable[[], socket.socket]:
    """Lead to a port of this machine."""
    return lambda: socket.create_connection(("127.0.0.1", port))


def to_socket(path: str | os.PathLike[str]) -> Callable[[], socket.socket]:
    """Lead to a socket file."""

    def connect() -> socket.socket:
        made = socket.socket(socket.AF_UNIX)
        made.connect(os.fspath(path))
        return made

    return connect


def _cut(opened: socket.socket) -> None:
    with contextlib.suppress(OSError):
        if opened.family == socket.AF_INET:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NOW)
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()

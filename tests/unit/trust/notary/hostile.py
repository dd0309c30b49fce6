"""A server on real sockets that answers as badly as a test says, and a client process measured from outside."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

NOT_FOUND = b'{"errors":[{"code":"METADATA_NOT_FOUND","message":"no"}]}'

Answer = Callable[[str], Iterable[bytes]]
"""Given the file's name that is asked for, all bytes of the answer, head included, piece by piece."""


def said(body: bytes, status: str = "200 OK", *headers: str) -> list[bytes]:
    """Give an honest answer."""
    head = "\r\n".join((f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""))
    return [head.encode(), body]


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """Serve connections, each in a thread of its own, until the test ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(20)
            for request in _requests(connection):
                name = request.split(b" ")[1].decode().rpartition("/_trust/tuf/")[2]
                for piece in answer(name):
                    if stopped.is_set():
                        return
                    connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _requests(connection: socket.socket) -> Iterator[bytes]:
    """Give the heads of requests, however many came at once."""
    received = b""
    while piece := connection.recv(65536):
        received += piece
        while b"\r\n\r\n" in received:
            request, _, received = received.partition(b"\r\n\r\n")
            yield request


CLIENT = """
import json, sys, time
from datetime import datetime
from signing.trust.errors import TrustError
from signing.trust.notary import deadline
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.transport import HttpsTransport

url, gun, now, longest = sys.argv[1], Gun(sys.argv[2]), datetime.fromisoformat(sys.argv[3]), float(sys.argv[4])
deadline.LONGEST = longest
begun, outcome = time.monotonic(), {}
with HttpsTransport(url, timeout=longest) as transport:
    try:
        trusted = refresh(gun, transport, MemoryCache(), now=lambda: now)
        outcome["tags"] = len(trusted.released_tags().tags)
        outcome["left_out"] = {name: error.code for name, error in trusted.left_out.items()}
    except TrustError as error:
        outcome["error"] = error.code
outcome["seconds"] = time.monotonic() - begun
# What this program had at most; `getrusage` would also count what the program had that started it.
(highest,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
outcome["megabytes"] = int(highest.split()[1]) / 1024
print(json.dumps(outcome))
"""


def read_in_a_process(url: str, gun: str, now: Any, longest: float = 30) -> dict[str, Any]:
    """Refresh a repository in a process of its own and tell how it ended, in what time and with how much memory."""
    arguments = [sys.executable, "-c", CLIENT, url, gun, now.isoformat(), str(longest)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    outcome: dict[str, Any] = json.loads(done.stdout)
    return outcome

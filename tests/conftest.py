"""What every test gets: the real parts on request, and closed sockets for unit tests."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from signing.trust.notary import client

# Playwright keeps an event loop in its thread for as long as a browser is open. Django takes that for asynchronous code
# and refuses the database to every test that runs there afterwards; nothing here runs in the loop.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

pytest_plugins = ["tests.parts.fixtures"]

UNIT_TESTS = Path(__file__).parent / "unit"


class SocketIsClosed(AssertionError):
    """A unit test tried to reach the network."""


def _refuse(what: object) -> SocketIsClosed:
    return SocketIsClosed(
        f"Unit tests have no network, but one wanted {what!r}. Use a simulator, or mark it with loopback."
    )


@pytest.fixture(autouse=True)
def new_process() -> None:
    """Let each test begin like a process of its own: with no repository verified yet."""
    client.resident.clear()


@pytest.fixture(autouse=True)
def closed_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let unit tests connect to nothing but unix sockets, unless marked `loopback`."""
    if UNIT_TESTS not in request.path.parents:
        return
    loopback_is_open = request.node.get_closest_marker("loopback") is not None
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def require_open(family: int, host: object) -> None:
        name = host.decode() if isinstance(host, bytes) else host
        if family != socket.AF_UNIX and not (loopback_is_open and name in {"127.0.0.1", "localhost", "::1"}):
            raise _refuse(host)

    def guarded_connect(self: socket.socket, address: Any) -> None:
        require_open(self.family, address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        require_open(self.family, address[0])
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        require_open(socket.AF_INET, host)
        return getaddrinfo(host, *arguments, **options)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)

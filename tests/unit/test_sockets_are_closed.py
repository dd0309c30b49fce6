"""Unit tests cannot reach the network by accident."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.conftest import SocketIsClosed


def test_connecting_is_refused() -> None:
    with socket.socket() as closed, pytest.raises(SocketIsClosed, match=r"127\.0\.0\.1"):
        closed.connect(("127.0.0.1", 9))


def test_names_are_not_looked_up() -> None:
    with pytest.raises(SocketIsClosed, match=r"registry\.example"):
        socket.create_connection(("registry.example", 443))


def test_unix_sockets_stay_open(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as caller:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        caller.connect(str(tmp_path / "s"))


@pytest.mark.loopback
def test_loopback_opens_for_a_test_that_asks() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname()).close()


@pytest.mark.loopback
def test_loopback_opens_no_other_machine() -> None:
    with pytest.raises(SocketIsClosed):
        socket.create_connection(("registry.example", 443))

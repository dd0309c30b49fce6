"""One start per state folder, ports that are really free, sockets whose path fits."""

import socket
from pathlib import Path

import pytest

from tests.parts.ports import free_port
from trustui.embedded import place
from trustui.embedded.place import CannotStart

pytestmark = pytest.mark.loopback


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"TRUSTUI_VAR": str(tmp_path / "var"), "PORT": str(free_port()), "TRUST_PORT": str(free_port())}


def test_folders_are_for_this_user_alone(environ: dict[str, str]) -> None:
    with place.opened(environ) as opened:
        assert opened.var.stat().st_mode & 0o777 == 0o700
        assert opened.run.stat().st_mode & 0o777 == 0o700
        run = opened.run
    assert not run.exists()


def test_a_second_start_is_refused_and_a_later_one_is_not(environ: dict[str, str]) -> None:
    with place.opened(environ), pytest.raises(CannotStart, match=r"It runs already in .* \(process \d+\)"):
        place.opened(environ).__enter__()
    with place.opened(environ):
        pass


def test_a_taken_port_is_named_with_the_variable_that_changes_it(environ: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environ["TRUST_PORT"] = port = str(taken.getsockname()[1])
        with pytest.raises(CannotStart, match=f"Port {port} for the trust server .*\n.*TRUST_PORT="):
            place.opened(environ).__enter__()


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "²"])
def test_a_port_that_is_none_is_refused(environ: dict[str, str], text: str) -> None:
    environ["PORT"] = text
    with pytest.raises(CannotStart, match="is not a port number"):
        place.opened(environ).__enter__()


def test_a_long_state_folder_gets_its_sockets_elsewhere(environ: dict[str, str], tmp_path: Path) -> None:
    environ["TRUSTUI_VAR"] = str(tmp_path / ("long" * 30))
    with place.opened(environ) as opened:
        assert opened.var not in opened.run.parents
        assert len(str(opened.run / place.LONGEST_SOCKET)) <= place.SOCKET_PATH_BYTES
        assert opened.run.stat().st_mode & 0o777 == 0o700
        run = opened.run
    assert not run.exists()

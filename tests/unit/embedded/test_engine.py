"""Which Engine is taken, and what the private one is told."""

import http.server
import socketserver
import threading
from pathlib import Path

import pytest

from trustui.embedded import engine
from trustui.embedded.place import Place


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/_ping" else 404)
        self.end_headers()

    def address_string(self) -> str:
        return "socket"

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def engine_socket(tmp_path: Path):
    """Listen as an Engine that knows `_ping`."""
    path = tmp_path / "docker.sock"
    with socketserver.ThreadingUnixStreamServer(str(path), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield path
        server.shutdown()


def test_a_usual_socket_that_answers_is_taken(engine_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "usual_sockets", lambda _: [engine_socket.parent / "absent.sock", engine_socket])
    found = engine.find({})
    assert found is not None
    assert found.address == f"unix://{engine_socket}"
    assert found.is_local
    assert found.process is None


def test_a_socket_nobody_answers_at_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "usual_sockets", lambda _: [tmp_path / "docker.sock"])
    assert engine.find({}) is None


def test_the_named_one_is_kept_even_while_it_is_away(engine_socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "usual_sockets", lambda _: [engine_socket])
    found = engine.find({"DOCKER_HOST": "unix:///nowhere.sock"})
    assert found is not None
    assert found.address == "unix:///nowhere.sock"
    assert "it does not answer yet" in found.sentence


def test_one_far_away_cannot_use_a_registry_here() -> None:
    assert not engine.Found("tcp://build.example:2376", "").is_local


def test_rootless_engines_are_looked_for() -> None:
    assert Path("/run/user/1000/docker.sock") in engine.usual_sockets({"XDG_RUNTIME_DIR": "/run/user/1000"})


def test_the_private_one_touches_nothing_of_the_systems(tmp_path: Path) -> None:
    here = Place(var=tmp_path / "var", run=tmp_path / "run", port=1, trust_port=2)
    options = engine.command(here, "127.0.0.1:5001")
    for name in ("--data-root", "--exec-root", "--host", "--pidfile", "--config-file"):
        assert any(option.startswith(f"{name}=") and str(tmp_path) in option for option in options)
    assert {"--iptables=false", "--bridge=none"} <= set(options)
    assert "--insecure-registry=127.0.0.1:5001" in options

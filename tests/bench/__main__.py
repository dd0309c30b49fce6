"""`make bench`: print every figure beside its peer and keep them in var/bench.json."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from tests.bench import pairs, python_tuf, trust_core, trust_core_writes, trust_server
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.notary_server import NotaryServer
from tests.parts.ours import OurClient
from tests.parts.standalone_server import StandaloneServer
from tests.parts.trust_server import LocalTrustServer
from trustui.embedded.environment import KEPT_MEMORY

RESULT = Path(os.environ.get("TRUSTUI_VAR", "var")) / "bench.json"


def main() -> None:
    """Measure on a real notary-server with notary-signer, started for this run and ended with it."""
    _begin_like_the_signing_worker()
    with tempfile.TemporaryDirectory(prefix="trustui-bench-") as folder:
        server = NotaryServer(Path(folder))
        try:
            server.start()
            figures = _measure(Path(folder), server)
        finally:
            server.stop()
        figures += _measure_on_builtin(Path(folder))
        figures += trust_server.measure(Path(folder))
    pairs.write(figures, RESULT)
    print(pairs.table(figures))
    print(f"\nKept in {RESULT}.")


def _begin_like_the_signing_worker() -> None:
    """Start this process anew with the worker's settings of memory, which nobody started from here gets to see."""
    if not KEPT_MEMORY.items() <= os.environ.items():
        os.execve(sys.executable, [sys.executable, "-m", "tests.bench", *sys.argv[1:]], {**os.environ, **KEPT_MEMORY})
    for name in KEPT_MEMORY:
        del os.environ[name]


def _measure(folder: Path, server: NotaryServer) -> list[pairs.Figure]:
    return [
        *trust_core.measure(*_people(folder / "inspect", server), server),
        *trust_core_writes.measure(*_people(folder / "write", server)),
        python_tuf.verify_role(),
    ]


def _measure_on_builtin(folder: Path) -> list[pairs.Figure]:
    (folder / "built-in").mkdir()
    server = StandaloneServer(folder / "built-in")
    try:
        server.start()
        return trust_core_writes.measure_on_builtin(*_people(folder / "write-built-in", server))
    finally:
        server.stop()


def _people(folder: Path, server: LocalTrustServer | NotaryServer) -> tuple[OurClient, DockerCli]:
    folder.mkdir()
    docker = DockerCli(
        program=require_docker(),
        home=folder / "docker",
        engine="unix:///nonexistent.sock",  # nothing measured here needs an Engine
        registry="127.0.0.1:5999",
        trust_url=server.url,
        ca_pem=server.ca_pem,
    )
    return OurClient(folder / "ours", server.url, server.ca_pem), docker


if __name__ == "__main__":
    main()

"""Start a private registry for the demo account, and keep its address: image names contain it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Mapping

import httpx

from trustui.embedded.place import Place, port_from, private_folder, require_free
from trustui.embedded.processes import Process, port_is_free
from trustui.embedded.secrets import replace

START_SECONDS = 20
DEFAULT_PORT = 5000


def address(place: Place, environ: Mapping[str, str]) -> str:
    """Return the registry's host:port, the same one each time.

    The first start takes REGISTRY_PORT, else 5000 or the next free port; later ones what the first one took.

    Raises:
        CannotStart: that port is taken now.
    """
    file = place.var / "registry-port"
    if environ.get("REGISTRY_PORT"):
        port = port_from("REGISTRY_PORT", environ, DEFAULT_PORT)
    elif file.exists():
        port = port_from("registry-port", {"registry-port": file.read_text().strip()}, DEFAULT_PORT)
    else:
        port = next(port for port in range(DEFAULT_PORT, 65536) if port_is_free(port))
    require_free(port, "REGISTRY_PORT", "the private registry")
    replace(file, str(port))
    return f"127.0.0.1:{port}"


def start(place: Place, host: str) -> Process | None:
    """Start it and wait until it answers; None where the program is not installed.

    Raises:
        NotReady: it is installed and does not start.
    """
    program = shutil.which("docker-registry")
    if program is None:
        return None
    configuration = place.run / "registry.yml"
    replace(configuration, json.dumps(_configuration(place, host)))  # JSON is YAML too
    # It would take any REGISTRY_ variable of the shell, our own REGISTRY_PORT included, for configuration.
    env = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    process = Process("registry", [program, "serve", str(configuration)], env=env, log=place.log / "registry.log")
    process.start()
    process.wait_ready(lambda: answers(host), START_SECONDS)
    return process


def answers(host: str) -> bool:
    """Tell whether a registry answers there."""
    try:
        return httpx.get(f"http://{host}/v2/", timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _configuration(place: Place, host: str) -> dict[str, object]:
    return {
        "version": "0.1",
        "log": {"level": "warn", "accesslog": {"disabled": True}},
        "storage": {
            "filesystem": {"rootdirectory": str(private_folder(place.var / "registry"))},
            "delete": {"enabled": True},
        },
        "http": {"addr": host, "secret": secrets.token_hex(16)},
    }

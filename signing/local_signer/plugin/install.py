"""`trustctl plugin install`: a file `docker-trust` among docker's plugins."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from argparse import Namespace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidInput

MARK = "# Written by `trustctl plugin install`."
FIRST_DOCKER_WITHOUT_TRUST = 29


def run(session: Session, arguments: Namespace) -> Exit:
    """Write the plugin, over an earlier one of ours; nobody else's is replaced without --force."""
    path = place(session, arguments.name)
    if path.is_symlink() or (path.exists() and not is_ours(path) and not arguments.force):
        raise InvalidInput(
            f"{path} is there already and is not ours.", next_step="Remove it, or give --force if it is a plain file."
        )
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_text(script())
    draft.chmod(0o755)
    draft.replace(path)
    older = _docker_with_own_trust() if arguments.name == "trust" else ""
    if arguments.json:
        say_json({"plugin": str(path), "changed": True, "passed_over_by_docker": older or None})
        return Exit.DONE
    say(f"Installed {path}: `docker {arguments.name}` now is trustctl.")
    if older:
        say(
            f"docker {older} has a `docker trust` of its own and passes over this one; docker 29 will use it. "
            "To use it now, install it under another name: --name NAME."
        )
    return Exit.DONE


def place(session: Session, name: str) -> Path:
    """Name the plugin's file in docker's folder."""
    return session.docker.path / "cli-plugins" / f"docker-{name}"


def is_ours(path: Path) -> bool:
    """Tell whether a file is one this program wrote."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as file:
        return MARK.encode() in file.read(4096)


def script() -> str:
    """Write the plugin. docker asks each plugin what it is, for every help text: that needs no Python."""
    metadata = {
        "SchemaVersion": "0.1.0",
        "Vendor": "TrustUI",
        "Version": _own_version(),
        "ShortDescription": "Manage trust on Docker images",
    }
    return f"""#!/bin/sh
{MARK}
if [ "$1" = docker-cli-plugin-metadata ]; then
    echo {shlex.quote(json.dumps(metadata))}
    exit 0
fi
exec {shlex.quote(sys.executable)} -P -m signing.local_signer.plugin "$@"
"""


def _own_version() -> str:
    try:
        return version("trustui")
    except PackageNotFoundError:  # run from a source tree
        return "0"


def _docker_with_own_trust() -> str:
    """Give the version of the docker on PATH if it is older than 29; empty if not, or if there is none."""
    docker = shutil.which("docker")
    if docker is None:
        return ""
    try:
        said = subprocess.run([docker, "--version"], capture_output=True, text=True, timeout=10, check=False).stdout  # noqa: S603  the person's own docker
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"version ((\d+)\.[0-9.]+)", said)
    return found[1] if found and int(found[2]) < FIRST_DOCKER_WITHOUT_TRUST else ""

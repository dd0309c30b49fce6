"""Install packages from Debian, where that is possible and allowed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "apt-install"
INSTALL_SECONDS = 900


def may_install(environ: Mapping[str, str], os_release: Path = Path("/etc/os-release")) -> bool:
    """Tell whether this is root on Debian or Ubuntu and NO_APT is not set."""
    if environ.get("NO_APT") or os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    try:
        lines = os_release.read_text().splitlines()
    except OSError:
        return False
    named = {word for line in lines if line.startswith(("ID=", "ID_LIKE=")) for word in line.split("=")[1].split()}
    return bool({word.strip('"') for word in named} & {"debian", "ubuntu"})


def provided(programs: list[str]) -> bool:
    """Tell whether all these programs are installed."""
    return all(shutil.which(program) for program in programs)


def install(packages: list[str], log: Path) -> bool:
    """Install packages without starting their services; tell whether that worked. What apt says goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        try:
            done = subprocess.run(  # noqa: S603  our own script, our own names
                [str(SCRIPT), *packages],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=INSTALL_SECONDS,
            )
        except (subprocess.TimeoutExpired, OSError):
            return False
    return done.returncode == 0

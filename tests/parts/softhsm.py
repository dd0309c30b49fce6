"""Tokens of SoftHSM: real PKCS#11, kept in a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from signing.trust.keystore.pkcs11 import TokenPlace
from tests.parts.programs import require_program, run

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
PIN = "2468"


@dataclass(frozen=True, slots=True)
class SoftHsm:
    """One folder of tokens. A process finds them by `environment`."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"SOFTHSM2_CONF": str(self.folder / "softhsm2.conf")}

    def token(self, label: str) -> TokenPlace:
        """Make a token and say where it is."""
        program = require_program("softhsm2-util")
        pins = ("--so-pin", "1357", "--pin", PIN)
        argv = [program, "--init-token", "--free", "--label", label, *pins]
        run(argv, env={"PATH": os.environ["PATH"], **self.environment}).succeeded()
        return TokenPlace(str(MODULE), label, PIN)


def softhsm(folder: Path) -> SoftHsm:
    """Make an empty folder of tokens."""
    require_program("softhsm2-util")
    pytest.importorskip("pkcs11", reason="python-pkcs11 is not installed (requirements-hsm.txt)")
    (folder / "tokens").mkdir(parents=True)
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    return SoftHsm(folder)

"""Publishers in several processes at the same moment."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def test_of_eight_publishers_of_one_version_one_wins(tmp_path: Path) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(PROJECT),
        "DJANGO_SETTINGS_MODULE": "trustui.settings.notary",
        "TRUSTUI_VAR": str(tmp_path),
        "TRUST_SERVER_MASTER_KEY": base64.b64encode(os.urandom(32)).decode(),
    }
    program = [sys.executable, "-m", "tests.unit.server.race_of_publishers"]
    done = subprocess.run(program, env=env, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["ended"] == [["published"] + ["version_conflict"] * 7] * 3
    kept = [["root", 1], ["targets", 2]]
    kept += [["targets/alice", version] for version in (1, 2, 3)]
    kept += [[role, version] for role in ("snapshot", "timestamp") for version in (1, 2, 3, 4)]
    assert result["stored"] == sorted(kept)

"""Files the real docker and notary wrote; see tests/data/README.md."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "data"
GUN = "127.0.0.1:5000/h1/demo"
ROOT_PASSPHRASE, REPOSITORY_PASSPHRASE = "rootpass1", "repopass1"

ROLE_FILES = {
    "root": "root.v1.json",
    "targets": "targets.json",
    "snapshot": "snapshot.json",
    "timestamp": "timestamp.json",
    "targets/alice": "targets/alice.json",
    "targets/bob": "targets/bob.json",
    "targets/releases": "targets/releases.json",
}
PRIVATE_KEYS = {
    "8eb8eb76f7f737934266e00307e605eebfc2545feb2975ea7c8d274d743921c4": ("root", None),
    "0383e0c3a327455fa3cbf610c07aa3f37e3eafdead9e96d26bfe240178362130": ("targets", GUN),
    "fc9a8254bafaefaeb733ab812d626ee13ab6a2d845462e4c1207c3eb0a70a87a": ("alice", None),
    "4c863ccd44da81c32135eef13620a3999dbebf318315600e2c3f9dc190f42d9c": ("bob", None),
}
ALICE = "fc9a8254bafaefaeb733ab812d626ee13ab6a2d845462e4c1207c3eb0a70a87a"


def metadata(role: str) -> bytes:
    """Give a role's file of the one consistent state."""
    return (DATA / "metadata" / ROLE_FILES[role]).read_bytes()


def private_key(key_id: str) -> str:
    return (DATA / "keys" / f"{key_id}.key").read_text()


def passphrase_of(role: str) -> str:
    return ROOT_PASSPHRASE if role == "root" else REPOSITORY_PASSPHRASE


def vectors(name: str) -> list[dict[str, Any]]:
    content = json.loads((DATA / f"{name}.json").read_text())
    return list(content["vectors"] if isinstance(content, dict) else content)

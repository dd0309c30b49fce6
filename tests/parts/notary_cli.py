"""The real `notary` command with its own trust folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, ROOT_PASSPHRASE
from tests.parts.programs import Outcome, run

ANSWER_YES = b"yes\n"


@dataclass(frozen=True, slots=True)
class ListedTarget:
    """One row of `notary list`."""

    name: str
    digest: str
    size: int
    role: str


@dataclass(frozen=True, slots=True)
class ListedDelegation:
    """One role of `notary delegation list`."""

    name: str
    paths: str
    key_ids: tuple[str, ...]
    threshold: int


@dataclass(frozen=True, slots=True)
class NotaryCli:
    """One person's notary. Its trust folder may be docker's."""

    program: str
    trust_dir: Path
    url: str
    ca_file: Path
    root_passphrase: str = ROOT_PASSPHRASE
    repository_passphrase: str = REPOSITORY_PASSPHRASE

    def run(self, *arguments: str, stdin: bytes | None = None) -> Outcome:
        self.trust_dir.mkdir(parents=True, exist_ok=True)
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.trust_dir),
            "NOTARY_ROOT_PASSPHRASE": self.root_passphrase,
            "NOTARY_TARGETS_PASSPHRASE": self.repository_passphrase,
            "NOTARY_SNAPSHOT_PASSPHRASE": self.repository_passphrase,
            "NOTARY_DELEGATION_PASSPHRASE": self.repository_passphrase,
        }
        common = ["-s", self.url, "-d", str(self.trust_dir), "--tlscacert", str(self.ca_file)]
        return run([self.program, *common, *arguments], env=env, stdin=stdin)

    def rotate(self, gun: str, role: str, *, to_server: bool = False) -> Outcome:
        """Rotate a role's key at once, answering yes where notary asks."""
        flags = ["-r"] if to_server else []
        return self.run("key", "rotate", gun, role, *flags, stdin=ANSWER_YES)

    def list(self, gun: str) -> dict[str, ListedTarget]:
        rows = _rows(self.run("list", gun).succeeded().stdout)
        return {name: ListedTarget(name, digest, int(size), role) for name, digest, size, role in map(str.split, rows)}

    def delegations(self, gun: str) -> dict[str, ListedDelegation]:
        """Read `notary delegation list`; a role's further paths and keys stand below the first, column by column."""
        table = self.run("delegation", "list", gun).succeeded().stdout
        header = next((line for line in table.splitlines() if line.startswith("ROLE")), "")
        edges = [header.find(title) for title in ("PATHS", "KEY IDS", "THRESHOLD")]
        listed: dict[str, ListedDelegation] = {}
        for row in _rows(table):
            name, path, key_id, threshold = (part.strip() for part in _cut(row, edges))
            if name:
                listed[name] = ListedDelegation(name, path, (key_id,) if key_id else (), int(threshold))
                continue
            last = listed[next(reversed(listed))]
            paths = " ".join(filter(None, (last.paths, path)))
            listed[last.name] = replace(last, paths=paths, key_ids=(*last.key_ids, *([key_id] if key_id else [])))
        return listed


def _cut(row: str, edges: list[int]) -> list[str]:
    return [row[start:end] for start, end in zip([0, *edges], [*edges, None], strict=True)]


def _rows(table: str) -> list[str]:
    """Give the lines below the table's dashes."""
    lines = table.splitlines()
    dashes = [number for number, line in enumerate(lines) if line.startswith("----")]
    if not dashes:
        return []
    return [line for line in lines[dashes[0] + 1 :] if line.strip()]

"""Read what docker remembers in `~/.docker/trust/tuf`: public metadata only, and nothing there is changed.

The folder `private` beside it is never looked into, symbolic links are not followed, and what is not signed metadata is
left out: no byte of a private key can get into an archive.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from signing.trust.errors import InvalidInput, InvalidName, MalformedMetadata
from signing.trust.evidence.manifest import check_gun
from signing.trust.notary.gun import Gun
from signing.trust.notary.reading import read_envelope
from signing.trust.tuf import roles

LARGEST_FILE = 64 * 1024 * 1024


def remembered(trust_dir: Path) -> Mapping[Gun, dict[str, bytes]]:
    """Give the remembered files of every repository by role.

    Raises:
        InvalidInput: there is no such folder.
    """
    top = trust_dir / "tuf"
    if not top.is_dir():
        raise InvalidInput(
            f"There is no trust data in {trust_dir}.", next_step="Name a folder such as ~/.docker/trust."
        )
    found: dict[Gun, dict[str, bytes]] = {}
    for folder, below, _ in os.walk(top, followlinks=False):
        below.sort()
        if "metadata" not in below:
            continue
        below.remove("metadata")
        try:
            gun = check_gun(str(Path(folder).relative_to(top)))
        except InvalidName:
            continue
        if files := dict(_files(Path(folder) / "metadata")):
            found[gun] = files
    return found


def _files(metadata: Path) -> Iterator[tuple[str, bytes]]:
    for folder, below, names in os.walk(metadata, followlinks=False):
        below.sort()
        for name in sorted(names):
            path = Path(folder) / name
            role = str(path.relative_to(metadata)).removesuffix(".json")
            if not name.endswith(".json") or path.is_symlink() or path.stat().st_size > LARGEST_FILE:
                continue
            try:
                roles.check_role_name(role)
                data = path.read_bytes()
                read_envelope(data)
            except (InvalidName, MalformedMetadata):
                continue
            yield role, data

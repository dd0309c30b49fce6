"""What `docker trust inspect` prints, byte for byte, from verified or from stored data (reference 5.5, 5.6).

One deviation: docker prints control and formatting characters of foreign names as they are, this module escapes them.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from signing.trust.notary.ordering import natural_key
from signing.trust.notary.trusted import TrustedRepository

REPOSITORY_ADMIN = "Repo Admin"
SHORT_ID = 12
NARROWEST_COLUMN, GAP = 10, 3

TagRow = tuple[str, str, Sequence[str]]
SignerRow = tuple[str, Sequence[str]]


def describe(trusted: TrustedRepository, name: str, tag: str | None = None) -> dict[str, Any]:
    """Give docker's JSON object for one image: `name` as it was asked for, with `tag` only that tag."""
    tags = [(row.tag, row.digest_hex, row.signers) for row in trusted.released(tag)]
    keys = trusted.administrative_keys()
    return description(name, tags, trusted.signers(), keys["root"], keys["repository"])


def description(
    name: str,
    tags: Iterable[TagRow],
    signers: Iterable[SignerRow],
    root_ids: Sequence[str],
    repository_ids: Sequence[str],
) -> dict[str, Any]:
    """Give docker's JSON object from plain data: released tags, signers with their key ids, administrative keys."""
    return {
        "Name": name,
        "SignedTags": [
            {"SignedTag": tag, "Digest": digest, "Signers": list(by) or [REPOSITORY_ADMIN]}
            for tag, digest, by in sorted(tags, key=_tag_order)
        ],
        "Signers": [
            {"Name": signer, "Keys": _keys(ids)}
            for signer, ids in sorted(signers, key=lambda row: row[0], reverse=True)
        ],
        "AdministrativeKeys": [
            {"Name": "Root", "Keys": _keys(root_ids)},
            {"Name": "Repository", "Keys": _keys(repository_ids)},
        ],
    }


def to_json(descriptions: Sequence[dict[str, Any]]) -> str:
    """Write what `docker trust inspect` prints for these images."""
    text = json.dumps(list(descriptions), ensure_ascii=False, indent=4)
    return _SPECIAL_IN_JSON.sub(_escape_if_needed, text) + "\n"


def pretty(described: dict[str, Any]) -> str:
    """Write what `docker trust inspect --pretty` prints for one image of `describe`."""
    tags = [
        (row["SignedTag"], row["Digest"], [by for by in row["Signers"] if by != REPOSITORY_ADMIN])
        for row in described["SignedTags"]
    ]
    signers = [(row["Name"], _ids(row["Keys"])) for row in described["Signers"]]
    root, repository = (_ids(row["Keys"]) for row in described["AdministrativeKeys"])
    return pretty_text(described["Name"], tags, signers, root, repository)


def pretty_all(descriptions: Sequence[dict[str, Any]]) -> str:
    """Write what `docker trust inspect --pretty` prints for several images."""
    return "\n\n".join(pretty(described) for described in descriptions)


def pretty_text(
    name: str,
    tags: Iterable[TagRow],
    signers: Iterable[SignerRow],
    root_ids: Sequence[str],
    repository_ids: Sequence[str],
) -> str:
    """Write the pretty form from plain data, in docker's order whatever the order given.

    A tag without signers was signed by the repository's own key.
    """
    shown = visible(name)
    tag_rows = [
        (visible(tag), visible(digest), visible(", ".join(sorted(by))) if by else f"({REPOSITORY_ADMIN})")
        for tag, digest, by in sorted(tags, key=_tag_order)
    ]
    signer_rows = [
        (visible(signer), ", ".join(visible(key_id[:SHORT_ID]) for key_id in sorted(ids)))
        for signer, ids in sorted(signers, key=lambda row: natural_key(row[0]))
    ]
    parts = [
        f"\nSignatures for {shown}\n\n{_table(('SIGNED TAG', 'DIGEST', 'SIGNERS'), tag_rows)}"
        if tag_rows
        else f"\nNo signatures for {shown}\n\n"
    ]
    if signer_rows:
        parts.append(f"\nList of signers and their keys for {shown}\n\n{_table(('SIGNER', 'KEYS'), signer_rows)}")
    parts.append(f"\nAdministrative keys for {shown}\n\n")
    parts.append(f"  Repository Key:\t{visible(', '.join(sorted(repository_ids)))}\n")
    parts.append(f"  Root Key:\t{visible(', '.join(sorted(root_ids)))}\n")
    return "".join(parts)


def visible(text: str) -> str:
    """Escape what a terminal would act on or hide, so that a foreign name cannot pass for something else."""
    return _SPECIAL.sub(_escape_if_needed, text)


def _tag_order(row: TagRow) -> tuple[object, str]:
    return natural_key(row[0]), row[1]


def _keys(ids: Iterable[str]) -> list[dict[str, str]]:
    return [{"ID": key_id} for key_id in ids]


def _ids(keys: Iterable[dict[str, str]]) -> list[str]:
    return [key["ID"] for key in keys]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lay out cells as Go's tabwriter does for docker: the last column is not padded."""
    lines = [header, *rows]
    widths = [
        max(NARROWEST_COLUMN, GAP + max(len(line[column]) for line in lines)) for column in range(len(header) - 1)
    ]
    return "".join(
        "".join(cell.ljust(width) for cell, width in zip(line, widths, strict=False)) + line[-1] + "\n"
        for line in lines
    )


def _escape_if_needed(match: re.Match[str]) -> str:
    character = match[0]
    if character >= "\x80" and unicodedata.category(character) not in _UNSAFE:
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[index : index + 2].hex()}" for index in range(0, len(units), 2))


_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
_SPECIAL = re.compile("[\x00-\x1f\x7f-\U0010ffff]")
_SPECIAL_IN_JSON = re.compile("[<>&\x00-\x09\x0b-\x1f\x7f-\U0010ffff]")  # its own line ends stay

"""What `docker trust inspect` prints, byte for byte, from verified or from stored data (reference 5.5, 5.6).

One deviation: docker prints control and formatting characters of foreign names as they are, this module escapes them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from json.encoder import encode_basestring as _quoted
from operator import itemgetter
from typing import Any

from signing.trust.notary.ordering import natural_key, natural_keys
from signing.trust.notary.trusted import TrustedRepository

REPOSITORY_ADMIN = "Repo Admin"
SHORT_ID = 12
NARROWEST_COLUMN, GAP = 10, 3

TagRow = tuple[str, str, Sequence[str]]
SignerRow = tuple[str, Sequence[str]]


def describe(trusted: TrustedRepository, name: str, tag: str | None = None) -> dict[str, Any]:
    """Give docker's JSON object for one image: `name` as it was asked for, with `tag` only that tag."""
    keys = trusted.administrative_keys()
    described = description(name, (), trusted.signers(), keys["root"], keys["repository"])
    by_admin = [REPOSITORY_ADMIN]
    described["SignedTags"] = [
        {"SignedTag": row[0], "Digest": row[1], "Signers": list(row[3]) or by_admin} for row in trusted.released(tag)
    ]
    return described


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
            for tag, digest, by in _in_order(tags)
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
    text = _list([_image(described) for described in descriptions], 0) + "\n"
    if text.isascii() and not any(special in text for special in "<>&\x7f"):
        return text
    return _SPECIAL_IN_JSON.sub(_escape_if_needed, text)


def _image(described: dict[str, Any]) -> str:
    """Write one image as an encoder with an indent of 4 does, in a fraction of its time."""
    signers_of: dict[tuple[str, ...], str] = {}
    tags = []
    for row in described["SignedTags"]:
        by = tuple(row["Signers"])
        signers = signers_of.get(by)
        if signers is None:
            signers = signers_of[by] = _list([_quoted(signer) for signer in by], 16)
        tags.append(
            f'{{\n                "SignedTag": {_quoted(row["SignedTag"])},\n'
            f'                "Digest": {_quoted(row["Digest"])},\n'
            f'                "Signers": {signers}\n            }}'
        )
    return (
        f'{{\n        "Name": {_quoted(described["Name"])},\n        "SignedTags": {_list(tags, 8)},\n'
        f'        "Signers": {_list(map(_key_holder, described["Signers"]), 8)},\n'
        f'        "AdministrativeKeys": {_list(map(_key_holder, described["AdministrativeKeys"]), 8)}\n    }}'
    )


def _key_holder(described: dict[str, Any]) -> str:
    keys = [
        f'{{\n                        "ID": {_quoted(key["ID"])}\n                    }}' for key in described["Keys"]
    ]
    name = _quoted(described["Name"])
    return f'{{\n                "Name": {name},\n                "Keys": {_list(keys, 16)}\n            }}'


def _list(items: Iterable[str], indent: int) -> str:
    margin = "\n" + " " * indent
    inside = f",{margin}    ".join(items)
    return f"[{margin}    {inside}{margin}]" if inside else "[]"


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
        for tag, digest, by in _in_order(tags)
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


def _in_order(tags: Iterable[TagRow]) -> list[TagRow]:
    rows = sorted(tags, key=itemgetter(1))
    keys = natural_keys([row[0] for row in rows])
    return [rows[at] for at in sorted(range(len(rows)), key=keys.__getitem__)]


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

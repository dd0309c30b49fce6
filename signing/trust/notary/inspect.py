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

from signing.trust.notary.ordering import natural_key, natural_order
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
        "Signers": [_holder(signer, ids) for signer, ids in sorted(signers, key=lambda row: row[0], reverse=True)],
        "AdministrativeKeys": [
            _holder("Root", root_ids),
            _holder("Repository", repository_ids),
        ],
    }


def to_json(descriptions: Sequence[dict[str, Any]]) -> str:
    """Write what `docker trust inspect` prints for these images."""
    return images_json([_described_image(described) for described in descriptions])


def images_json(images: Sequence[str]) -> str:
    """Write what `docker trust inspect` prints for images as `image_json` gave them."""
    together = ",\n    ".join(images)
    return f"[\n    {together}\n]\n" if images else "[]\n"


def image_json(trusted: TrustedRepository, name: str, tag: str | None = None) -> str:
    """Write one image's element of `images_json`: the text of what `describe` gives, without building that first.

    The whole repository is written once for as long as it is remembered.
    """
    if tag is not None:
        return _written(trusted, name, tag)
    if ("json", name) not in trusted.memo:
        trusted.memo["json", name] = _written(trusted, name, None)
    return str(trusted.memo["json", name])


def _written(trusted: TrustedRepository, name: str, tag: str | None) -> str:
    keys = trusted.administrative_keys()
    described = description(name, (), trusted.signers(), keys["root"], keys["repository"])
    released = trusted.released_tags(tag)
    return _image(described, released.tags, released.digests, released.signers)


def _image(
    described: dict[str, Any], tags: Sequence[str], digests: Sequence[str], signers: Sequence[Sequence[str]]
) -> str:
    """Write one image as an encoder with an indent of 4 does, in a fraction of its time; digests need no escapes."""
    pieces = ['",\n                "Digest": "'] * (4 * len(tags))
    pieces[0::4] = _inside_quotes(tags)
    pieces[2::4] = digests
    pieces[3::4] = _row_ends(signers)
    if tags:
        pieces[-1] = pieces[-1].removesuffix(_NEXT_ROW) + "\n        "
    begin = f'{{\n        "Name": {_quoted(described["Name"])},\n        "SignedTags": [{_FIRST_ROW if tags else ""}'
    end = (
        f'],\n        "Signers": {_list(map(_key_holder, described["Signers"]), 8)},\n'
        f'        "AdministrativeKeys": {_list(map(_key_holder, described["AdministrativeKeys"]), 8)}\n    }}'
    )
    text = "".join((begin, *pieces, end))
    if text.isascii() and not any(special in text for special in "<>&\x7f"):
        return text
    return _SPECIAL_IN_JSON.sub(_escape_if_needed, text)


def _described_image(described: dict[str, Any]) -> str:
    rows = described["SignedTags"]
    tags, digests, signers = ([row[member] for row in rows] for member in ("SignedTag", "Digest", "Signers"))
    return _image(described, tags, _inside_quotes(digests), signers)


def _inside_quotes(texts: Sequence[str]) -> Sequence[str]:
    """Give what stands between the quotes for each text: mostly the text itself, as one look at all of them tells."""
    together = "".join(texts)
    if together.isascii() and together.isprintable() and '"' not in together and "\\" not in together:
        return texts
    return [_quoted(text)[1:-1] for text in texts]


_FIRST_ROW = '\n            {\n                "SignedTag": "'
_NEXT_ROW = f",{_FIRST_ROW}"


def _row_ends(signers: Sequence[Sequence[str]]) -> list[str]:
    """Write how each row ends and the next begins, by its signers."""
    ends = _Ends()
    if signers and signers.count(signers[0]) == len(signers):
        return [ends[tuple(signers[0])]] * len(signers)
    return [ends[tuple(by)] for by in signers]


class _Ends(dict[tuple[str, ...], str]):
    """Ends of rows that were written before: most rows have the same signers."""

    def __missing__(self, signers: tuple[str, ...]) -> str:
        written = _list([_quoted(signer) for signer in signers or (REPOSITORY_ADMIN,)], 16)
        end = self[signers] = f'",\n                "Signers": {written}\n            }}{_NEXT_ROW}'
        return end


def _key_holder(described: dict[str, Any]) -> str:
    keys = [
        f'{{\n                        "ID": {_quoted(key_id)}\n                    }}' for key_id in _ids(described)
    ]
    listed = f',\n                "Keys": {_list(keys, 16)}' if keys else ""
    return f'{{\n                "Name": {_quoted(described["Name"])}{listed}\n            }}'


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
    signers = [(row["Name"], _ids(row)) for row in described["Signers"]]
    root, repository = (_ids(row) for row in described["AdministrativeKeys"])
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
    return [rows[at] for at in natural_order([row[0] for row in rows])]


def _holder(name: str, ids: Iterable[str]) -> dict[str, Any]:
    """Name who holds keys; docker leaves the list out where there are none."""
    keys = [{"ID": key_id} for key_id in ids]
    return {"Name": name, "Keys": keys} if keys else {"Name": name}


def _ids(holder: dict[str, Any]) -> list[str]:
    return [key["ID"] for key in holder.get("Keys", ())]


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
_SPECIAL = re.compile("[^ -~]")
_SPECIAL_IN_JSON = re.compile("[^\n -%'-;=?-~]")  # also < > and &; its own line ends stay

"""Whose a key is: the key itself, its signers, and the repositories whose trust data names it, among what one may see.

A key that only a foreign account knows is found as little as one that nobody knows.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import orjson
from django.db.models import Q

from signing.models import Key, Repository, SignedTag, Signer, TrustedMetadata, User
from signing.selectors.keys import visible_keys
from signing.selectors.reach import Reach
from signing.selectors.signers import visible_signers
from signing.trust.errors import InvalidInput, InvalidKey, TrustError
from signing.trust.tuf.keys import PublicKey

SHORTEST = 12  # digits of an id, as lists show them
MOST_KEYS = 20  # of one text, or that begin alike
_ID = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")
_BLOCK = re.compile(r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY)-----.*?-----END (?:CERTIFICATE|PUBLIC KEY)-----", re.DOTALL)
_PRIVATE = re.compile(r"PRIVATE|Private-Lines|\"(?:d|private)\"\s*:\s*\"", re.IGNORECASE)


@dataclass(slots=True)
class Place:
    """One repository that trusts the key: as what, and which of its tags the key vouches for."""

    repository: Repository
    parts: list[str] = field(default_factory=list)
    signs_as: set[str] = field(default_factory=set)
    is_repository_key: bool = False
    tags: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Match:
    """One key that is known here, by its canonical id, and under which other ids metadata names it."""

    key_id: str
    key: Key | None = None
    other_ids: list[str] = field(default_factory=list)
    signers: list[Signer] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)


def read_ids(text: str) -> list[str]:
    """Read what was typed or pasted: an id or its beginning, or public keys and certificates.

    Gives every id that metadata may name these by: the bare key's, and that of a certificate around it.

    Raises:
        InvalidInput: neither of them. What was sent is not repeated.
        InvalidKey: private material, which is not even looked at, or a key that cannot be read.
    """
    if _PRIVATE.search(text):
        raise InvalidKey(
            "This holds a private key. It was not read, kept or written down anywhere.",
            next_step="Use the public half, the .pub or .crt file. If the text left your machine in the clear, replace"
            " the key.",
        )
    typed = "".join(text.split()).lower().removeprefix("sha256:")
    if _ID.fullmatch(typed):
        return [typed]
    blocks = _BLOCK.findall(text)
    if not blocks:
        raise InvalidInput(
            "This is neither a key ID nor a public key.",
            next_step=f"Give at least {SHORTEST} digits of the ID, or the text of a .pub, .crt or .pem file.",
        )
    if len(blocks) > MOST_KEYS:
        raise InvalidInput(f"At most {MOST_KEYS} keys at once.", next_step="Leave some out.")
    return list(dict.fromkeys(_ids_of(text, blocks)))


def match_keys(user: User, ids: Collection[str]) -> list[Match]:
    """Find the keys with these ids, or ids that begin so, among what this person may see; none: not trusted here."""
    wanted = tuple(ids)
    if not wanted:
        return []
    names = _Names(wanted, list(Repository.objects.filter(Reach(user).repositories()).select_related("account")))
    enrolled = visible_keys(user).filter(_begins(wanted, "key_id") | Q(key_id__in=names.known()))
    by_id = {key.key_id: key for key in enrolled}
    found = sorted({*names.known(), *by_id})[:MOST_KEYS]
    matches = {key_id: Match(key_id, by_id.get(key_id)) for key_id in found}
    for signer in visible_signers(user).filter(key__key_id__in=found):
        matches[signer.key.key_id].signers.append(signer)
    for match in matches.values():
        names.tell(match)
    _tell_tags([place for match in matches.values() for place in match.places])
    return list(matches.values())


class _Names:
    """Under which ids the trust data of these repositories names keys; a root key mostly stands in a certificate."""

    def __init__(self, wanted: tuple[str, ...], repositories: list[Repository]) -> None:
        self._wanted = wanted
        self._places: dict[str, dict[int, Place]] = defaultdict(dict)
        self._others: dict[str, set[str]] = defaultdict(set)
        self._certified = certified_ids(repositories)
        for repository in repositories:
            for entry in repository.signers:
                for key_id in entry["keys"]:
                    if place := self._place(repository, key_id, f"signer {entry['name']}"):
                        place.signs_as.add(entry["name"])
            for role, key_ids in repository.administrative_keys.items():
                for tuf_id in key_ids:
                    place = self._place(repository, tuf_id, f"{role} key")
                    if place and role == "repository":
                        place.is_repository_key = True

    def known(self) -> list[str]:
        """List the canonical ids of the keys that were found."""
        return list(self._places)

    def tell(self, match: Match) -> None:
        """Write down where a key is trusted, and by which other ids."""
        match.places = list(self._places.get(match.key_id, {}).values())
        match.other_ids = sorted(self._others.get(match.key_id, ()))

    def _place(self, repository: Repository, tuf_id: str, part: str) -> Place | None:
        canonical = self._certified.get(tuf_id, tuf_id)
        if not (canonical.startswith(self._wanted) or tuf_id.startswith(self._wanted)):
            return None
        if canonical != tuf_id:
            self._others[canonical].add(tuf_id)
        place = self._places[canonical].setdefault(repository.pk, Place(repository))
        place.parts.append(part)
        return place


def _begins(ids: Iterable[str], name: str) -> Q:
    condition = Q()
    for key_id in ids:
        condition |= Q(**{f"{name}__startswith": key_id})
    return condition


def _ids_of(text: str, blocks: list[str]) -> Iterator[str]:
    for block in blocks:
        key = PublicKey.from_pem(block)
        yield key.canonical_id
        yield key.key_id
    if sum("BEGIN CERTIFICATE" in block for block in blocks) > 1:  # a leaf with its chain has an id of its own
        yield PublicKey.from_pem(text[text.index("-----BEGIN CERTIFICATE") :]).key_id


def certified_ids(repositories: list[Repository]) -> dict[str, str]:
    """Tell of each id in a trusted root file, whose certificate it names, the id of the bare key."""
    roots = TrustedMetadata.objects.filter(repository__in=[row.pk for row in repositories], role="root")
    found: dict[str, str] = {}
    for data in roots.values_list("data", flat=True):
        for tuf_id, key in orjson.loads(bytes(data))["signed"]["keys"].items():
            if key["keytype"].endswith("-x509"):
                found[tuf_id] = _canonical(key["keytype"], key["keyval"]["public"])
    return found


@lru_cache(maxsize=4096)
def _canonical(keytype: str, public: str) -> str:
    value: dict[str, Any] = {"keytype": keytype, "keyval": {"private": None, "public": public}}
    try:
        return PublicKey.from_json(value).canonical_id
    except TrustError:
        return ""  # verified once, so only a key of a kind that is refused meanwhile


def _tell_tags(places: list[Place]) -> None:
    """Find the tags that each key signed: those with its signer's name, or for the repository key those without any."""
    rows = SignedTag.objects.filter(repository__in={place.repository.pk for place in places}).order_by("sort_key")
    by_repository: dict[int, list[tuple[str, list[str]]]] = defaultdict(list)
    for repository, tag, signers in rows.values_list("repository", "tag", "signers"):
        by_repository[repository].append((tag, signers))
    for place in places:
        place.tags = [
            tag
            for tag, signers in by_repository[place.repository.pk]
            if place.signs_as.intersection(signers) or (place.is_repository_key and not signers)
        ]

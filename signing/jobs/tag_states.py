"""What verified trust data says of each tag, as the columns of its row."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from signing.trust.errors import InvalidKey, MetadataError, TrustError
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Envelope, Target, Targets
from signing.trust.tuf.tag_list import TagList

MOST_LISTED_KEYS = 20

_Behind = tuple[tuple[str, ...], datetime]


@dataclass(frozen=True, slots=True)
class TagState:
    """One signed digest of one tag; `failure` is why its file does not count now."""

    tag: str
    digest: str
    length: int
    signers: tuple[str, ...]
    key_ids: tuple[str, ...]
    expires_at: datetime
    failure: TrustError | None = None


def tag_states(trusted: TrustedRepository) -> Iterator[TagState]:
    """List the tags of a verified repository: those that count in docker's order, then those whose file fell out."""
    files: dict[str, Targets] = {roles.TARGETS: trusted.targets, **trusted.delegations}
    releasing = [name for name in (roles.RELEASES, roles.TARGETS) if name in files and files[name].targets]
    known: dict[tuple[str, ...], _Behind] = {}
    seen = set()
    for row in trusted.released():
        holding = releasing
        if len(releasing) > 1:
            holding = [name for name in releasing if _digest(files[name].targets, row.tag) == row.digest_hex]
        held = (*(f"{roles.TARGETS}/{name}" for name in row.signers), *holding)
        if held not in known:
            known[held] = _behind(trusted, files, held)
        key_ids, expires = known[held]
        seen.add((row.tag, row.digest_hex))
        yield TagState(row.tag, row.digest_hex, row.length, row.signers, key_ids, expires)
    yield from _fallen_out(trusted, seen)


def fallen_out(trusted: TrustedRepository) -> dict[str, bytes]:
    """Give the files of delegations that do not count now. One that has no key left is over, and was meant to be."""
    return {name: data for name, data in trusted.left_out_files.items() if trusted.role(name).keys}


def key_ids_of(trusted: TrustedRepository, role: str) -> list[str]:
    """Give the canonical ids of the keys whose signatures make a role's file count."""
    return [canonical_id(key) for key in trusted.role(role).keys_behind(trusted.envelopes[role])]


def canonical_id(key: PublicKey) -> str:
    """Give the id of the bare key; one that cannot be read keeps the id it is listed under."""
    try:
        return key.canonical_id
    except InvalidKey:
        return key.key_id


def _behind(trusted: TrustedRepository, files: Mapping[str, Targets], held: tuple[str, ...]) -> _Behind:
    """Give the keys whose signatures count, and the earliest end of what they rest on, but for what a server renews."""
    ids = [key_id for name in held for key_id in key_ids_of(trusted, name)]
    ends = [trusted.root.expires, trusted.targets.expires, *(files[name].expires for name in held)]
    return tuple(dict.fromkeys(ids)), min(ends)


def _fallen_out(trusted: TrustedRepository, seen: Collection[tuple[str, str]]) -> Iterator[TagState]:
    """Give the tags of files that do not count: expired, or signed by a key that nobody delegated to.

    What they say is believed by nobody; it is shown with the reason.
    """
    given = set(seen)
    for name, data in fallen_out(trusted).items():
        try:
            envelope = Envelope.parse(data)
            file = Targets.from_envelope(envelope)
        except MetadataError:
            continue
        signers = () if name == roles.RELEASES else (name.removeprefix("targets/"),)
        key_ids = tuple(signature.keyid[:64] for signature in envelope.signatures[:MOST_LISTED_KEYS])
        for tag, target in file.targets.items():
            if (tag, target.digest) not in given:
                given.add((tag, target.digest))
                failure = trusted.left_out[name]
                yield TagState(tag, target.digest, target.length, signers, key_ids, file.expires, failure)


def _digest(targets: Mapping[str, Target], tag: str) -> str | None:
    if isinstance(targets, TagList):
        return targets.digest(tag)
    found = targets.get(tag)
    return None if found is None else found.digest

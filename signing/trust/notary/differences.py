"""What changed between two verified states of a repository, in plain sentences; names from outside are escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from signing.trust.notary.delegating import canonical_id
from signing.trust.notary.inspect import visible
from signing.trust.notary.trusted import ReleasedTag, TrustedRepository
from signing.trust.notary.update import NEAR_EXPIRY
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Delegation, Root, Target, Targets
from signing.trust.tuf.tag_list import TagList

BASE_KEYS = {
    roles.ROOT: "root key",
    roles.TARGETS: "repository key",
    roles.SNAPSHOT: "snapshot key",
    roles.TIMESTAMP: "timestamp key",
}
SHOWN_DIGITS = 12


def differences(before: TrustedRepository | None, after: TrustedRepository) -> tuple[str, ...]:
    """Tell what is true now that was not before; without an earlier state the repository is new."""
    if before is None:
        keys = _short(after.root.role(roles.ROOT).keys)
        return (f"{after.gun} is initialised; its root key is {keys}.", *_delegations(None, after))
    return (
        *_base_keys(before.root, after.root),
        *_delegations(before, after),
        *_counting(before, after),
        *_tags(before, after),
        *_signed_anew(before, after),
    )


def warnings(trusted: TrustedRepository, now: datetime) -> tuple[str, ...]:
    """Tell what runs out within six months; `targets` and delegations are never renewed by themselves."""
    return tuple(_warnings(trusted, now))


def _warnings(trusted: TrustedRepository, now: datetime) -> Iterator[str]:
    if trusted.root.expires < now + NEAR_EXPIRY:
        yield (
            f"The root of {trusted.gun} expires on {_day(trusted.root.expires)}, and its key is not at hand. "
            "Have the root key's holder sign it anew before."
        )
    for key in trusted.root.role(roles.ROOT).keys.values():
        ends = key.certificates[0].not_valid_after_utc
        if ends < now + NEAR_EXPIRY:
            yield (
                f"The root certificate {key.key_id[:12]} of {trusted.gun} expires on {_day(ends)}; nobody can verify "
                "the repository after that. Rotate the root key before, which needs the one in use now."
            )
    for name, file in {roles.TARGETS: trusted.targets, **trusted.delegations}.items():
        if file.expires < now + NEAR_EXPIRY:
            yield f"{name} of {trusted.gun} expires on {_day(file.expires)}. Have its key holder sign it anew."


def _base_keys(before: Root, after: Root) -> Iterator[str]:
    for role, name in BASE_KEYS.items():
        was, now = before.role(role), after.role(role)
        if was.keys.keys() != now.keys.keys():
            yield f"The {name} is {_short(now.keys)} now (before: {_short(was.keys)})."
        if was.threshold != now.threshold:
            yield f"{role} needs signatures of {now.threshold} keys now (before: {was.threshold})."


def _delegations(before: TrustedRepository | None, after: TrustedRepository) -> Iterator[str]:
    was, now = _delegated(before), _delegated(after)
    for name in [*(name for name in was if name not in now), *now]:
        if name not in now:
            yield f"{name} is not delegated to any more."
        elif name not in was:
            file, item = now[name]
            yield f"{name} is delegated to the keys {_ids(file, item.keyids)} for {_paths(item.paths)}."
        else:
            yield from _delegation(name, was[name], now[name])


def _delegation(name: str, was: tuple[Targets, Delegation], now: tuple[Targets, Delegation]) -> Iterator[str]:
    earlier, later = was[1], now[1]
    if gone := [keyid for keyid in earlier.keyids if keyid not in later.keyids]:
        yield f"{name} cannot be signed with {_ids(was[0], gone)} any more."
    if added := [keyid for keyid in later.keyids if keyid not in earlier.keyids]:
        yield f"{name} can be signed with {_ids(now[0], added)} too."
    if earlier.paths != later.paths:
        yield f"{name} may hold {_paths(later.paths)} now (before: {_paths(earlier.paths)})."
    if earlier.threshold != later.threshold:
        yield f"{name} needs signatures of {later.threshold} keys now (before: {earlier.threshold})."


def _counting(before: TrustedRepository, after: TrustedRepository) -> Iterator[str]:
    for name in after.left_out:
        if name not in before.left_out:
            yield f"What {name} signed does not count any more: {after.left_out[name].message}"
    for name in before.left_out:
        if name in after.delegations:
            yield f"What {name} signed counts again."


def _tags(before: TrustedRepository, after: TrustedRepository) -> Iterator[str]:
    edited = _edited_tags(before, after)
    was, now = (_by_tag(trusted.released_among(edited)) for trusted in (before, after))
    for tag in [*(tag for tag in was if tag not in now), *now]:
        if was.get(tag) != now.get(tag):
            yield _tag(visible(tag), was.get(tag), now.get(tag))


def _edited_tags(before: TrustedRepository, after: TrustedRepository) -> set[str]:
    """Give the tags that some file says something else of now; no other tag can be released otherwise."""
    was, now = ({roles.TARGETS: item.targets, **item.delegations} for item in (before, after))
    found: set[str] = set()
    for name in was.keys() | now.keys():
        found |= _names_unlike(*(files[name].targets if name in files else {} for files in (was, now)))
    return found


def _names_unlike(was: Mapping[str, Target], now: Mapping[str, Target]) -> set[str]:
    if was is now:
        return set()
    if isinstance(was, TagList) and isinstance(now, TagList):
        return now.names_unlike(was)
    return {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}


def _tag(name: str, was: Sequence[ReleasedTag] | None, now: Sequence[ReleasedTag] | None) -> str:
    if now is None:
        return f"{name} is not signed any more (it was {_digests(was or ())})."
    if was is None:
        return f"{name} is signed: {_digests(now)} {_by(now)}."
    if _digests(was) != _digests(now):
        return f"{name} is {_digests(now)} now (before: {_digests(was)}) {_by(now)}."
    return f"{name} is signed {_by(now)} now (before: {_by(was)})."


def _signed_anew(before: TrustedRepository, after: TrustedRepository) -> Iterator[str]:
    """Tell of files whose content is the same and whose time is longer."""
    if after.root.version > before.root.version and after.root.roles == before.root.roles:
        yield f"root was signed anew and holds until {_day(after.root.expires)}."
    earlier = {roles.TARGETS: before.targets, **before.delegations}
    for name, file in {roles.TARGETS: after.targets, **after.delegations}.items():
        was = earlier.get(name)
        if was and file.version > was.version and _content(was) == _content(file):
            yield f"{name} was signed anew and holds until {_day(file.expires)}."


def _content(file: Targets) -> tuple[object, ...]:
    return file.targets, file.delegations


def _delegated(trusted: TrustedRepository | None) -> dict[str, tuple[Targets, Delegation]]:
    if trusted is None:
        return {}
    files = [trusted.targets, *trusted.delegations.values()]
    return {item.name: (file, item) for file in files for item in file.delegations}


def _by_tag(released: Sequence[ReleasedTag]) -> dict[str, list[ReleasedTag]]:
    found: dict[str, list[ReleasedTag]] = {}
    for row in released:
        found.setdefault(row.tag, []).append(row)
    return found


def _digests(rows: Sequence[ReleasedTag]) -> str:
    return " and ".join(f"sha256:{row.digest_hex[:SHOWN_DIGITS]}" for row in rows)


def _by(rows: Sequence[ReleasedTag]) -> str:
    signers = list(dict.fromkeys(name for row in rows for name in row.signers))
    return f"by {', '.join(signers)}" if signers else "by no signer, only by the repository"


def _ids(file: Targets, keyids: Sequence[str]) -> str:
    return ", ".join(canonical_id(file, keyid)[:SHOWN_DIGITS] for keyid in keyids) or "of nobody"


def _short(keys: Mapping[str, object]) -> str:
    return ", ".join(keyid[:SHOWN_DIGITS] for keyid in keys) or "none"


def _paths(paths: Sequence[str]) -> str:
    if "" in paths:
        return "every tag"
    return f"tags beginning with {', '.join(visible(path) for path in paths)}" if paths else "no tag"


def _day(moment: datetime) -> str:
    return f"{moment:%d %B %Y}"

"""Which targets are released, and by whom they are signed (reference 4.4): compared list by list, not tag by tag."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from typing import NamedTuple

from signing.trust.tuf.metadata import Target
from signing.trust.tuf.tag_list import TagList

Targets = Mapping[str, Target]


class ReleasedTag(NamedTuple):
    """A tag that consumers accept, and who besides `releases` stands behind the same digest."""

    tag: str
    digest_hex: str
    length: int
    signers: tuple[str, ...]


def released_rows(targets: Targets, signing: Sequence[tuple[str, Targets]]) -> list[ReleasedTag]:
    """Give a row for each of `targets`, with those of `signing` that hold the same name and digest."""
    if isinstance(targets, TagList):
        names, digests, lengths = targets.names, targets.digests, targets.lengths
    else:
        names, lengths = tuple(targets), tuple(target.length for target in targets.values())
        digests = tuple(target.digest for target in targets.values())
    signers = _signers(targets, names, digests, signing)
    return list(map(ReleasedTag._make, zip(names, digests, lengths, signers, strict=False)))


def _signers(
    targets: Targets, names: Sequence[str], digests: Sequence[str], signing: Sequence[tuple[str, Targets]]
) -> Iterable[tuple[str, ...]]:
    if all(listed is targets for _, listed in signing):  # equal lists are read once, so they are one object
        return repeat(tuple(signer for signer, _ in signing))
    lookups = [(signer, _digest_in(listed)) for signer, listed in signing]
    return (
        tuple([signer for signer, digest_of in lookups if digest_of(name) == digest])
        for name, digest in zip(names, digests, strict=True)
    )


def _digest_in(targets: Targets) -> Callable[[str], str | None]:
    if isinstance(targets, TagList):
        return targets.digest

    def digest_of(name: str) -> str | None:
        found = targets.get(name)
        return None if found is None else found.digest

    return digest_of

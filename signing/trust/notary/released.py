"""Which targets are released, and by whom they are signed (reference 4.4): compared list by list, not tag by tag."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from signing.trust.notary.ordering import natural_order
from signing.trust.tuf.metadata import Target
from signing.trust.tuf.tag_list import TagList

Targets = Mapping[str, Target]


class ReleasedTag(NamedTuple):
    """A tag that consumers accept, and who besides `releases` stands behind the same digest."""

    tag: str
    digest_hex: str
    length: int
    signers: tuple[str, ...]


class ReleasedTags(NamedTuple):
    """Released tags as columns: a row for each would take longer than all the rest of an inspect.

    Lengths may still be the text they were read as.
    """

    tags: Sequence[str]
    digests: Sequence[str]
    lengths: Sequence[int | str]
    signers: Sequence[tuple[str, ...]]

    def rows(self) -> list[ReleasedTag]:
        """Give them row by row."""
        columns = zip(self.tags, self.digests, map(int, self.lengths), self.signers, strict=True)
        return list(map(ReleasedTag._make, columns))


def released_tags(releasing: Sequence[Targets], signing: Sequence[tuple[str, Targets]]) -> ReleasedTags:
    """List what is in `releasing`, in docker's natural order, with those of `signing` that hold the same digest.

    A tag with the same digest in several of `releasing` comes once, with other digests once for each.
    """
    found = _of_one(releasing[0], signing) if len(releasing) == 1 else _of_many(releasing, signing)
    if len(found.tags) < 2:
        return found
    order = natural_order(found.tags, ascend=len(releasing) == 1 and isinstance(releasing[0], TagList))
    in_order: Callable[[Sequence[object]], Sequence[object]] = itemgetter(*order)
    return ReleasedTags._make(map(in_order, found))


def _of_one(targets: Targets, signing: Sequence[tuple[str, Targets]]) -> ReleasedTags:
    lengths: Sequence[int | str]
    if isinstance(targets, TagList):
        tags, digests, lengths = targets.names, targets.digests, targets.length_texts
    else:
        tags = list(targets)
        digests = [target.digest for target in targets.values()]
        lengths = [target.length for target in targets.values()]
    return ReleasedTags(tags, digests, lengths, _signers(targets, tags, digests, signing))


def _of_many(releasing: Sequence[Targets], signing: Sequence[tuple[str, Targets]]) -> ReleasedTags:
    rows: dict[tuple[str, str], ReleasedTag] = {}
    for targets in releasing:
        for row in _of_one(targets, signing).rows():
            rows.setdefault(row[:2], row)
    by_digest = sorted(rows.values(), key=itemgetter(1))
    return ReleasedTags._make(zip(*by_digest, strict=True) if by_digest else ((), (), (), ()))


def _signers(
    targets: Targets, tags: Sequence[str], digests: Sequence[str], signing: Sequence[tuple[str, Targets]]
) -> list[tuple[str, ...]]:
    if all(listed is targets for _, listed in signing):  # equal lists are read once, so they are one object
        return [tuple(signer for signer, _ in signing)] * len(tags)
    lookups = [(signer, _digest_in(listed)) for signer, listed in signing]
    return [
        tuple([signer for signer, digest_of in lookups if digest_of(tag) == digest])
        for tag, digest in zip(tags, digests, strict=True)
    ]


def _digest_in(targets: Targets) -> Callable[[str], str | None]:
    if isinstance(targets, TagList):
        return targets.digest

    def digest_of(tag: str) -> str | None:
        found = targets.get(tag)
        return None if found is None else found.digest

    return digest_of

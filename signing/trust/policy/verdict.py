"""Say what one signed tag is worth, in one of five words. Pure: no clock, no rows, no network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from signing.trust.errors import (
    ExpiredMetadata,
    MetadataError,
    NotFound,
    Rollback,
    ServerError,
    TrustError,
)


class Word(StrEnum):
    """The five words."""

    VERIFIED = "verified"
    UNKNOWN_KEY = "unknown_key"
    EXPIRED = "expired"
    DRIFTED = "drifted"
    UNSIGNED = "unsigned"


UNKNOWN_SIGNER_KEY = "unknown_signer_key"
REGISTRY_DIFFERS = "registry_differs"
NOT_SIGNED = "not_signed"


@dataclass(frozen=True, slots=True)
class TagVerdict:
    """A word, and the stable code of the reason; no code where there is nothing to explain."""

    word: Word
    code: str = ""


def verdict_of(
    *, is_known: bool, digest: str, shown: str, all_digests: frozenset[str] = frozenset(), failure: TrustError | None
) -> TagVerdict:
    """Judge a tag whose signature was found.

    `is_known` tells whether one of the keys behind it is one that people here know; `shown` is the digest that the
    registry shows, empty where nobody knows: then the tag is as signed. Where a tag is signed with several digests,
    `all_digests`, each of them may be shown. `failure` is why its file, or the whole repository, does not count now.
    What is worse comes first: a signature that does not count says nothing about the registry.
    """
    if failure is not None:
        return of_failure(failure)
    if not is_known:
        return TagVerdict(Word.UNKNOWN_KEY, UNKNOWN_SIGNER_KEY)
    if shown and shown != digest and shown not in all_digests:
        return TagVerdict(Word.DRIFTED, REGISTRY_DIFFERS)
    return TagVerdict(Word.VERIFIED)


def of_failure(error: TrustError) -> TagVerdict:
    """Judge the tags of what does not verify: none of them stays verified.

    An older state than before is like an expired one, as the time for it is over. Everything else that was not what
    trusted keys signed counts as signed by an unknown key. A server's silence tells nothing of tags.

    Raises:
        ValueError: it is of a kind that tells nothing.
    """
    if isinstance(error, ExpiredMetadata | Rollback):
        return TagVerdict(Word.EXPIRED, error.code)
    if isinstance(error, NotFound):
        return TagVerdict(Word.UNSIGNED, error.code)
    if isinstance(error, ServerError) or not isinstance(error, MetadataError):
        raise ValueError(f"{error.code} says nothing of a tag")
    return TagVerdict(Word.UNKNOWN_KEY, error.code)

"""The audit log as a chain: each entry's hash covers the hash of the one before it.

An entry is a plain mapping of JSON values (`ENTRY_FIELDS` and its own hash), so that a file of them can be checked on a
machine that has neither the database nor the product. The chain alone shows an entry that was edited, taken out, put in
or moved. Who rewrites all that follows is found by the heads: the end of the chain at one moment, signed with a key
that neither the database nor the pages have. A head that was kept elsewhere also shows that the log's end was cut off,
or that an older state of it was put back.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from signing.trust.errors import DamagedArchive
from signing.trust.tuf.keys import PublicKey

GENESIS = "0" * 64
ENTRY_FIELDS = (
    "number",
    "at",
    "actor",
    "action",
    "account",
    "subject",
    "reason",
    "detail",
    "correlation",
    "previous_hash",
)
HEAD_PREFIX = b"trustui audit head 1\n"
"""Stands before what is signed, so that a head's signature fits no metadata, and no metadata's fits a head."""


def entry_hash(entry: Mapping[str, Any]) -> str:
    """Compute the SHA-256, in lower-case hex, of an entry's `ENTRY_FIELDS` as JSON with sorted members.

    `at` is RFC 3339 text in UTC with six digits of a second; members beyond `ENTRY_FIELDS` are not covered.
    """
    covered = {name: entry[name] for name in ENTRY_FIELDS}
    return hashlib.sha256(orjson.dumps(covered, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One link of the chain. A withheld one has only its hashes: its reader may not see what it says."""

    number: int
    previous_hash: str
    hash: str
    fields: Mapping[str, Any] | None = None

    @property
    def is_as_written(self) -> bool:
        """Tell whether its hash is that of what it says; of a withheld entry nobody can tell, so it counts as such."""
        return self.fields is None or entry_hash(self.fields) == self.hash


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at one moment: entry `number` had `hash`, signed with the key `key_id`."""

    number: int
    hash: str
    at: str
    key_id: str
    signature: bytes

    @property
    def payload(self) -> bytes:
        """The bytes that are signed."""
        return head_payload(self.number, self.hash, self.at)

    def is_signed_by(self, key: PublicKey) -> bool:
        """Tell whether its signature is this key's."""
        return key.verifies("ecdsa", self.signature, self.payload)

    def to_json(self) -> dict[str, Any]:
        """Give it as files have it; the signature is base64."""
        signature = base64.b64encode(self.signature).decode()
        return {
            "number": self.number,
            "hash": self.hash,
            "at": self.at,
            "key_id": self.key_id,
            "signature": signature,
        }

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read what `to_json` gives.

        Raises:
            DamagedArchive: it is not that.
        """
        try:
            number, hash_, at, key_id, signature = _members(value, ("number", "hash", "at", "key_id", "signature"))
            return cls(_number(number), str(hash_), str(at), str(key_id), base64.b64decode(signature, validate=True))
        except (TypeError, KeyError, ValueError, binascii.Error):
            raise DamagedArchive("A signed head in the audit log cannot be read.") from None


def head_payload(number: int, hash_: str, at: str) -> bytes:
    """Form the bytes that a head's signature covers."""
    value = {"number": number, "hash": hash_, "at": at}
    return HEAD_PREFIX + orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def entry_from_json(value: object) -> Entry:
    """Read one entry as files have it: `ENTRY_FIELDS` and `hash`, or of a withheld one the three that link it.

    Raises:
        DamagedArchive: it is not that.
    """
    try:
        number, previous, hash_ = _members(value, ("number", "previous_hash", "hash"))
        fields = dict(value) if isinstance(value, dict) and "action" in value else None
        if fields is not None:
            entry_hash(fields)  # every field is there, and JSON
        return Entry(_number(number), str(previous), str(hash_), fields)
    except (TypeError, KeyError, ValueError):
        raise DamagedArchive("An entry of the audit log cannot be read.") from None


def _members(value: object, names: tuple[str, ...]) -> list[Any]:
    if not isinstance(value, dict):
        raise TypeError
    return [value[name] for name in names]


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError
    return value

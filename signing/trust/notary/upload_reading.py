"""Read uploaded files as strictly as any other, and quickly where they have the form that Notary's clients write.

A role of 10,000 tags is a megabyte that a server has to read on every signing. Reference 3.3, 3.6.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from signing.trust.errors import MalformedMetadata
from signing.trust.tuf import shape
from signing.trust.tuf.metadata import TARGETS_BEGIN, Envelope, ListedEnvelope, Signature, Target, Targets

MOST_SIGNATURES = 256

_AS_CLIENTS_WRITE = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
# A fraction follows one of three characters. Three searches for one each take half the time of one for any of them.
_FRACTIONS = tuple(re.compile(before + rb"-?[0-9]+[.eE]") for before in (rb'":', rb",", rb"\["))
_HASH_TEXTS = {
    "sha256": re.compile(r"[A-Za-z0-9+/]{43}=", re.ASCII),
    "sha512": re.compile(r"[A-Za-z0-9+/]{86}==", re.ASCII),
}


def read_file(data: bytes) -> Envelope:
    """Read one uploaded file.

    Raises:
        MalformedMetadata: not a signed file, with members nobody signed, or nested too deeply to check.
    """
    listed = ListedEnvelope.read(data) if data.startswith(TARGETS_BEGIN) else None
    envelope = listed or _read_canonical(data) or _read_any(data)
    if len(envelope.signatures) > MOST_SIGNATURES:
        raise MalformedMetadata(f"A file has more than {MOST_SIGNATURES} signatures.")
    return envelope


def read_targets(envelope: Envelope) -> Targets:
    """Read a targets file as a server needs it: each of its targets is checked, none is kept.

    Raises:
        MalformedMetadata: as `Targets.from_signed` does.
    """
    if isinstance(envelope, ListedEnvelope):
        return Targets.from_signed(envelope.outline)  # its list was checked when it was read
    signed = envelope.signed
    if "targets" not in signed:
        return Targets.from_signed(signed)
    for name, value in shape.mapping_or_null(signed["targets"], "the list of targets").items():
        if not _is_plain_target(value):
            Target.from_json(name, value)
    return Targets.from_signed({**signed, "targets": {}})


def outline_of(envelope: Envelope) -> dict[str, Any]:
    """Give what a file says, without the list of tags where that was read apart."""
    return envelope.outline if isinstance(envelope, ListedEnvelope) else envelope.signed


def _read_canonical(data: bytes) -> Envelope | None:
    """Read a file that equals what writing it anew gives, else give None.

    Such a file names no member twice and has no number that `canonical.parse` refuses but fractions, so this finds the
    same as the strict reader, which takes several times as long. Escapes are left to that one.
    """
    if b"\\" in data:
        return None
    try:
        members = orjson.loads(data)
        if type(members) is not dict or members.keys() != {"signed", "signatures"}:
            return None
        payload, listed = (orjson.dumps(members[name], option=_AS_CLIENTS_WRITE) for name in ("signed", "signatures"))
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None
    if data != b'{"signed":%b,"signatures":%b}' % (payload, listed):
        return None
    if any(fraction.search(data) for fraction in _FRACTIONS):
        return None
    signatures = shape.list_or_null(members["signatures"], "signatures")
    signed = shape.mapping(members["signed"], "the `signed` part of the file")
    envelope = Envelope(signed, tuple(Signature.from_json(item) for item in signatures), data)
    envelope.__dict__["payload"] = payload  # what the cached property would find
    return envelope


def _read_any(data: bytes) -> Envelope:
    envelope = Envelope.parse(data)
    if len(orjson.loads(data)) != 2:
        raise MalformedMetadata("A file has members beside `signed` and `signatures`, which no signature covers.")
    try:
        envelope.payload  # noqa: B018  kept for the checks to come
    except RecursionError:
        raise MalformedMetadata("This is not valid JSON: it is nested too deeply.") from None
    return envelope


def _is_plain_target(value: Any) -> bool:
    """Tell whether an entry is one that docker or notary writes; any other is read member by member."""
    if type(value) is not dict or len(value) != 2:
        return False
    length, hashes = value.get("length"), value.get("hashes")
    if type(length) is not int or length < 0 or type(hashes) is not dict or "sha256" not in hashes:
        return False
    for algorithm, text in hashes.items():
        form = _HASH_TEXTS.get(algorithm)
        if form is None or type(text) is not str or form.fullmatch(text) is None:
            return False
    return True

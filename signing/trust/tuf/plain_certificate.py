"""Certificates of the one form Notary's clients give root keys, read without the library for any certificate.

Loading that library takes a command longer than all its work. What is read here is DER to the letter in which nothing
but the name, the times, the key and the signature differs from one certificate to the next: one that names itself, for
a P-256 key, with the three extensions of Notary. Whoever finds None has to ask the library; whoever finds a certificate
finds in it what the library finds.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from datetime import UTC, datetime
from typing import NamedTuple

P256_BEGIN, P256_BYTES = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"), 91
"""How the DER SubjectPublicKeyInfo of a P-256 key begins whose point is not compressed, and how long it is."""

_PEM = re.compile(
    rb"-----BEGIN CERTIFICATE-----\n((?:[A-Za-z0-9+/]{64}\n){1,32}(?:[A-Za-z0-9+/]{1,63}={0,2}\n)?)"
    rb"-----END CERTIFICATE-----\n"
)
_VERSION_3 = bytes.fromhex("a003020102")
_ECDSA_WITH_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_COMMON_NAME = bytes.fromhex("0603550403")
_EXTENSIONS = bytes.fromhex(
    "a3353033"
    "300e0603551d0f0101ff0404030205a0"  # key usage: signatures and key encipherment
    "30130603551d25040c300a06082b06010505070303"  # extended key usage: code signing
    "300c0603551d130101ff04023000"  # basic constraints: no authority
)
_SEQUENCE, _SET, _INTEGER, _BIT_STRING, _UTF8, _PRINTABLE, _UTC_TIME, _TIME = 48, 49, 2, 3, 12, 19, 23, 24
_PRINTABLE_TEXT = re.compile(rb"[A-Za-z0-9 '()+,./:=?-]+")
_DIGITS = re.compile(rb"[0-9]+")
_LONGEST_SERIAL = 20


class PlainCertificate(NamedTuple):
    """What a root key's certificate says. `spki` is the DER SubjectPublicKeyInfo of its P-256 key."""

    common_name: str
    not_before: datetime
    not_after: datetime
    spki: bytes


class _OtherForm(Exception):
    """It is not of the plain form."""


def read_plain_certificate(pem: bytes) -> PlainCertificate | None:
    """Read the PEM of a single certificate signed with ECDSA and SHA-256; None if it is of any other form."""
    found = _PEM.fullmatch(pem)
    if found is None:
        return None
    try:
        return _read(a2b_base64(found[1].replace(b"\n", b""), strict_mode=True))
    except (_OtherForm, ValueError):
        return None


class _Reader:
    """Reads one element after the other from the contents of another."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def element(self, tag: int) -> bytes:
        """Give the contents of the next element, which has to have that tag and the shortest length there is."""
        head = self._data[self._at : self._at + 4]
        if len(head) < 2 or head[0] != tag:
            raise _OtherForm
        start, length = 2, head[1]
        if length == 0x81 and len(head) > 2 and head[2] >= 0x80:
            start, length = 3, head[2]
        elif length == 0x82 and len(head) > 3 and head[2]:
            start, length = 4, head[2] << 8 | head[3]
        elif length >= 0x80:
            raise _OtherForm
        begin = self._at + start
        self._at = begin + length
        if self._at > len(self._data):
            raise _OtherForm
        return self._data[begin : self._at]

    def next_tag(self) -> int:
        """Give the tag of the next element, 0 at the end."""
        return self._data[self._at] if self._at < len(self._data) else 0

    def exactly(self, expected: bytes) -> bytes:
        """Pass over these very bytes."""
        if not self._data.startswith(expected, self._at):
            raise _OtherForm
        self._at += len(expected)
        return expected

    def bytes(self, length: int) -> bytes:
        """Give so many bytes."""
        self._at += length
        return self._data[self._at - length : self._at]

    def end(self) -> None:
        """Require that nothing is left."""
        if self._at != len(self._data):
            raise _OtherForm


def _read(der: bytes) -> PlainCertificate:
    whole = _Reader(der)
    certificate = _Reader(whole.element(_SEQUENCE))
    whole.end()
    signed = _Reader(certificate.element(_SEQUENCE))
    certificate.exactly(_ECDSA_WITH_SHA256)
    if not certificate.element(_BIT_STRING).startswith(b"\0"):
        raise _OtherForm
    certificate.end()
    signed.exactly(_VERSION_3)
    _require_positive(signed.element(_INTEGER))
    signed.exactly(_ECDSA_WITH_SHA256)
    issuer = signed.element(_SEQUENCE)
    validity = _Reader(signed.element(_SEQUENCE))
    subject = signed.element(_SEQUENCE)
    spki = signed.exactly(P256_BEGIN) + signed.bytes(P256_BYTES - len(P256_BEGIN))
    signed.exactly(_EXTENSIONS)
    signed.end()
    not_before, not_after = _time(validity), _time(validity)
    validity.end()
    if issuer != subject:
        raise _OtherForm
    return PlainCertificate(_common_name(_Reader(subject)), not_before, not_after, spki)


def _require_positive(serial: bytes) -> None:
    is_shortest = serial[:1] != b"\0" or serial[1:2] >= b"\x80"
    if not (is_shortest and b"\0" <= serial[:1] < b"\x80" and len(serial) <= _LONGEST_SERIAL):
        raise _OtherForm


def _common_name(names: _Reader) -> str:
    single = _Reader(names.element(_SET))
    names.end()
    pair = _Reader(single.element(_SEQUENCE))
    single.end()
    pair.exactly(_COMMON_NAME)
    is_printable = pair.next_tag() == _PRINTABLE
    text = pair.element(_PRINTABLE if is_printable else _UTF8)
    pair.end()
    if not text or (is_printable and not _PRINTABLE_TEXT.fullmatch(text)):
        raise _OtherForm
    return text.decode()


def _time(validity: _Reader) -> datetime:
    """Read a time as RFC 5280 writes it: with two digits of the year until 2049, with four from then on."""
    is_short = validity.next_tag() == _UTC_TIME
    text = validity.element(_UTC_TIME if is_short else _TIME)
    digits = text[:-1]
    if text[-1:] != b"Z" or len(digits) != (12 if is_short else 14) or not _DIGITS.fullmatch(digits):
        raise _OtherForm
    if is_short:
        digits = (b"19" if digits >= b"5" else b"20") + digits
    elif digits < b"2050":
        raise _OtherForm
    month, day, hour, minute, second = (int(digits[at : at + 2]) for at in range(4, 14, 2))
    return datetime(int(digits[:4]), month, day, hour, minute, second, tzinfo=UTC)

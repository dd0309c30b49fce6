"""Where a token or a key service keeps a key, as one line of text without any secret.

    pkcs11:token=LABEL;object=LABEL[?pin-source=worker]    RFC 7512; with pin-source the worker's settings hold the PIN
    awskms:REGION/KEY-ID                                   a key id, or alias/NAME
    vault:MOUNT/NAME                                       a key of Vault's transit engine

Which module, which server and which credentials: that is in the signing worker's settings alone, so that nobody who may
write a line here can have code loaded or a secret sent elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from signing.trust.errors import InvalidInput

LONGEST = 255
PIN_FROM_WORKER = "?pin-source=worker"
AWS_KMS, VAULT, PKCS11 = "awskms", "vault", "pkcs11"

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d{1,2}")
_KMS_KEY = re.compile(r"(alias/)?[A-Za-z0-9/_-]{1,128}")
_VAULT_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class TokenLocation:
    """A key in a token, by the labels of both."""

    token: str
    label: str
    pin_from_worker: bool = False

    def __str__(self) -> str:
        pin = PIN_FROM_WORKER if self.pin_from_worker else ""
        return f"pkcs11:token={quote(self.token, safe='')};object={quote(self.label, safe='')}{pin}"


@dataclass(frozen=True, slots=True)
class ServiceLocation:
    """A key in a key service: AWS KMS by region and id, Vault by mount and name."""

    service: str
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.service}:{self.place}/{self.name}"


def asks_pin(location: str) -> bool:
    """Tell whether a person types a PIN whenever the key at this place is used."""
    return location.startswith(f"{PKCS11}:") and not location.endswith(PIN_FROM_WORKER)


def parse_location(text: str) -> TokenLocation | ServiceLocation:
    """Read a location.

    Raises:
        InvalidInput: it is none, or holds a PIN.
    """
    scheme, _, rest = text.strip().partition(":")
    if len(text) > LONGEST or _UNSAFE.search(text):
        raise InvalidInput(f"A location is one line of at most {LONGEST} characters.")
    if scheme == PKCS11:
        return _token(rest)
    place, _, name = rest.partition("/")
    if scheme == AWS_KMS and _REGION.fullmatch(place) and _KMS_KEY.fullmatch(name):
        return ServiceLocation(scheme, place, name)
    if scheme == VAULT and _VAULT_PART.fullmatch(place) and _VAULT_PART.fullmatch(name):
        return ServiceLocation(scheme, place, name)
    raise InvalidInput(
        "That is no place of a key.",
        next_step="Write pkcs11:token=LABEL;object=LABEL, awskms:REGION/KEY-ID or vault:MOUNT/NAME.",
    )


def _token(rest: str) -> TokenLocation:
    path, _, query = rest.partition("?")
    named = dict(part.partition("=")[::2] for part in path.split(";") if part)
    asked = dict(part.partition("=")[::2] for part in query.split("&") if part)
    if "pin-value" in {**named, **asked}:
        raise InvalidInput("A location never holds a PIN.", next_step="Type the PIN in its own field; it is sealed.")
    if named.keys() != {"token", "object"} or asked.keys() - {"pin-source"}:
        raise InvalidInput(
            "A key in a token is named by the labels of both, and by nothing else.",
            next_step="Write pkcs11:token=LABEL;object=LABEL, special characters as %20.",
        )
    labels = [unquote(named["token"]), unquote(named["object"])]
    pin_source = asked.get("pin-source")
    if not all(labels) or any(_UNSAFE.search(label) for label in labels) or pin_source not in (None, "worker"):
        raise InvalidInput("The labels of a token and of a key are text; pin-source is worker or left out.")
    return TokenLocation(labels[0], labels[1], pin_source is not None)

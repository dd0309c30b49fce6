"""Read pins from a file: the `trust_pinning` of notary's config.json (reference 6, 4.3 step 4), and key ids.

    {"trust_pinning": {
        "disable_tofu": true,
        "certs": {"registry.example/team/app": ["<id as metadata lists it>"], "registry.example/*": ["..."]},
        "keys":  {"registry.example/team/app": ["<id of the bare key>"]},
        "ca":    {"registry.example/": "authorities.pem"}
    }}

`keys` is not notary's: these ids survive a new certificate around the same key. Paths are relative to the file. Members
beside `trust_pinning` are notary's own settings and passed over; a member of it that is not known is an error, as a
misspelt pin would protect nobody.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signing.trust.errors import InvalidInput, InvalidKey, MalformedMetadata
from signing.trust.notary.pinning import TOFU, Pinning, read_authorities
from signing.trust.tuf import canonical, shape

if TYPE_CHECKING:
    from cryptography import x509

FILE_NAME = "config.json"
LARGEST_FILE = 1024 * 1024

_KEY_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


def pinning_in(folder: Path) -> Pinning:
    """Read the pins of a trust folder, where notary keeps them too; trust on first use if it has none.

    Raises:
        InvalidInput: the file is there and cannot be used. Going on without its pins would be no protection.
    """
    path = folder / FILE_NAME
    return read_pinning(path) if path.exists() else TOFU


def read_pinning(path: Path) -> Pinning:
    """Read the pins of one file.

    Raises:
        InvalidInput: it cannot be read, or holds what is no pin.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise _wrong(path, "it is too large")
        return _pinning(canonical.parse(data), path)
    except OSError as error:
        raise _wrong(path, error.strerror or "it cannot be read") from None
    except (MalformedMetadata, InvalidKey) as error:
        raise _wrong(path, error.message.rstrip(".")) from None


def _pinning(value: Any, path: Path) -> Pinning:
    settings = shape.members(value, "the file", (), ("trust_pinning",))
    pins = shape.mapping(settings.get("trust_pinning", {}), "`trust_pinning`")
    if unknown := pins.keys() - {"disable_tofu", "certs", "keys", "ca"}:
        raise MalformedMetadata(f"`trust_pinning` has a member {min(unknown)[:40]!r} that is not known.")
    disabled = pins.get("disable_tofu", False)
    if not isinstance(disabled, bool):
        raise MalformedMetadata("`disable_tofu` has to be true or false.")
    key_ids: dict[str, frozenset[str]] = {}
    for member in ("certs", "keys"):
        for gun, ids in shape.mapping(pins.get(member, {}), f"`{member}`").items():
            key_ids[gun] = key_ids.get(gun, frozenset()) | _key_ids(gun, ids)
    listed = shape.mapping(pins.get("ca", {}), "`ca`")
    authorities = {prefix: _authorities(shape.text(name, "`ca`"), path) for prefix, name in listed.items()}
    return Pinning(key_ids, authorities, allows_first_use=not disabled)


def _key_ids(gun: str, value: Any) -> frozenset[str]:
    ids = [shape.text(item, "an id") for item in shape.list_or_null(value, f"the pins of {gun[:80]!r}")]
    for key_id in ids:
        if not _KEY_ID.fullmatch(key_id):
            raise MalformedMetadata(f"{key_id[:80]!r} is no key id: it has to be 64 digits of lower-case hex.")
    return frozenset(ids)


def _authorities(name: str, path: Path) -> tuple[x509.Certificate, ...]:
    found = read_authorities((path.parent / name).read_bytes())
    if not found:
        raise InvalidKey(f"{name[:200]!r} holds no certificate.")
    return found


def _wrong(path: Path, why: str) -> InvalidInput:
    return InvalidInput(f"The pins in {path} cannot be used: {why}.", next_step="Mend the file, then try again.")

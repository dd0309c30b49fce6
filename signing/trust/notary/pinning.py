"""Trust anchors fixed beforehand, instead of trusting the first root a server shows (reference 4.3, step 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from signing.trust.errors import InvalidKey, UntrustedRoot
from signing.trust.notary.root_certificates import issued_by, name_matches
from signing.trust.tuf.keys import PublicKey

if TYPE_CHECKING:
    from cryptography import x509

LONGEST_CHAIN = 6

Anchor = Literal["pinned key", "pinned authority", "first use", "nothing"]


@dataclass(frozen=True, slots=True)
class Pinning:
    """Which root keys are right for which GUN.

    `key_ids` has GUNs, or prefixes of them before a `*`, with the ids allowed there: TUF ids (of certificates) or
    canonical ids (of keys, which survive a new certificate). `authorities` has prefixes of GUNs with the certificates
    of authorities one of which must have issued the root certificate. What neither names is trusted on first use,
    where that is allowed.
    """

    key_ids: Mapping[str, frozenset[str]] = field(default_factory=dict)
    authorities: Mapping[str, tuple[x509.Certificate, ...]] = field(default_factory=dict)
    allows_first_use: bool = True

    def matching(
        self, keys: Mapping[str, PublicKey], gun: str, at: datetime, *, has_previous: bool
    ) -> dict[str, PublicKey]:
        """Give those of `keys` that the pins for `gun` allow; all of them where none is for it.

        Raises:
            UntrustedRoot: the pins allow none, or there are none and first use is not trusted.
        """
        if (allowed := self._key_ids_for(gun)) is not None:
            kept = {keyid: key for keyid, key in keys.items() if allowed & {keyid, key.canonical_id}}
        elif (authorities := self._authorities_for(gun)) is not None:
            kept = {keyid: key for keyid, key in keys.items() if _chains_to(key.certificates, authorities, at)}
        elif self.allows_first_use or has_previous:
            return dict(keys)
        else:
            raise UntrustedRoot(f"No root is pinned for {gun}, and a first root is not trusted unseen.", gun=gun)
        if not kept:
            raise UntrustedRoot(f"None of the root keys of {gun} is a pinned one.", gun=gun)
        return kept

    def anchor_of(self, gun: str) -> Anchor:
        """Tell what makes a first root of `gun` right: a pinned key or authority, seeing it first, or nothing."""
        if self._key_ids_for(gun) is not None:
            return "pinned key"
        if self._authorities_for(gun) is not None:
            return "pinned authority"
        return "first use" if self.allows_first_use else "nothing"

    def _key_ids_for(self, gun: str) -> frozenset[str] | None:
        if gun in self.key_ids:
            return self.key_ids[gun]
        stars = [pattern for pattern in self.key_ids if pattern.endswith("*") and name_matches(pattern, gun)]
        return self.key_ids[max(stars, key=len)] if stars else None

    def _authorities_for(self, gun: str) -> tuple[x509.Certificate, ...] | None:
        prefixes = [prefix for prefix in self.authorities if gun.startswith(prefix)]
        return self.authorities[max(prefixes, key=len)] if prefixes else None


TOFU = Pinning()
"""Trust on first use: what docker does."""


def read_authorities(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read the PEM bundle of authorities for a pin.

    Raises:
        InvalidKey: it holds no certificate.
    """
    from cryptography.x509 import load_pem_x509_certificates

    try:
        return tuple(load_pem_x509_certificates(pem))
    except ValueError:
        raise InvalidKey("The authorities' certificates cannot be read.") from None


def _chains_to(bundle: tuple[x509.Certificate, ...], authorities: tuple[x509.Certificate, ...], at: datetime) -> bool:
    """Walk from the leaf up through the bundle's own authorities until a pinned one signed."""
    certificate, between = bundle[0], bundle[1:]
    for depth in range(LONGEST_CHAIN):
        if issued_by(certificate, authorities, at, depth) is not None:
            return True
        issuer = issued_by(certificate, between, at, depth)
        if issuer is None:
            return False
        certificate, between = issuer, tuple(item for item in between if item != issuer)
    return False

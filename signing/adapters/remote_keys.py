"""Keys in key services, as the key store uses them: for the repositories of their own list, and for no others."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signing.adapters.key_services.aws_kms import AwsKms
from signing.adapters.key_services.base import KeyService
from signing.adapters.key_services.vault import VaultTransit
from signing.errors import BadKeyServiceAnswer, KeyNotForRepository
from signing.locations import AWS_KMS, ServiceLocation, parse_location
from signing.models import Key
from signing.trust.errors import InvalidInput
from signing.trust.keystore.outside import OutsideKey, Scheme
from signing.trust.tuf.keys import PublicKey

P256_HALF = 32


def service_at(location: ServiceLocation) -> KeyService:
    """Connect to the service that a location names."""
    return AwsKms(location) if location.service == AWS_KMS else VaultTransit(location)


def remote_key(location: ServiceLocation, public: PublicKey) -> OutsideKey:
    """Give a key of a service, ready to sign."""
    service = service_at(location)

    def sign(scheme: Scheme, payload: bytes) -> bytes:
        signature = service.sign(public, scheme, payload)
        return _raw(signature, service.name) if scheme == "ecdsa" else signature

    return OutsideKey(public, service.name, sign)


def open_remote(row: Key) -> OutsideKey:
    """Give the key of a row."""
    location = parse_location(row.location)
    if not isinstance(location, ServiceLocation):
        raise InvalidInput(f"The key {row} has no place in a key service.")
    return remote_key(location, PublicKey.from_pem(row.public_pem))


def require_allowed(row: Key, gun: str) -> None:
    """Raise unless a key's own list has this repository.

    Raises:
        KeyNotForRepository: it has not; a key without a list signs nothing.
    """
    if not any(_covers(allowed, gun) for allowed in row.allowed_guns):
        what = gun or "without a repository"
        raise KeyNotForRepository(f"The key {row} may not sign {what}: it is not on the key's own list.")


def _covers(allowed: str, gun: str) -> bool:
    return gun == allowed or (allowed.endswith("/*") and gun.startswith(allowed[:-1]))


def _raw(der: bytes, name: str) -> bytes:
    """Turn DER into r and s, as metadata has them."""
    try:
        r, s = decode_dss_signature(der)
        return r.to_bytes(P256_HALF) + s.to_bytes(P256_HALF)
    except (ValueError, OverflowError):
        raise BadKeyServiceAnswer(f"{name} answered with something that is no ECDSA signature of P-256.") from None

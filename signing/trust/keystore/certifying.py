"""Let the cryptography library make certificates and requests with a key that signs somewhere else."""

from __future__ import annotations

from typing import Any, NoReturn

from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from signing.trust.errors import BoundToToken, InvalidKey
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.outside import OutsideKey


def certifying(key: PrivateKey) -> Any:
    """Give what the library's builders sign with.

    Raises:
        InvalidKey: the key is an Ed25519 one.
    """
    if key.public.keytype == "ed25519":
        raise InvalidKey("An Ed25519 key cannot be certified: Notary knows ECDSA and RSA certificates.")
    if not isinstance(key, OutsideKey):
        return key.loaded
    return _OutsideEcdsa(key) if key.public.family == "ecdsa" else _OutsideRsa(key)


class _Outside:
    """What both kinds share: there is a public half, and nothing to write to a file."""

    def __init__(self, key: OutsideKey) -> None:
        self._key = key

    def public_key(self) -> Any:
        return self._key.public.loaded

    @property
    def key_size(self) -> int:
        return int(self.public_key().key_size)

    def private_numbers(self) -> NoReturn:
        raise self._bound()

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        raise self._bound()

    def _bound(self) -> BoundToToken:
        return BoundToToken(f"The private key {self._key.key_id[:12]} does not leave its place.")

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: Any) -> Any:
        return self


class _OutsideEcdsa(_Outside, ec.EllipticCurvePrivateKey):
    @property
    def curve(self) -> Any:
        return self.public_key().curve

    def exchange(self, *_: Any, **__: Any) -> NoReturn:
        raise self._bound()

    def sign(self, data: Any, signature_algorithm: Any) -> bytes:
        raw = self._key.sign_as("ecdsa", bytes(data))
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half]), int.from_bytes(raw[half:]))


class _OutsideRsa(_Outside, rsa.RSAPrivateKey):
    def decrypt(self, *_: Any, **__: Any) -> NoReturn:
        raise self._bound()

    def sign(self, data: Any, padding: padding.AsymmetricPadding, algorithm: Any) -> bytes:
        return self._key.sign_as("rsapkcs1v15", bytes(data))

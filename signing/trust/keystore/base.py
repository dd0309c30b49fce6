"""Private keys in use, and what any place that keeps them has to offer (reference 1.4, 2.2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signing.trust.errors import InvalidKey, KeyNotHeld
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Signature

AnyPrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class PrivateKey:
    """An opened private key. Neither `repr` nor a traceback shows it."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Any) -> None:
        """Wrap a key of the cryptography library.

        Raises:
            InvalidKey: of a kind Notary does not know, or weak.
        """
        if not isinstance(key, AnyPrivateKey):
            raise InvalidKey("Notary knows ECDSA, RSA and Ed25519 keys only.")
        self._key = key
        self.public = PublicKey.from_loaded(key.public_key())

    def __repr__(self) -> str:
        return f"<PrivateKey {self.key_id[:12]}>"

    @classmethod
    def generate(cls) -> PrivateKey:
        """Make a new ECDSA P-256 key, the kind Notary's tools make."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def key_id(self) -> str:
        """The canonical id: key files are named by it."""
        return self.public.key_id

    @property
    def loaded(self) -> AnyPrivateKey:
        """The key of the cryptography library, for writing key files and certificates."""
        return self._key

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        """Give the method and the signature over `payload`; ECDSA comes as r and s, not as DER."""
        if isinstance(self._key, ec.EllipticCurvePrivateKey):
            size = (self._key.curve.key_size + 7) // 8
            r, s = decode_dss_signature(self._key.sign(payload, ec.ECDSA(hashes.SHA256())))
            return "ecdsa", r.to_bytes(size) + s.to_bytes(size)
        if isinstance(self._key, rsa.RSAPrivateKey):
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
            return "rsapss", self._key.sign(payload, pss, hashes.SHA256())
        return "eddsa", self._key.sign(payload)

    def signature(self, keyid: str, payload: bytes) -> Signature:
        """Sign as the metadata key `keyid`, which differs from this key's own id where a certificate is around it."""
        method, sig = self.sign(payload)
        return Signature(keyid, method, sig)


class AbsentKey(PrivateKey):
    """A key whose private half is with its holder elsewhere. It signs nothing here; the holder can be asked."""

    __slots__ = ()

    def __init__(self, public: PublicKey) -> None:
        """Name the key."""
        self.public = public

    @property
    def loaded(self) -> AnyPrivateKey:
        """Refuse.

        Raises:
            KeyNotHeld: always.
        """
        raise self._not_here()

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        """Refuse.

        Raises:
            KeyNotHeld: always.
        """
        raise self._not_here()

    def _not_here(self) -> KeyNotHeld:
        return KeyNotHeld(
            f"The private key {self.key_id[:12]} is with its holder, not here.",
            next_step="Ask its holder to sign.",
            key_id=self.key_id,
        )


@dataclass(frozen=True, slots=True)
class KeyInfo:
    """What a store tells of a key unopened. `role` is the header of docker's key file: a signer's bare name."""

    key_id: str
    role: str
    gun: str | None = None


class PassphraseSource(Protocol):
    """Where passphrases come from: a terminal, the environment, a sealed secret."""

    def __call__(self, role: str, key_id: str, /, *, new: bool, attempt: int) -> str:
        """Give the passphrase of a key, counted from attempt 0.

        Raises:
            WrongPassphrase: there is none to give, or too many attempts were made.
        """


class KeyStore(Protocol):
    """A place that keeps private keys."""

    def list(self) -> list[KeyInfo]:
        """List what is kept, without opening anything."""

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id is kept here."""

    def open(self, key_id: str) -> PrivateKey:
        """Open one key.

        Raises:
            KeyNotHeld: it is not here.
            WrongPassphrase: it does not open.
        """

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Keep a new key; when this returns it is stored durably."""


def opened_once(store: KeyStore) -> Callable[[str], PrivateKey]:
    """Give an opener that asks `store` for each key once, so that a passphrase is asked once too."""
    opened: dict[str, PrivateKey] = {}

    def open_key(key_id: str) -> PrivateKey:
        if key_id not in opened:
            opened[key_id] = store.open(key_id)
        return opened[key_id]

    return open_key

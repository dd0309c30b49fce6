"""Private keys that are somewhere else, in a token or a key service, and sign there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from signing.trust.errors import BoundToToken, FalseSignature
from signing.trust.keystore.base import AnyPrivateKey, PrivateKey
from signing.trust.tuf.keys import PublicKey

Scheme = Literal["ecdsa", "rsapss", "rsapkcs1v15"]
"""How to sign: ECDSA with SHA-256 as r and s, or RSA with SHA-256; requests of RSA keys take PKCS #1 v1.5."""

Signing = Callable[[Scheme, bytes], bytes]

_METHODS: dict[str, Scheme] = {"ecdsa": "ecdsa", "rsa": "rsapss"}


class OutsideKey(PrivateKey):
    """A key that another device or server signs with. Each signature is verified before anything is done with it."""

    __slots__ = ("_signing", "_where")

    def __init__(self, public: PublicKey, where: str, signing: Signing) -> None:
        """Name the key; `where` names its place for people, `signing` signs a message there."""
        self.public = public.bare
        self._where = where
        self._signing = signing

    @property
    def loaded(self) -> AnyPrivateKey:
        """Refuse.

        Raises:
            BoundToToken: always.
        """
        raise BoundToToken(f"The private key {self.key_id[:12]} is in {self._where} and does not leave it.")

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        """Give the method and the signature over `payload`.

        Raises:
            FalseSignature: what came back is none by this key.
            KeyStoreError: the place does not sign now.
        """
        method = _METHODS[self.public.family]
        return method, self.sign_as(method, payload)

    def sign_as(self, scheme: Scheme, payload: bytes) -> bytes:
        """Sign in one of the ways the key has; see `sign`.

        Raises:
            FalseSignature: what came back is none by this key.
        """
        signature = self._signing(scheme, payload)
        if not self.public.verifies(scheme, signature, payload):
            raise FalseSignature(f"What {self._where} signed is no signature by the key {self.key_id[:12]}.")
        return signature

"""Signer keys in tokens: the signing worker asks the token each time, in a child process that ends afterwards.

The PIN comes with the operation, sealed, or is in the worker's settings; it is tried once. Nothing of the key is stored
here but its public half.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings

from signing.errors import SecretGone
from signing.locations import TokenLocation, parse_location
from signing.trust.errors import InvalidInput, KeyNotHeld, TokenUnavailable
from signing.trust.keystore.isolated import in_child
from signing.trust.keystore.outside import OutsideKey, Scheme
from signing.trust.keystore.pkcs11 import Token, TokenPlace
from signing.trust.tuf.keys import PublicKey


@dataclass(slots=True)
class TokenAccess:
    """One token for one operation. A PIN that it refused is not tried a second time."""

    location: TokenLocation
    pin: str = field(repr=False)
    insists: bool = False
    _refused: TokenUnavailable | None = None

    def __post_init__(self) -> None:
        if not settings.PKCS11_MODULE:
            raise TokenUnavailable(
                "This signing worker has no tokens.",
                next_step="Set PKCS11_MODULE to the module of the token's maker, and install requirements-hsm.txt.",
            )
        if self.location.pin_from_worker:
            self.pin = settings.PKCS11_PINS.get(self.location.token, "")
            if not self.pin:
                raise TokenUnavailable(
                    f"This signing worker has no PIN for the token {self.location.token}.",
                    next_step="Add it to PKCS11_PINS_FILE of the signing worker.",
                )
        if not self.pin:
            raise SecretGone("The PIN of the token is not here any more.", next_step="Try again and type the PIN anew.")

    def read(self) -> PublicKey:
        """Give the public half of the key.

        Raises:
            KeyStoreError: it cannot be read, and why.
        """
        return PublicKey.from_pem(self._ask(lambda token: token.labelled(self.location.label).to_pem().encode()))

    def key(self, public: PublicKey) -> OutsideKey:
        """Give the key, ready to sign."""

        def sign(_: Scheme, payload: bytes) -> bytes:
            return self._ask(lambda token: _signed(token, public, payload))

        return OutsideKey(public, f"the token {self.location.token}", sign)

    def _ask(self, work: Callable[[Token], bytes]) -> bytes:
        if self._refused is not None:
            raise self._refused
        place = TokenPlace(settings.PKCS11_MODULE, self.location.token, self.pin, writes=False, insists=self.insists)
        try:
            return in_child(lambda: work(Token(place)), settings.PKCS11_SECONDS, f"the token {place.label}")
        except TokenUnavailable as error:
            self._refused = error
            raise


def token_location(text: str) -> TokenLocation:
    """Read the location of a key in a token.

    Raises:
        InvalidInput: it is none.
    """
    location = parse_location(text)
    if not isinstance(location, TokenLocation):
        raise InvalidInput("That is no place of a key in a token.")
    return location


def _signed(token: Token, public: PublicKey, payload: bytes) -> bytes:
    if not token.holds(public.canonical_id):
        raise KeyNotHeld(
            f"The token {token.place.label} does not hold the key {public.canonical_id[:12]} any more.",
            next_step="Put in the token it was enrolled from, or enrol the key that is there now.",
        )
    return token.open(public.canonical_id).sign(payload)[1]

"""Private keys on a token (an HSM, a smart card, SoftHSM) that signs with them and never gives them away: PKCS#11 2.40.

The library that speaks to tokens is an extra (requirements-hsm.txt); everything else works without it. It is loaded by
the first use of a token.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_certificate

from signing.trust.errors import (
    BoundToToken,
    InvalidKey,
    KeyNotHeld,
    LastTry,
    PinLocked,
    TokenGone,
    TokenMismatch,
    TokenUnavailable,
    WrongPin,
)
from signing.trust.keystore.base import AnyPrivateKey, KeyInfo, PrivateKey
from signing.trust.tuf.keys import PublicKey

if TYPE_CHECKING:
    import pkcs11

Result = TypeVar("Result")

CURVE = "secp256r1"
_PIN_ERRORS = ("PinIncorrect", "PinInvalid", "PinLenRange", "PinExpired", "PinLocked", "UserPinNotInitialized")
_GONE_ERRORS = ("NoSuchToken", "TokenNotPresent", "TokenNotRecognised", "DeviceRemoved", "SlotIDInvalid")

_loaded_by: dict[str, int] = {}
"""Which process loaded a module. A child that a process forks has to load it anew (PKCS#11 2.40, 6.6.1)."""


@dataclass(frozen=True, slots=True)
class TokenPlace:
    """Where a token is: the file of its maker's PKCS#11 module, its label, and the PIN of its user.

    `writes`: keys are made on it. `insists`: the PIN is given even where one more wrong one would lock the token.
    """

    module: str
    label: str
    pin: str = field(repr=False)
    writes: bool = True
    insists: bool = False


class TokenKey(PrivateKey):
    """A key on a token. It signs like any other; there is nothing of it to write to a file."""

    __slots__ = ("_sign",)

    def __init__(self, public: PublicKey, sign: Callable[[bytes], bytes]) -> None:
        """Name the key; `sign` signs a SHA-256 digest and gives r and s."""
        self.public = public
        self._sign = sign

    @property
    def loaded(self) -> AnyPrivateKey:
        """Refuse.

        Raises:
            BoundToToken: always.
        """
        raise BoundToToken(f"The private key {self.key_id[:12]} is on a token and does not leave it.")

    def sign(self, payload: bytes) -> tuple[str, bytes]:
        """Give the method and the signature over `payload`.

        Raises:
            TokenUnavailable: the token does not sign now.
        """
        return "ecdsa", self._sign(hashlib.sha256(payload).digest())


class Token:
    """One token, as a place that keeps ECDSA keys.

    There is one session for each process, opened when it is needed and once more when it was lost: after a fork, when
    the token was pulled, or when its module was restarted. A PIN that was refused is not tried again, as tokens lock
    themselves after a few.
    """

    def __init__(self, place: TokenPlace) -> None:
        self.place = place
        self._lock = threading.RLock()
        self._session: pkcs11.Session | None = None
        self._process = 0
        self._handles: dict[str, Any] = {}
        self._refused: TokenUnavailable | None = None

    def check(self) -> None:
        """Raise unless the token can be used.

        Raises:
            TokenUnavailable: and why.
        """
        self._use(lambda session: session.token.label)
        self.holds("0" * 64)

    def generate(self, label: str) -> PrivateKey:
        """Make a key on the token that cannot be read from it; `label` is for people who look there.

        Raises:
            TokenUnavailable: no token, or it makes no such keys.
        """
        return self._use(lambda session: self._generate(session, label))

    def list(self) -> list[KeyInfo]:
        """List the keys by their labels; keys of kinds that Notary does not know are left out."""
        return self._use(lambda session: [KeyInfo(public.key_id, label) for public, label, _ in _publics(session)])

    def labelled(self, label: str) -> PublicKey:
        """Give the public half of the one key with this label.

        Raises:
            KeyNotHeld: there is none.
            TokenMismatch: there are several, or a certificate that is around another key.
            TokenUnavailable: the token does not answer.
        """
        return self._use(lambda session: _labelled(session, label, self.place))

    def holds(self, key_id: str) -> bool:
        """Tell whether the key of this canonical id is on the token."""
        return self._use(lambda session: self._found(session, key_id)) is not None

    def open(self, key_id: str) -> PrivateKey:
        """Give one key.

        Raises:
            KeyNotHeld: it is not on the token.
            TokenUnavailable: the token does not answer.
        """
        found = self._use(lambda session: self._found(session, key_id))
        if found is None:
            raise KeyNotHeld(f"The private key {key_id[:12]} is not on the token {self.place.label}.", key_id=key_id)
        return self._key(found)

    def add(self, key: PrivateKey, role: str, gun: str | None = None) -> None:
        """Refuse: a key that was outside is not one that never leaves the token.

        Raises:
            InvalidKey: always.
        """
        raise InvalidKey(f"The token {self.place.label} takes no keys from outside.", next_step="Make the key on it.")

    def _generate(self, session: pkcs11.Session, label: str) -> PrivateKey:
        from pkcs11 import Attribute, KeyType, MechanismFlag
        from pkcs11.util.ec import encode_named_curve_parameters

        curve = {Attribute.EC_PARAMS: encode_named_curve_parameters(CURVE)}
        public_half, private_half = session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(
            id=os.urandom(16),
            label=label,
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        public = _public(public_half)
        for half in (public_half, private_half):  # so that it is found without reading all keys
            half[Attribute.ID] = bytes.fromhex(public.key_id)
        self._handles[public.key_id] = private_half
        return self._key(public)

    def _key(self, public: PublicKey) -> PrivateKey:
        return TokenKey(public, lambda digest: self._signature(public.key_id, digest))

    def _signature(self, key_id: str, digest: bytes) -> bytes:
        from pkcs11 import Mechanism

        def sign(session: pkcs11.Session) -> bytes:
            if key_id not in self._handles and self._found(session, key_id) is None:
                raise KeyNotHeld(f"The private key {key_id[:12]} is not on the token {self.place.label} any more.")
            return bytes(self._handles[key_id].sign(digest, mechanism=Mechanism.ECDSA))

        return self._use(sign)

    def _found(self, session: pkcs11.Session, key_id: str) -> PublicKey | None:
        """Find a key that was made here by its id, any other among all public keys."""
        from pkcs11 import Attribute, ObjectClass

        for named in ({Attribute.ID: bytes.fromhex(key_id)}, {}):
            for public, _, key in _publics(session, named):
                if public.key_id != key_id:
                    continue
                private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: key[Attribute.ID]}
                for handle in session.get_objects(private):
                    self._handles[key_id] = handle
                    return public
        return None

    def _use(self, work: Callable[[pkcs11.Session], Result]) -> Result:
        """Do something with the session; where it was lost, once more with a new one."""
        with self._lock:
            session, is_new = self._opened()
            with _explained(self.place):
                try:
                    return work(session)
                except _token_errors():
                    if is_new:
                        self._forget()
                        raise
            self._forget()
            session, _ = self._opened(anew=True)
            with _explained(self.place):
                return work(session)

    def _opened(self, *, anew: bool = False) -> tuple[pkcs11.Session, bool]:
        if self._session is not None and self._process == os.getpid():
            return self._session, False
        if self._refused is not None:
            raise self._refused
        self._forget()
        try:
            with _explained(self.place):
                self._session = _session(self.place, anew=anew)
        except TokenUnavailable as error:
            if isinstance(error, WrongPin | PinLocked | LastTry):
                self._refused = error
            raise
        self._process = os.getpid()
        return self._session, True

    def _forget(self) -> None:
        self._session = None
        self._handles = {}


def _session(place: TokenPlace, *, anew: bool) -> pkcs11.Session:
    import pkcs11

    library = pkcs11.lib(place.module)
    if anew or _loaded_by.get(place.module, os.getpid()) != os.getpid():
        library.reinitialize()
    _loaded_by[place.module] = os.getpid()
    token = library.get_token(token_label=place.label)
    _require_tries(token, place)
    try:
        return token.open(rw=place.writes, user_pin=place.pin)
    except pkcs11.UserAlreadyLoggedIn:  # all sessions of a process are logged in together
        return token.open(rw=place.writes)


def _require_tries(token: pkcs11.Token, place: TokenPlace) -> None:
    """Look what the token says about its PIN before one is tried."""
    from pkcs11 import TokenFlag

    flags = token.flags
    if flags & TokenFlag.USER_PIN_LOCKED:
        raise PinLocked(f"The token {place.label} is locked: its PIN was wrong too often.", reason="PinLocked")
    if flags & TokenFlag.USER_PIN_FINAL_TRY and not place.insists:
        raise LastTry(
            f"The token {place.label} says that one more wrong PIN locks it, so none was tried.", reason="PinFinalTry"
        )


def _labelled(session: pkcs11.Session, label: str, place: TokenPlace) -> PublicKey:
    from pkcs11 import Attribute, ObjectClass

    found = list(_publics(session, {Attribute.LABEL: label}))
    if not found:
        raise KeyNotHeld(
            f"There is no ECDSA key {label!r} on the token {place.label}.",
            next_step="Compare the label with what the token's own program lists; it also needs the public half there.",
        )
    if len(found) > 1:
        raise TokenMismatch(f"There are {len(found)} keys {label!r} on the token {place.label}.")
    public, _, handle = found[0]
    around = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.ID: handle[Attribute.ID]}
    for certificate in list(session.get_objects(around)):
        if _certified(certificate[Attribute.VALUE]) != public.material:
            raise TokenMismatch(f"The certificate of {label!r} on the token {place.label} is around another key.")
    return public


def _certified(der: bytes) -> bytes:
    """Give the key a certificate is around; none where it cannot be read."""
    with contextlib.suppress(ValueError, InvalidKey):
        return PublicKey.from_certificates([load_der_x509_certificate(der)]).material
    return b""


def _publics(session: pkcs11.Session, attributes: dict[Any, Any] | None = None) -> Iterator[tuple[PublicKey, str, Any]]:
    """Give the public keys of the kind Notary knows, with their labels and the token's own objects."""
    from pkcs11 import Attribute, KeyType, ObjectClass

    wanted = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, Attribute.KEY_TYPE: KeyType.EC, **(attributes or {})}
    for found in list(session.get_objects(wanted)):
        with contextlib.suppress(InvalidKey):
            yield _public(found), str(found[Attribute.LABEL]), found


def _public(found: Any) -> PublicKey:
    from pkcs11.util.ec import encode_ec_public_key

    try:
        loaded = load_der_public_key(encode_ec_public_key(found))
    except Exception as error:
        if isinstance(error, _token_errors()):
            raise
        raise InvalidKey("The token holds a key of a kind that cannot be read.") from None
    if not isinstance(loaded, ec.EllipticCurvePublicKey):
        raise InvalidKey("Of a token's keys only those of ECDSA can be used.")
    return PublicKey.from_loaded(loaded)


def _token_errors() -> type[Exception]:
    from pkcs11 import PKCS11Error

    return PKCS11Error


@contextlib.contextmanager
def _explained(place: TokenPlace) -> Iterator[None]:
    """Say in one sentence what a module says with an error code."""
    try:
        errors = _token_errors()
    except ImportError:
        raise TokenUnavailable(
            "This installation has no PKCS#11 library.", next_step="Install what requirements-hsm.txt names."
        ) from None
    try:
        yield
    except errors as error:
        reason = type(error).__name__
        if reason == "PinLocked":
            raise PinLocked(f"The token {place.label} is locked: its PIN was wrong too often.", reason=reason) from None
        if reason in _PIN_ERRORS:
            raise WrongPin(
                f"The token {place.label} does not take its PIN ({reason}); it is not tried again.", reason=reason
            ) from None
        if reason in _GONE_ERRORS:
            raise TokenGone(f"There is no token with the label {place.label}.", reason=reason) from None
        said = str(error) or reason
        raise TokenUnavailable(f"The token {place.label} does not answer as it should: {said}", reason=reason) from None

"""The key a holder signs with: of the trust folder, of a file, or on a token."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.key_reading import open_key, read_key_file
from signing.local_signer.session import Session
from signing.trust.errors import WrongPassphrase
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pem import KeyFile

PIN_VARIABLE = "TRUSTCTL_PIN"


def opened_key(session: Session, arguments: Namespace, key_id: str) -> PrivateKey:
    """Open the key the options name, else the one of this id in the trust folder.

    Raises:
        KeyNotHeld: it is not there.
        WrongPassphrase: it does not open.
        TokenUnavailable: the token does not let it be used.
    """
    if arguments.key_file:
        file = KeyFile.parse(read_key_file(arguments.key_file))
        return open_key(file, file.role or "signer", session.passphrases)
    if arguments.pkcs11_module:
        return _on_token(session, arguments, key_id)
    return session.keystore().open(key_id)


def _on_token(session: Session, arguments: Namespace, key_id: str) -> PrivateKey:
    from signing.trust.keystore.pkcs11 import Token, TokenPlace

    pin = session.environ.get(PIN_VARIABLE) or _typed_pin(session, arguments.token)
    return Token(TokenPlace(str(arguments.pkcs11_module), arguments.token, pin)).open(key_id)


def _typed_pin(session: Session, label: str) -> str:
    from getpass import getpass

    if not session.can_ask:
        raise WrongPassphrase(
            "The token's PIN is needed and there is no terminal to ask at.", next_step=f"Set {PIN_VARIABLE}."
        )
    return getpass(f"PIN of the token {label}: ")

"""`trustctl key certificate KEY FILE`: check what a certificate authority sent and keep it for `signer add`."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key
from signing.local_signer.new_files import place_for, write_new
from signing.local_signer.public_keys import read_public_keys
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.errors import InvalidKey
from signing.trust.tuf.keys import PublicKey


def run(session: Session, arguments: Namespace) -> Exit:
    """Write `NAME.crt` only if the certificate is for the key, is valid now, and its chain holds together."""
    info = choose_key(session.keystore(), arguments.key)
    (key,) = read_public_keys([arguments.file])
    _require_certificate_of(info.key_id, key)
    _require_chain(key, datetime.now(UTC))
    path = place_for(arguments.dir, f"{info.role or info.key_id[:12]}.crt")
    write_new(path, key.public.decode())
    leaf = key.certificates[0]
    if arguments.json:
        until = leaf.not_valid_after_utc.isoformat()
        say_json({"key_id": info.key_id, "certificate_id": key.key_id, "file": str(path), "valid_until": until})
    else:
        say(f"The certificate is the key's and holds until {leaf.not_valid_after_utc:%d %B %Y}. It is in {path}:")
        say(f"give that to `trustctl signer add --key {path} {info.role} REPOSITORY`.")
    return Exit.DONE


def _require_certificate_of(key_id: str, key: PublicKey) -> None:
    if not key.is_certified:
        raise InvalidKey("This file holds no certificate.", next_step="Name the file that the authority sent.")
    if key.canonical_id != key_id:
        raise InvalidKey(
            f"This certificate is for the key {key.canonical_id[:12]}, not for {key_id[:12]}.",
            next_step="Name the other key, or have this one certified.",
        )


def _require_chain(key: PublicKey, now: datetime) -> None:
    """Require each certificate to be issued by the next; who the last one is, readers decide by their pins."""
    certificates = key.certificates
    for issued, issuer in pairwise(certificates):
        try:
            issued.verify_directly_issued_by(issuer)
        except (ValueError, TypeError, InvalidSignature):
            raise InvalidKey(
                f"The chain is broken: {_name(issuer)} did not issue {_name(issued)}.",
                next_step="Put the certificate first, then that of its issuer, and so on.",
            ) from None
        if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc:
            raise InvalidKey(f"The certificate of {_name(issuer)} is out of its time.", next_step="Get a newer chain.")


def _name(certificate: x509.Certificate) -> str:
    return repr(certificate.subject.rfc4514_string())[:200]

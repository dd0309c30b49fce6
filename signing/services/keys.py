"""Keys: made or imported by the signing worker, or enrolled by their public half.

Nothing here opens a private key. A passphrase or a key file passes through sealed to the signing worker.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from signing.certificates import check_certificates
from signing.errors import Conflict
from signing.models import Account, Key, Operation, Repository, User
from signing.permissions import require
from signing.roles import memberships_of
from signing.services import audit
from signing.services.signers import check_signer_name
from signing.services.work import start_operation
from signing.trust.errors import InvalidInput, InvalidKey
from signing.trust.tuf.keys import PublicKey

MINIMUM_PASSPHRASE = 8  # as docker and notary ask for
MAXIMUM_KEY_FILE = 64 * 1024


@transaction.atomic
def generate_key(
    *,
    actor: User,
    account: Account,
    purpose: str,
    name: str,
    passphrase: str,
    unattended: bool = False,
) -> Operation:
    """Have the signing worker make a root or signer key, encrypted under this passphrase.

    With `unattended` the worker keeps the passphrase too, sealed to itself, so that nobody is asked later.
    """
    name = authorise_purpose(actor, account, purpose, name)
    if purpose == Key.Purpose.REPOSITORY:
        raise InvalidInput(
            "A repository key is made when a repository is initialised, not by itself.",
            next_step="Request a first signer for the repository; approving it makes the key.",
        )
    _require_one_root_key(account, purpose)
    _check_passphrase(passphrase)
    operation = start_operation(
        Operation.Kind.GENERATE_KEY,
        actor=actor,
        account=account,
        parameters={"purpose": purpose, "name": name, "unattended": unattended},
        secrets={"signer": passphrase},
    )
    audit.record(
        actor,
        "generate_key",
        account=account,
        subject=name,
        purpose=purpose,
        custody=Key.Custody.SEALED,
        unattended=unattended,
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def import_key(
    *,
    actor: User,
    account: Account,
    key_pem: str,
    name: str,
    passphrase: str,
    unattended: bool = False,
    purpose: str = Key.Purpose.SIGNER,
) -> Operation:
    """Have the signing worker take over a key file that docker or notary wrote, with its passphrase."""
    name = authorise_purpose(actor, account, purpose, name)
    _require_one_root_key(account, purpose)
    if "PRIVATE KEY" not in key_pem or len(key_pem) > MAXIMUM_KEY_FILE:
        raise InvalidKey(
            "That is not a private key file.",
            next_step="Choose the file docker or notary wrote (private/....key); it begins with BEGIN ... KEY.",
        )
    if not passphrase:
        raise InvalidInput("The key file's passphrase is needed.")
    operation = start_operation(
        Operation.Kind.IMPORT_KEY,
        actor=actor,
        account=account,
        parameters={"purpose": purpose, "name": name, "unattended": unattended},
        secrets={"import": key_pem, "signer": passphrase},
    )
    audit.record(
        actor,
        "import_key",
        account=account,
        subject=name,
        purpose=purpose,
        custody=Key.Custody.SEALED,
        unattended=unattended,
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def enrol_public_key(
    *,
    actor: User,
    account: Account,
    name: str,
    public_pem: str,
    purpose: str = Key.Purpose.SIGNER,
    repository: Repository | None = None,
    owner: User | None = None,
) -> Key:
    """Store the public half of a key whose private half stays with its holder, who is asked for each signature.

    A lead may enrol a root or repository key for another member of the account, who holds it. An account's holders
    may have any number of root keys; a new repository is initialised under the one added last.
    """
    name = authorise_purpose(actor, account, purpose, name)
    public = PublicKey.from_pem(public_pem)
    gun = gun_of_key(account, purpose, repository)
    owner = _holder(actor, account, purpose, owner)
    if purpose == Key.Purpose.ROOT and public.bare.keytype == "ed25519":
        raise InvalidKey("Notary's clients know root keys with certificates only, which Ed25519 keys cannot have.")
    if Key.objects.filter(key_id=public.canonical_id).exists():
        raise Conflict("This key is enrolled already.", next_step="Use the enrolled key, or another one.")
    key = Key(
        key_id=public.canonical_id,
        purpose=purpose,
        custody=Key.Custody.CLIENT,
        name=name,
        keytype=public.bare.keytype,
        public_pem=public.bare.to_pem(),
        account=account,
        gun=gun,
        owner=owner,
    )
    if public.certificates and purpose == Key.Purpose.SIGNER:
        _attach(key, public_pem, public)
    key.save()
    audit.record(
        actor,
        "enrol_key",
        account=account,
        subject=key,
        key=key.key_id,
        purpose=purpose,
        custody=key.custody,
        repository=gun,
        holder=owner.username,
    )
    return key


@transaction.atomic
def request_csr(*, actor: User, key: Key, passphrase: str | None = None) -> Operation:
    """Have the signing worker make a certificate request for a key it holds."""
    require(actor, "use_key", key)
    if not key.is_held_here:
        raise InvalidInput(
            "This key's private half is not here, so no certificate request can be made here.",
            next_step="Make it where the key is, then attach the certificate.",
        )
    if key.asks_passphrase and not passphrase:
        raise InvalidInput("The key's passphrase is needed.")
    operation = start_operation(
        Operation.Kind.MAKE_CSR,
        actor=actor,
        account=key.account,
        key=key,
        secrets={"signer": passphrase} if key.asks_passphrase and passphrase else {},
    )
    audit.record(
        actor,
        "request_csr",
        account=key.account,
        subject=key,
        key=key.key_id,
        custody=key.custody,
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def attach_certificate(*, actor: User, key: Key, pem: str) -> Key:
    """Keep the certificate an authority issued for a key, leaf first and then its chain.

    Raises:
        InvalidKey: it is not for this key, not for signing or not valid now, or its chain is broken.
    """
    require(actor, "use_key", key)
    certified = PublicKey.from_pem(pem)
    _attach(key, pem, certified)
    key.save(update_fields=["certificate_pem", "certificate_expires"])
    audit.record(
        actor,
        "attach_certificate",
        account=key.account,
        subject=key,
        key=key.key_id,
        custody=key.custody,
        expires=key.certificate_expires.isoformat() if key.certificate_expires else "",
    )
    return key


def authorise_purpose(actor: User, account: Account, purpose: str, name: str) -> str:
    """Check the right for this purpose and return the name the key file will carry."""
    if purpose not in Key.Purpose.values:
        raise InvalidInput(f"{purpose!r} is no purpose of a key.")
    if purpose == Key.Purpose.SIGNER:
        require(actor, "create_key", account)
        check_signer_name(name)
        return name
    require(actor, "manage_root_keys", account)
    return "root" if purpose == Key.Purpose.ROOT else "targets"


def gun_of_key(account: Account, purpose: str, repository: Repository | None) -> str:
    """Name the repository that a repository key is for."""
    if purpose != Key.Purpose.REPOSITORY:
        return ""
    if repository is None or repository.account_id != account.pk:
        raise InvalidInput(f"Choose the repository of {account} that this key is for.")
    return repository.gun


def _holder(actor: User, account: Account, purpose: str, owner: User | None) -> User:
    """Tell who holds a key: whoever enrols it, unless a lead names another member."""
    if owner is None or owner == actor:
        return actor
    if purpose == Key.Purpose.SIGNER:
        raise InvalidInput("A signer key is enrolled by the one who holds it.")
    if not memberships_of(owner).filter(account=account).exists():
        raise InvalidInput(f"{owner} has no role in {account}.", next_step="Give them a role first.")
    return owner


def _require_one_root_key(account: Account, purpose: str) -> None:
    if purpose == Key.Purpose.ROOT and account.keys.filter(purpose=Key.Purpose.ROOT).exists():
        raise Conflict(
            f"{account} has a root key already; an account uses exactly one.", next_step="Use the one that is there."
        )


def _check_passphrase(passphrase: str) -> None:
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise InvalidInput(f"A passphrase has at least {MINIMUM_PASSPHRASE} characters.")


def _attach(key: Key, pem: str, certified: PublicKey) -> None:
    check_certificates(certified, key.key_id, timezone.now())
    key.certificate_pem = pem.strip() + "\n"
    key.certificate_expires = certified.certificates[0].not_valid_after_utc

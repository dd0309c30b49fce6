"""Make, import and certify keys, in the signing worker."""

from __future__ import annotations

import secrets as random_secrets

from signing.adapters.held_keys import held_keys
from signing.adapters.sealed_keys import store_key
from signing.adapters.unsealing import take_secrets
from signing.errors import Conflict, SecretGone
from signing.jobs.run import Run, perform
from signing.models import Key, Rotation
from signing.trust.errors import InvalidKey
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.certificates import certificate_request
from signing.trust.keystore.pem import KeyFile


def generate_key(operation_id: int) -> None:
    """Make a root or signer key."""
    perform("generate_key", operation_id, _generate)


def import_key(operation_id: int) -> None:
    """Take over a key file of docker or notary."""
    perform("import_key", operation_id, _import)


def make_csr(operation_id: int) -> None:
    """Make a certificate request for a key."""
    perform("make_csr", operation_id, _make_csr)


def _generate(run: Run) -> None:
    if run.operation.key:
        return  # the worker was lost after it had stored the key
    secrets = take_secrets(run.operation)
    replaced = _replaced(run)
    # a successor that signs unattended, as the key before it did, takes a passphrase that nobody ever needs to know
    passphrase = random_secrets.token_urlsafe(32) if replaced and not secrets else _passphrase(secrets)
    _keep(run, PrivateKey.generate(), passphrase, gun=replaced.key.gun if replaced else "")


def _import(run: Run) -> None:
    if run.operation.key:
        return
    secrets = take_secrets(run.operation)
    passphrase = _passphrase(secrets)
    if "import" not in secrets:
        raise SecretGone("The key file is not here any more.", next_step="Import the key file again.")
    file = KeyFile.parse(secrets["import"])
    purpose = run.operation.parameters["purpose"]
    _check_purpose(purpose, file)
    _keep(run, file.open(passphrase), passphrase, gun=file.gun or "" if purpose == Key.Purpose.REPOSITORY else "")


def _make_csr(run: Run) -> None:
    key = run.operation.key
    if key is None:
        raise InvalidKey("The key was removed meanwhile.")
    store = held_keys(key.account, [key], take_secrets(run.operation), insists=run.operation.insists)
    key.csr_pem = certificate_request(store.open_to_certify(key.key_id), key.name)
    key.save(update_fields=["csr_pem"])
    run.say("The certificate request is on the key's page.")


def _keep(run: Run, private: PrivateKey, passphrase: str, *, gun: str) -> None:
    operation = run.operation
    if operation.account is None:
        raise InvalidKey("The account was removed meanwhile.")
    purpose = operation.parameters["purpose"]
    replaced = _replaced(run)
    if purpose == Key.Purpose.ROOT and replaced is None and operation.account.keys.filter(purpose=purpose).exists():
        raise Conflict(f"{operation.account} has a root key already; an account uses exactly one.")
    key = store_key(
        private,
        account=operation.account,
        purpose=purpose,
        name=operation.parameters["name"],
        passphrase=passphrase,
        gun=gun,
        owner=replaced.key.owner if replaced else operation.requested_by,
        is_unattended=bool(operation.parameters.get("unattended")),
    )
    operation.key = key
    operation.save(update_fields=["key"])
    if replaced is not None:
        Rotation.objects.filter(pk=replaced.pk).update(replacement=key)
    run.result["key_id"] = key.key_id
    run.say(f"The key {key.key_id[:12]} is stored.")


def _replaced(run: Run) -> Rotation | None:
    """Find the replacement for which a key is made."""
    pk = run.operation.parameters.get("rotation")
    return Rotation.objects.select_related("key__owner").filter(pk=pk).first() if pk else None


def _passphrase(secrets: dict[str, str]) -> str:
    if not secrets.get("signer"):
        raise SecretGone("The passphrase is not here any more.")
    return secrets["signer"]


def _check_purpose(purpose: str, file: KeyFile) -> None:
    """Refuse to take a key for something else than its file says; a file without the header says nothing."""
    role = file.role
    found = {"root": Key.Purpose.ROOT, "targets": Key.Purpose.REPOSITORY}.get(role or "", Key.Purpose.SIGNER)
    if role in ("snapshot", "timestamp"):
        raise InvalidKey(f"This is a {role} key; the trust server keeps those.", next_step="Leave it with the server.")
    if role and found != purpose:
        raise InvalidKey(
            f"The key file says it is a {found.label.lower()}, not a {Key.Purpose(purpose).label.lower()}.",
            next_step="Import it for what it is, or choose another file.",
        )
    if purpose == Key.Purpose.REPOSITORY and not file.gun:
        raise InvalidKey(
            "The key file does not say which repository it belongs to.",
            next_step="Add a gun header with the repository's name, as docker writes it.",
        )

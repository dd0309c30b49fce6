"""Keys in tokens and key services: enrol one, and say which repositories a service's key may sign."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from signing.locations import PIN_FROM_WORKER, TokenLocation, parse_location
from signing.models import Account, Key, Operation, Repository, User
from signing.permissions import require
from signing.services import audit
from signing.services.keys import authorise_purpose, gun_of_key
from signing.services.work import start_operation
from signing.trust.errors import InvalidInput
from signing.trust.notary.gun import Gun

MOST_ALLOWED = 100
MAXIMUM_PIN = 255


@transaction.atomic
def enrol_held_key(
    *,
    actor: User,
    account: Account,
    location: str,
    name: str = "",
    purpose: str = Key.Purpose.SIGNER,
    pin: str = "",
    allowed_guns: Sequence[str] = (),
    repository: Repository | None = None,
) -> Operation:
    """Have the signing worker read a key's public half from its token or key service, and have it sign a challenge.

    What only its own credentials open, a service's key or a token whose PIN is in the worker's settings, is for leads:
    nobody else shows there that the key is theirs.

    Raises:
        InvalidInput: the place, the list of repositories or the PIN is missing or malformed.
    """
    name = authorise_purpose(actor, account, purpose, name)
    place = parse_location(location)
    is_token = isinstance(place, TokenLocation)
    if isinstance(place, TokenLocation) and not pin:
        place = TokenLocation(place.token, place.label, pin_from_worker=True)
    if not is_token or str(place).endswith(PIN_FROM_WORKER):
        require(actor, "manage_root_keys", account)
    _check_pin(pin, is_token and not str(place).endswith(PIN_FROM_WORKER))
    custody = Key.Custody.PKCS11 if is_token else Key.Custody.REMOTE
    allowed = checked_guns(account, allowed_guns, custody)
    operation = start_operation(
        Operation.Kind.ENROL_KEY,
        actor=actor,
        account=account,
        parameters={
            "purpose": str(purpose),
            "name": name,
            "custody": custody.value,
            "location": str(place),
            "allowed_guns": allowed,
            "gun": gun_of_key(account, purpose, repository),
        },
        secrets={"signer": pin} if pin else {},
    )
    audit.record(
        actor,
        "enrol_held_key",
        account=account,
        subject=name,
        purpose=str(purpose),
        custody=custody.value,
        location=str(place),
        allowed_guns=allowed,
        operation=operation.pk,
    )
    return operation


@transaction.atomic
def change_allowed_guns(*, actor: User, key: Key, allowed_guns: Sequence[str]) -> Key:
    """Say what a key in a key service may sign from now on.

    Raises:
        InvalidInput: it is in no key service, or the list is malformed.
    """
    require(actor, "manage_root_keys", key.account)
    if key.custody != Key.Custody.REMOTE:
        raise InvalidInput("Only a key in a key service has a list of what it may sign.")
    before, key.allowed_guns = key.allowed_guns, checked_guns(key.account, allowed_guns, Key.Custody.REMOTE)
    key.save(update_fields=["allowed_guns"])
    audit.record(
        actor,
        "change_allowed_guns",
        account=key.account,
        subject=key,
        key=key.key_id,
        custody=key.custody,
        before=before,
        after=key.allowed_guns,
    )
    return key


def checked_guns(account: Account, allowed: Sequence[str], custody: Key.Custody) -> list[str]:
    """Check what a key may sign: repositories of its account, or beginnings of their names that end with /*.

    Raises:
        InvalidInput: it is something else.
    """
    guns = sorted({text.strip() for text in allowed if text.strip()})
    if custody != Key.Custody.REMOTE:
        if guns:
            raise InvalidInput("Only a key in a key service has a list of what it may sign.")
        return []
    if not guns:
        raise InvalidInput(
            "A key in a key service signs for the repositories on its list only, and the list is empty.",
            next_step=f"Name repositories, or {_beginning(account)}* for all of the account.",
        )
    if len(guns) > MOST_ALLOWED:
        raise InvalidInput(f"The list has at most {MOST_ALLOWED} lines.", next_step="Use lines that end with /*.")
    for gun in guns:
        if gun != f"{_beginning(account)}*":
            Gun.parse(gun[:-2] if gun.endswith("/*") else gun)
        if not gun.startswith(_beginning(account)):
            raise InvalidInput(f"{gun} is not of the account {account}, whose names begin with {_beginning(account)}.")
    return guns


def _beginning(account: Account) -> str:
    return f"{account.registry}/{account.namespace}/" if account.namespace else f"{account.registry}/"


def _check_pin(pin: str, is_asked: bool) -> None:
    if pin and not is_asked:
        raise InvalidInput("A PIN is for a key in a token; the worker's own settings hold it, or you type it.")
    if len(pin) > MAXIMUM_PIN or "\0" in pin:
        raise InvalidInput("That is no PIN.")

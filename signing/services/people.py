"""People: who may sign in, and with which password they begin.

Nobody is ever deleted: what a person did stays in the record under their name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q

from signing.errors import Conflict
from signing.models import User
from signing.one_time_passwords import one_time_password
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import InvalidInput, InvalidName

LONGEST_USERNAME = LONGEST_NAME = 150


@dataclass(frozen=True, slots=True)
class Handover:
    """A person and the one-time password to hand them; it is kept nowhere, so this is the only time to show it."""

    person: User
    password: str = field(repr=False)


@transaction.atomic
def create_person(*, actor: User, username: str, full_name: str = "", email: str = "") -> Handover:
    """Let a new person sign in. They belong to no account until a lead or an administrator gives them a role."""
    require(actor, "manage_people")
    _check_username(username)
    _check_full_name(full_name)
    if email:
        _check_email(email)
    # The whole name goes into one field: not everybody's splits into two, and only the whole is ever shown.
    person = User(username=username, first_name=full_name, email=email)
    handover = _with_new_password(person)
    audit.record(actor, "create_person", account=None, subject=username, full_name=full_name)
    return handover


@transaction.atomic
def give_new_password(*, actor: User, person: User) -> Handover:
    """Replace a forgotten password by a one-time password; who is signed in with the old one is signed out."""
    require(actor, "manage_people")
    if actor == person:
        raise Conflict(
            "This would sign you out before you could read it.", next_step="Change your own password instead."
        )
    person = _locked(person)
    if not person.is_active:
        raise Conflict(f"{person.username} is deactivated.", next_step="Activate them; that gives a new password too.")
    handover = _with_new_password(person)
    audit.record(actor, "give_new_password", account=None, subject=person.username)
    return handover


@transaction.atomic
def deactivate_person(*, actor: User, person: User) -> User:
    """Shut a person out at once. Their name, roles, keys and signatures stay what they are.

    Their password goes too, which ends their sessions for good: activating them does not bring one back.

    Raises:
        Conflict: it is the last administrator who can sign in, or they are deactivated already.
    """
    require(actor, "manage_people")
    # Every administrator's row is locked, so that two of them cannot deactivate each other at the same moment.
    needed = Q(is_superuser=True, is_active=True) | Q(pk=person.pk)
    locked = {row.pk: row for row in User.objects.select_for_update().filter(needed).order_by("pk")}
    person = locked.pop(person.pk)
    if not person.is_active:
        raise Conflict(f"{person.username} is deactivated already.")
    if person.is_superuser and not locked:
        raise Conflict(
            "This is the last administrator who can sign in.",
            next_step="Make another one first: manage.py createsuperuser, on the server.",
        )
    person.is_active = False
    person.set_unusable_password()
    person.save(update_fields=["is_active", "password"])
    audit.record(actor, "deactivate_person", account=None, subject=person.username)
    return person


@transaction.atomic
def activate_person(*, actor: User, person: User) -> Handover:
    """Let a deactivated person sign in again, with a one-time password and the roles they had."""
    require(actor, "manage_people")
    person = _locked(person)
    if person.is_active:
        raise Conflict(f"{person.username} can sign in already.")
    person.is_active = True
    handover = _with_new_password(person)
    audit.record(actor, "activate_person", account=None, subject=person.username)
    return handover


@transaction.atomic
def keep_chosen_password(*, actor: User) -> None:
    """Note that a person replaced their password by one of their own; it is no longer a one-time password."""
    actor.must_change_password = False
    actor.save(update_fields=["must_change_password"])
    audit.record(actor, "change_own_password", account=None, subject=actor.username)


def _with_new_password(person: User) -> Handover:
    password = one_time_password()
    person.set_password(password)  # another hash: Django ends every session that began under the old one
    person.must_change_password = True
    person.save()
    return Handover(person, password)


def _locked(person: User) -> User:
    return User.objects.select_for_update().get(pk=person.pk)


def _check_username(username: str) -> None:
    try:
        ASCIIUsernameValidator()(username)
    except ValidationError:
        raise InvalidName(
            f"{username!r} is no user name.", next_step="Use letters, digits and the characters @ . + - _ only."
        ) from None
    if len(username) > LONGEST_USERNAME:
        raise InvalidName("That user name is too long.", next_step=f"Use at most {LONGEST_USERNAME} characters.")
    # "Lea" beside "lea" would be taken for the same person
    if User.objects.filter(username__iexact=username).exists():
        raise Conflict(f"There is a person with the user name {username} already.", next_step="Choose another one.")


def _check_full_name(full_name: str) -> None:
    if len(full_name) > LONGEST_NAME or not full_name.isprintable():
        raise InvalidInput(
            "That is no name a page could show.",
            next_step=f"Use at most {LONGEST_NAME} letters, and no control characters.",
        )


def _check_email(email: str) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(f"{email!r} is no e-mail address.", next_step="Correct it, or leave it empty.") from None
    if User.objects.filter(email__iexact=email).exists():
        raise Conflict(f"Somebody else has the e-mail address {email}.", next_step="Give another one, or none.")

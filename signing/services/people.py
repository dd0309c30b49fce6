"""People: who may sign in, and with which password they begin.

Nobody is ever deleted: what a person did stays in the record under their name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models, transaction
from django.db.models import Q

from signing.errors import Conflict
from signing.models import User
from signing.one_time_passwords import one_time_password
from signing.permissions import require
from signing.services import audit, leavers
from signing.trust.errors import InvalidInput, InvalidName

LONGEST_USERNAME = LONGEST_NAME = 150


class Standing(models.TextChoices):
    """What somebody is in the installation as a whole, whatever their roles in accounts."""

    MEMBER = "member", "Member"
    AUDITOR = "auditor", "Auditor of the installation"
    ADMINISTRATOR = "administrator", "Administrator"


@dataclass(frozen=True, slots=True)
class Handover:
    """A person and the one-time password to hand them; it is kept nowhere, so this is the only time to show it."""

    person: User
    password: str = field(repr=False)


@transaction.atomic
def create_person(*, actor: User, username: str, full_name: str = "", email: str = "") -> Handover:
    """Let a new person sign in. They belong to no account until a lead or an administrator gives them a role."""
    require(actor, "manage_people")
    check_username(username)
    check_full_name(full_name)
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
    _require_person(person)
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
def change_person(*, actor: User, person: User, full_name: str, email: str) -> User:
    """Change the name others see and the address for mail. The user name stays: the record is kept under it."""
    require(actor, "manage_people")
    person = _locked(person)
    check_full_name(full_name)
    if email:
        _check_email(email, person)
    before = _facts(person)
    person.first_name, person.last_name, person.email = full_name, "", email
    person.save(update_fields=["first_name", "last_name", "email"])
    audit.record(actor, "change_person", account=None, subject=person.username, before=before, after=_facts(person))
    return person


@transaction.atomic
def set_standing(*, actor: User, person: User, standing: str) -> User:
    """Make somebody an administrator, an auditor of the whole installation, or neither.

    Raises:
        Conflict: nobody would be left who administers, or a machine account was meant.
    """
    require(actor, "manage_people")
    if standing not in Standing.values:
        raise InvalidInput(f"{standing[:40]!r} is not known.", next_step=f"Choose one of {', '.join(Standing.values)}.")
    if person.is_machine:
        raise Conflict("A machine account only reads and asks.", next_step="Make an account for a person.")
    person, others = _locked_with_administrators(person)
    before = standing_of(person)
    if before == Standing.ADMINISTRATOR and person.is_active and standing != before and not others:
        raise _is_last_administrator()
    person.is_superuser = standing == Standing.ADMINISTRATOR
    person.reads_everything = standing == Standing.AUDITOR
    person.save(update_fields=["is_superuser", "reads_everything"])
    audit.record(actor, "set_standing", account=None, subject=person.username, before=before, after=standing)
    return person


def standing_of(person: User) -> str:
    """Tell what a person is in the installation as a whole."""
    if person.is_superuser:
        return Standing.ADMINISTRATOR
    return Standing.AUDITOR if person.reads_everything else Standing.MEMBER


@transaction.atomic
def deactivate_person(*, actor: User, person: User) -> User:
    """Shut a person or a machine account out at once. Name, roles, keys and signatures stay what they are.

    The password and every API token go too, which ends it for good: activating them does not bring one back. Their
    signers are flagged, and the removal of each is asked for.

    Raises:
        Conflict: it is the last administrator who can sign in, or they are deactivated already.
    """
    require(actor, "manage_people")
    person, others = _locked_with_administrators(person)
    if not person.is_active:
        raise Conflict(f"{person.username} is deactivated already.")
    if person.is_superuser and not others:
        raise _is_last_administrator()
    tokens = leavers.close(person)
    flagged = leavers.flag_signers(person, why=f"{person.username} left: deactivated.")
    audit.record(
        actor,
        "deactivate_person",
        account=None,
        subject=person.username,
        revoked_tokens=tokens,
        flagged_signers=flagged,
    )
    return person


@transaction.atomic
def activate_person(*, actor: User, person: User) -> Handover:
    """Let a deactivated person sign in again, with a one-time password and the roles they had."""
    require(actor, "manage_people")
    _require_person(person)
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


def _locked_with_administrators(person: User) -> tuple[User, list[User]]:
    """Lock a person and every other active administrator, so that two of them cannot end each other at one moment."""
    needed = Q(is_superuser=True, is_active=True) | Q(pk=person.pk)
    locked = {row.pk: row for row in User.objects.select_for_update().filter(needed).order_by("pk")}
    return locked.pop(person.pk), list(locked.values())


def _is_last_administrator() -> Conflict:
    return Conflict(
        "This is the last administrator who can sign in.", next_step="Make somebody else an administrator first."
    )


def _require_person(person: User) -> None:
    if person.is_machine:
        raise Conflict("A machine account has no password.", next_step="Make a token for it.")


def _facts(person: User) -> dict[str, str]:
    return {"full_name": person.get_full_name(), "email": person.email}


def check_username(username: str) -> None:
    """Raise `InvalidName` for a name nobody could type, `Conflict` for one that is taken in any spelling."""
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


def check_full_name(full_name: str) -> None:
    """Raise `InvalidInput` for a name no page could show."""
    if len(full_name) > LONGEST_NAME or not full_name.isprintable():
        raise InvalidInput(
            "That is no name a page could show.",
            next_step=f"Use at most {LONGEST_NAME} letters, and no control characters.",
        )


def _check_email(email: str, of: User | None = None) -> None:
    try:
        validate_email(email)
    except ValidationError:
        raise InvalidInput(f"{email!r} is no e-mail address.", next_step="Correct it, or leave it empty.") from None
    others = User.objects.exclude(pk=of.pk) if of else User.objects.all()
    if others.filter(email__iexact=email).exists():
        raise Conflict(f"Somebody else has the e-mail address {email}.", next_step="Give another one, or none.")

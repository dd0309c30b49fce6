"""Signing in, as far as it is remembered: the events, second factors that end, sessions that end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet

from signing.chain import stamp
from signing.errors import Conflict
from signing.models import AuditEvent, User
from signing.permissions import require
from signing.services import audit
from signing.trust.errors import NotFound


def note_sign_in(person: User, *, methods: Sequence[str], address: str) -> AuditEvent:
    """Write that a person signed in, and by which steps: `password`, `totp`, `recovery_codes` ..."""
    return audit.record(
        person, "sign_in", account=None, subject=person.username, methods=list(methods), address=address
    )


def note_sign_out(person: User) -> AuditEvent:
    """Write that a person signed out."""
    return audit.record(person, "sign_out", account=None, subject=person.username)


def note_lock(who: str, *, address: str, until: datetime) -> AuditEvent:
    """Write that guesses are not looked at any more, once for each lock.

    What was typed is named only where it is a user name here: people type passwords into the wrong field.
    """
    person = User.objects.filter(username__iexact=who.strip()).first()
    return audit.record(
        None,
        "lock_sign_in",
        account=None,
        subject=person.username if person else "an unknown user name",
        address=address,
        until=stamp(until),
    )


def note_own_change(person: User, action: str, *, what: str = "") -> AuditEvent:
    """Write that a person changed how they sign in: `add_passkey`, `remove_authenticator_app` ..."""
    detail = {"what": what} if what else {}
    return audit.record(person, action, account=None, subject=person.username, **detail)


@transaction.atomic
def reset_second_factor(*, actor: User, person: User) -> User:
    """Take away every second factor of a person who lost theirs, and end their sessions; they are told by mail.

    Whoever asks for this has to be recognised first: it makes the password alone enough again.

    Raises:
        Conflict: they have none, or it is the administrator's own.
    """
    require(actor, "manage_people")
    if actor == person:
        raise Conflict("You cannot reset your own second factor.", next_step="Use a recovery code, or ask another one.")
    factors = Authenticator.objects.select_for_update().filter(user=person)
    kinds = sorted(set(factors.values_list("type", flat=True)))
    if not kinds:
        raise Conflict(f"{person.username} has no second factor.")
    factors.delete()
    ended = _end(UserSession.objects.filter(user=person))
    audit.record(
        actor,
        "reset_second_factor",
        account=None,
        subject=person.username,
        before={"second_factors": kinds},
        ended_sessions=ended,
    )
    transaction.on_commit(lambda: _tell(person, actor))
    return person


@transaction.atomic
def end_session(*, actor: User, session_pk: int) -> None:
    """End one of the own sessions.

    Raises:
        NotFound: it is nobody's, somebody else's, or ended already.
    """
    require(actor, "manage_own")
    if not _end(UserSession.objects.filter(user=actor, pk=session_pk)):
        raise NotFound("That session ended already.", next_step="Reload the page to see which there are.")
    audit.record(actor, "end_session", account=None, subject=actor.username, ended_sessions=1)


@transaction.atomic
def end_other_sessions(*, actor: User, kept_key: str | None) -> int:
    """End the own sessions but the one this is asked in; with None that one too."""
    require(actor, "manage_own")
    others = UserSession.objects.filter(user=actor)
    if kept_key is not None:
        others = others.exclude(session_key=kept_key)
    ended = _end(others)
    audit.record(actor, "end_other_sessions", account=None, subject=actor.username, ended_sessions=ended)
    return ended


@transaction.atomic
def end_sessions_of(*, actor: User, person: User) -> int:
    """Sign a person out everywhere; they may sign in again."""
    require(actor, "manage_people")
    ended = _end(UserSession.objects.filter(user=person))
    audit.record(actor, "end_sessions", account=None, subject=person.username, ended_sessions=ended)
    return ended


def _end(sessions: QuerySet[UserSession]) -> int:
    found = list(sessions)
    for session in found:
        session.end()
    return len(found)


def _tell(person: User, actor: User) -> None:
    if not (person.email and settings.SENDS_MAIL):
        return
    EmailMessage(
        "Your second factor was reset",
        f"{actor} took away the second factor of your account {person.username} in TrustUI.\n"
        "Your password alone signs you in now. Sign in and set up a new one under your name in the menu.\n\n"
        "If you did not ask for this, tell an administrator at once.\n",
        to=[person.email],
    ).send(fail_silently=True)

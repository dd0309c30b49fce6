"""People of other directories: who they are here, and which roles their groups there give them."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from signing import at_rest
from signing.errors import NotAllowed
from signing.models import Account, Identity, Membership, User
from signing.services import audit
from signing.services.people import LONGEST_NAME, LONGEST_USERNAME, check_username
from signing.trust.errors import TrustError

TOKEN = "sign-in provider's token"  # noqa: S105  a purpose, no secret


def person_of(source: str, subject: str) -> User | None:
    """Find who signs in from there under this name, however they stand here."""
    known = Identity.objects.select_related("user").filter(source=source, subject=subject).first()
    return known.user if known else None


@transaction.atomic
def link(person: User, *, source: str, subject: str, is_asked_by_person: bool = False) -> Identity:
    """Let a person sign in from there too.

    An administrator is never found by a name or an address alone: whoever runs the directory could otherwise become
    one. They link it themselves, while they are signed in.

    Raises:
        NotAllowed: it is an administrator's account, a machine's, a deactivated one, or linked to somebody else.
    """
    taken = Identity.objects.filter(user=person).exists() or Identity.objects.filter(source=source, subject=subject)
    privileged = (person.is_superuser or person.reads_everything) and not is_asked_by_person
    if taken or person.is_machine or not person.is_active or privileged:
        raise NotAllowed(
            "This sign-in does not fit the account it would open.",
            next_step="Sign in by password, or ask an administrator.",
        )
    identity = Identity.objects.create(user=person, source=source, subject=subject)
    audit.record(
        person if is_asked_by_person else None, "link_identity", account=None, subject=person.username, source=source
    )
    return identity


@transaction.atomic
def create_linked(*, source: str, subject: str, username: str, full_name: str, email: str) -> User:
    """Make an account for somebody the directory vouches for; they have no password here and no role yet.

    Raises:
        NotAllowed: their name cannot be a user name here.
    """
    email = "" if User.objects.filter(email__iexact=email).exists() else email
    person = User(username=_free_name(username), first_name=_cut(full_name), email=email)
    person.set_unusable_password()
    person.save()
    Identity.objects.create(user=person, source=source, subject=subject)
    audit.record(
        None, "create_person", account=None, subject=person.username, full_name=person.first_name, source=source
    )
    return person


@transaction.atomic
def vouch(person: User, *, token: str | None = None) -> User:
    """Note that the directory vouches for a person now; it brings back whom it had given up before.

    Somebody an administrator deactivated stays out. `token` is kept locked, to ask again with; None keeps the one
    before.
    """
    identity = Identity.objects.select_for_update().get(user=person)
    person = User.objects.select_for_update().get(pk=person.pk)
    came_back = identity.gone_at is not None and not person.is_active
    identity.checked_at, identity.gone_at = timezone.now(), None
    if token is not None:
        identity.locked_token = at_rest.lock(token, TOKEN) if token else ""
    identity.save(update_fields=["checked_at", "gone_at", "locked_token"])
    if came_back:
        person.is_active = True
        person.save(update_fields=["is_active"])
        audit.record(
            None, "activate_person", account=None, subject=person.username, reason="the directory knows them again"
        )
    return person


@transaction.atomic
def apply_groups(person: User, groups: Collection[str]) -> None:
    """Give a person the roles that GROUP_ROLES names for their groups, in the accounts it names and no others.

    In such an account the groups decide alone: a role that no group gives any more is taken. Roles in single
    repositories, and of other accounts, stay what leads made them.
    """
    wanted = _wanted_roles(groups)
    for account in Account.objects.filter(name__in={name for roles in settings.GROUP_ROLES.values() for name in roles}):
        held = Membership.objects.select_for_update().filter(account=account, user=person, repository=None).first()
        before, after = (held.role if held else None), wanted.get(account.name)
        if before == after:
            continue
        if after is None and held:
            held.delete()
        elif after:
            Membership.objects.update_or_create(
                account=account, user=person, repository=None, defaults={"role": after, "ends_at": None}
            )
        audit.record(
            None,
            "set_member" if after else "remove_member",
            account=account,
            subject=person.username,
            place=account.name,
            reason="groups of the directory",
            before=before,
            after=after,
        )


def _wanted_roles(groups: Collection[str]) -> dict[str, str]:
    strength = [Membership.Role.AUDITOR, Membership.Role.DEVELOPER, Membership.Role.SIGNER]
    order = [str(role) for role in (*strength, Membership.Role.LEAD, Membership.Role.ADMIN)]
    wanted: dict[str, str] = {}
    for group in sorted(set(groups) & set(settings.GROUP_ROLES)):
        for account, role in settings.GROUP_ROLES[group].items():
            if account not in wanted or order.index(role) > order.index(wanted[account]):
                wanted[account] = role
    return wanted


def _free_name(username: str) -> str:
    """Take the name from there, with a number where somebody else has it: two people never become one."""
    wanted = username.partition("@")[0][: LONGEST_USERNAME - 4]
    for number in ("", *range(2, 100)):
        name = f"{wanted}{number}"
        if not User.objects.filter(username__iexact=name).exists():
            try:
                check_username(name)
            except TrustError:
                break
            return name
    raise NotAllowed("Your name there cannot be a user name here.", next_step="Ask an administrator for an account.")


def _cut(full_name: str) -> str:
    return "".join(letter for letter in full_name if letter.isprintable())[:LONGEST_NAME]

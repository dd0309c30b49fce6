"""Sign-in by LDAP, an extra (`make ldap`): django-auth-ldap binds and reads groups, this decides who somebody is."""

from __future__ import annotations

from typing import Any

import ldap
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils.translation import gettext
from django_auth_ldap.backend import LDAPBackend, _LDAPUser
from django_auth_ldap.config import LDAPSearch, NestedGroupOfNamesType
from ldap.filter import escape_filter_chars

from signing.errors import NotAllowed
from signing.models import Identity, User
from signing.services import directories

SOURCE = Identity.Source.LDAP
SECONDS = 5


class LdapBackend(LDAPBackend):  # type: ignore[misc]  # it has no types
    """Check a password by binding as its owner; nobody here gets rights from the directory but by GROUP_ROLES."""

    @property
    def default_settings(self) -> dict[str, Any]:
        return {
            "SERVER_URI": settings.LDAP_URL,
            "BIND_DN": settings.LDAP_BIND_DN,
            "BIND_PASSWORD": settings.LDAP_BIND_PASSWORD,
            "START_TLS": settings.LDAP_START_TLS,
            "CONNECTION_OPTIONS": _options(),
            "USER_SEARCH": LDAPSearch(settings.LDAP_PEOPLE, ldap.SCOPE_SUBTREE, settings.LDAP_FILTER),
            "GROUP_SEARCH": LDAPSearch(settings.LDAP_GROUPS, ldap.SCOPE_SUBTREE, settings.LDAP_GROUP_FILTER),
            "GROUP_TYPE": NestedGroupOfNamesType(),
            "ALWAYS_UPDATE_USER": False,
        }

    def authenticate_ldap_user(self, ldap_user: _LDAPUser, password: str) -> User | None:
        """Let somebody in whose bind succeeded, with the roles of their groups."""
        try:
            with transaction.atomic():
                person = super().authenticate_ldap_user(ldap_user, password)
                if not isinstance(person, User):
                    return None
                person = directories.vouch(person)
                if settings.LDAP_GROUPS:
                    directories.apply_groups(person, ldap_user.group_names)
        except ldap.LDAPError:
            return None
        return person if person.is_active else None

    def get_or_build_user(self, username: str, ldap_user: _LDAPUser) -> tuple[User, bool]:
        """Find the person, by what they signed in with before, the first time by their user name; or make one."""
        subject = username.casefold()
        known = directories.person_of(SOURCE, subject) or User.objects.filter(username__iexact=username).first()
        try:
            if known is None:
                if not settings.LDAP_CREATES_PEOPLE:
                    raise NotAllowed(gettext("Nobody here has this user name."))
                attributes = ldap_user.attrs
                known = directories.create_linked(
                    source=SOURCE,
                    subject=subject,
                    username=subject,
                    full_name=_first(attributes, "displayName") or _first(attributes, "cn"),
                    email=_first(attributes, "mail"),
                )
            elif not _is_linked(known, subject):
                directories.link(known, source=SOURCE, subject=subject)
        except NotAllowed as refused:
            raise ldap_user.AuthenticationFailed(refused.message) from None
        return known, False

    def get_user(self, user_id: int) -> User | None:
        """Find the person of a session; somebody deactivated has none."""
        return User.objects.filter(pk=user_id, is_active=True).first()

    def get_group_permissions(self, user: User | AnonymousUser, obj: object = None) -> set[str]:
        return set()


def still_known(identity: Identity) -> bool | None:
    """Ask the directory whether somebody is still found by LDAP_FILTER; None: it could not say.

    Being found again gives the roles of the groups anew.
    """
    backend = LdapBackend()
    try:
        if not _finds(identity.subject):
            return False
        if settings.LDAP_GROUPS:
            directories.apply_groups(identity.user, _LDAPUser(backend, username=identity.subject).group_names)
    except ldap.LDAPError:
        return None
    directories.vouch(identity.user)
    return True


def _finds(username: str) -> bool:
    """Look a name up. django-auth-ldap's own search takes a failure for an empty answer, which would end everybody."""
    connection = ldap.initialize(settings.LDAP_URL, bytes_mode=False)
    for option, value in _options().items():
        connection.set_option(option, value)
    try:
        if settings.LDAP_START_TLS:
            connection.start_tls_s()
        connection.simple_bind_s(settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD)
        wanted = settings.LDAP_FILTER % {"user": escape_filter_chars(username)}
        found = connection.search_st(settings.LDAP_PEOPLE, ldap.SCOPE_SUBTREE, wanted, ["1.1"], timeout=SECONDS)
    finally:
        connection.unbind_s()
    return any(name for name, _ in found)  # referrals have no name


def _options() -> dict[int, Any]:
    options: dict[int, Any] = {ldap.OPT_REFERRALS: 0, ldap.OPT_NETWORK_TIMEOUT: SECONDS, ldap.OPT_TIMEOUT: SECONDS}
    if settings.LDAP_CA_FILE:
        options |= {ldap.OPT_X_TLS_CACERTFILE: settings.LDAP_CA_FILE, ldap.OPT_X_TLS_NEWCTX: 0}
    return options


def _is_linked(person: User, subject: str) -> bool:
    return Identity.objects.filter(user=person, source=SOURCE, subject=subject).exists()


def _first(attributes: Any, name: str) -> str:
    values = attributes.get(name) or [""]
    return str(values[0])

"""What allauth asks about people and their passwords."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing.models import User
from signing.selectors.sign_in import reset_since
from signing.services.sign_in import note_sign_in, note_sign_out
from trustui.sign_in import lockout, sessions
from trustui.sign_in.mail import send_soon


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are handed accounts by an administrator or by their directory; nobody signs up alone."""

    error_messages = {  # noqa: RUF012  allauth's own form
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": _("The user name or the password is wrong."),
        "incorrect_password": _("That is not your password."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    # Attempts

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        self._attempt = lockout.attempt(request, credentials.get("username", ""))

    def _rollback_login_failed_rl_usage(self) -> None:
        self._attempt.succeeded()

    # Sessions

    def login(self, request: HttpRequest, user: User) -> None:
        """Begin a session under a new id, and write the one event that tells of it."""
        records = get_authentication_records(request, user)
        methods = list(dict.fromkeys(record.get("type") or record["method"] for record in records))
        reset = reset_since(user, user.last_login)
        with transaction.atomic():
            super().login(request, user)
            sessions.begin(request)
            note_sign_in(user, methods=methods, address=self.get_client_ip(request))
        if reset:
            text = gettext("%(actor_name)s reset your second factor on %(at)s UTC. Set one up anew.") % {
                "actor_name": reset.actor_name,
                "at": f"{reset.at:%Y-%m-%d %H:%M}",
            }
            messages.warning(
                request,
                f"{text} {gettext('If you did not ask for that, tell an administrator at once.')}",
            )

    def logout(self, request: HttpRequest) -> None:
        person = request.user
        with transaction.atomic():
            super().logout(request)
            if isinstance(person, User):
                note_sign_out(person)

    # Mail

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Mail the link to those who have a password here.

        It leaves after the answer: how long an answer takes must not tell whether somebody has the address.
        """
        if user.has_usable_password():
            send_soon(self.render_mail("account/email/password_reset_key", email, context))


def authenticate(request: HttpRequest, username: str, password: str) -> User | None:
    """Check a user name and password that came with a request, counted as on the sign-in page.

    Raises:
        LockedOut: too many were wrong.
    """
    try:
        user = AccountAdapter(request).authenticate(request, username=username, password=password)
    except ValidationError as error:
        if isinstance(error, lockout.LockedOut):
            raise
        return None
    return user if isinstance(user, User) and user.is_active else None

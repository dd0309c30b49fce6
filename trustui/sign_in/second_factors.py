"""Second factors: what allauth asks about them, and who must have one."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from signing import at_rest
from signing.models import User
from signing.selectors.sign_in import has_second_factor, must_have_second_factor
from trustui.middleware import API

PURPOSE = "second factor"

# What somebody without the second factor they must have may do: set one up, confirm who they are, leave.
OPEN_WITHOUT_SECOND_FACTOR = frozenset(
    {
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "account_reauthenticate",
        "account_change_password",
        "account_logout",
        "theme",
        "language",
        "health",
        "registry_token",
    }
)


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Seeds are locked where they are kept; names say what a thing is."""

    error_messages = {  # noqa: RUF012  allauth's own form
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": _("That did not work: the key is unknown here, or it took too long. Try again."),
    }

    def encrypt(self, text: str) -> str:
        return at_rest.lock(text, PURPOSE)

    def decrypt(self, encrypted_text: str) -> str:
        return at_rest.unlock(encrypted_text, PURPOSE)

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(number)d") % {"number": count + 1} if count else gettext("Passkey")

    def get_totp_label(self, user: User) -> str:
        return user.username


class SecondFactorMiddleware:
    """Lead a person who must have a second factor, and has none, to where it is set up."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        match = request.resolver_match
        if settings.REQUIRE_SECOND_FACTOR == "none" or (match and match.url_name in OPEN_WITHOUT_SECOND_FACTOR):
            return None
        if request.path.startswith(API):  # it refuses by itself, in a program's words
            return None
        person = request.user
        if not isinstance(person, User) or not must_have_second_factor(person) or has_second_factor(person):
            return None
        messages.warning(
            request, gettext("Your role asks for a second factor. Set one up here; everything else opens then.")
        )
        return redirect("mfa_index")

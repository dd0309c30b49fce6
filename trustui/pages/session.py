"""Signing in and the own password."""

from __future__ import annotations

from typing import Any

from allauth.account import views as allauth
from allauth.account.forms import ChangePasswordForm
from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from signing.models import User
from signing.services.people import keep_chosen_password
from signing.services.sign_in import note_own_change


class SignIn(allauth.LoginView):  # type: ignore[misc]  # allauth has no types
    """Sign in: by password, by passkey, or through the sign-in provider."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context |= {"oidc_name": settings.OIDC_URL and settings.OIDC_NAME, "can_mail": settings.SENDS_MAIL}
        return context


class PasswordChange(allauth.PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """Replace the own password; afterwards it is no longer a one-time password."""

    template_name = "account/password_change.html"

    @transaction.atomic
    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        keep_chosen_password(actor=self.request.user)
        return response


class _ByMail:
    """A page that is there only where mail can be sent."""

    def dispatch(self, request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if not settings.SENDS_MAIL:
            raise Http404("no mail is configured")
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]  # a view's
        return response


class PasswordForgotten(_ByMail, allauth.PasswordResetView):  # type: ignore[misc]  # allauth has no types
    """Ask for a link by mail; the answer is the same whoever has the address."""


class PasswordForgottenSent(_ByMail, allauth.PasswordResetDoneView):  # type: ignore[misc]  # allauth has no types
    """Say what happens next."""


class PasswordResetDone(_ByMail, allauth.PasswordResetFromKeyDoneView):  # type: ignore[misc]  # allauth has no types
    """Say that the new password counts."""


class PasswordReset(_ByMail, allauth.PasswordResetFromKeyView):  # type: ignore[misc]  # allauth has no types
    """Choose a new password by the link that came by mail; every session of the person ends."""

    reset_user: User

    @transaction.atomic
    def form_valid(self, form: object) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        person = self.reset_user
        person.must_change_password = False
        person.save(update_fields=["must_change_password"])
        note_own_change(person, "reset_own_password")
        return response

"""Signing in and the own password."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm
from allauth.account.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from signing.services.people import keep_chosen_password


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts of people are handed out by an administrator; nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"


class PasswordChange(PasswordChangeView):  # type: ignore[misc]  # allauth has no types
    """Replace the own password; afterwards it is no longer a one-time password."""

    template_name = "account/password_change.html"

    @transaction.atomic
    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        keep_chosen_password(actor=self.request.user)
        return response

"""Signing in and the own password."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.forms import ChangePasswordForm
from allauth.account.views import PasswordChangeView
from django.http import HttpRequest, HttpResponse


class AccountAdapter(DefaultAccountAdapter):
    """Accounts of people are handed out by an administrator; nobody signs up alone."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return "/"


class PasswordChange(PasswordChangeView):
    """Replace the own password; afterwards it is no longer a one-time password."""

    template_name = "account/password_change.html"

    def form_valid(self, form: ChangePasswordForm) -> HttpResponse:
        user = self.request.user
        response = super().form_valid(form)
        user.must_change_password = False
        user.save(update_fields=["must_change_password"])
        return response

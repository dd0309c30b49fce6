"""allauth's forms for codes and passwords, with every guess counted."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as passkeys
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from trustui.sign_in.lockout import attempt_of

UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

NO_PASSKEY = _("That is no answer of a passkey that is known here. Try again.")
WRONG_CODE = _("That code is wrong, or it was used before.")
CODE = {"autocomplete": "one-time-code", "inputmode": "numeric", "autocapitalize": "none", "spellcheck": "false"}


class ChangePasswordForm(AllauthChangePasswordForm):  # type: ignore[misc]  # allauth has no types
    """Replace the own password; guesses at the old one count as on the sign-in page."""

    def clean_oldpassword(self) -> str:
        guess = attempt_of(context.request, self.user)
        old: str = super().clean_oldpassword()
        guess.succeeded()
        return old


class _CountedCode(forms.Form):
    """A code of an authenticator app or a recovery code, of a person whose password was right."""

    user: Any
    code = forms.CharField(label=_("Code"), max_length=32, widget=forms.TextInput(attrs=CODE))

    def clean_code(self) -> str:
        guess = attempt_of(context.request, self.user)
        code: str = self.cleaned_data["code"]
        for authenticator in Authenticator.objects.filter(user=self.user).exclude(type=Authenticator.Type.WEBAUTHN):
            if authenticator.wrap().validate_code(code):
                authenticator.user = self.user
                self.authenticator = authenticator
                guess.succeeded()
                return code
        raise forms.ValidationError(WRONG_CODE)


class CodeForm(_CountedCode, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """The second step of signing in."""


class CodeAgainForm(_CountedCode, ReauthenticateForm):  # type: ignore[misc]  # allauth has no types
    """Confirm by code, before something that matters."""


class AppForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth has no types
    """The first code of a new authenticator app."""

    code = forms.CharField(label=_("Code of the app"), max_length=32, widget=forms.TextInput(attrs=CODE))

    def clean_code(self) -> str:
        guess = attempt_of(context.request, self.user)
        code: str = self.cleaned_data["code"]
        if not totp.validate_totp_code(self.secret, code):
            raise forms.ValidationError(
                gettext("That is not the code of now. Look at the app again; it changes often.")
            )
        guess.succeeded()
        return code


class _PasskeyAnswer(forms.Form):
    """What a passkey answered. It cannot be guessed, so nothing is counted; nonsense is refused and breaks nothing."""

    user: Any

    def clean_credential(self) -> Authenticator:
        answer = self.cleaned_data["credential"]
        try:
            passkeys.parse_authentication_response(answer)
            return passkeys.complete_authentication(self.user or passkeys.extract_user_from_response(answer), answer)
        except UNREADABLE:
            raise forms.ValidationError(NO_PASSKEY) from None


class PasskeyForm(_PasskeyAnswer, AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """The second step of signing in."""


class PasskeyLoginForm(_PasskeyAnswer, LoginWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Sign in by passkey alone."""


class PasskeyAgainForm(_PasskeyAnswer, ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """Confirm by passkey, before something that matters."""


class PasskeyAddForm(AddWebAuthnForm):  # type: ignore[misc]  # allauth has no types
    """A new passkey."""

    name = forms.CharField(label=_("Name"), required=False, max_length=100)

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except UNREADABLE:
            raise forms.ValidationError(NO_PASSKEY) from None
        return cleaned

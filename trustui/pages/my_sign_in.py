"""How I sign in: my password, my second factors, where I am signed in.

The steps are allauth's; what is added here is one audit event for each change, in the change's own transaction.
"""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import reauthentication_required
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from signing.selectors.sign_in import must_have_second_factor, second_factors_of, sessions_of
from signing.services.sign_in import end_other_sessions, end_session, note_own_change
from trustui.htmx import HtmxRequest

# The first that fits: each later one's mark stands in the earlier ones' names too.
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", _("an iPhone")),
    ("iPad", _("an iPad")),
    ("Windows", "Windows"),
    ("Mac OS", "a Mac"),
    ("Linux", "Linux"),
)


@login_required
@require_GET
def show(request: HtmxRequest) -> HttpResponse:
    """Show everything about the own sign-in on one page."""
    context = {
        "factors": second_factors_of(request.user),
        "must_have_one": must_have_second_factor(request.user),
        "sessions": [(session, _device(session.user_agent)) for session in sessions_of(request.user)],
        "identity": getattr(request.user, "identity", None),
        "oidc_name": settings.OIDC_URL and settings.OIDC_NAME,
        "can_have_passkeys": _takes_passkeys(request),
        "passkey_address": _passkey_address(request),
    }
    return render(request, "pages/my_sign_in.html", context)


@login_required
@require_POST
def session_end(request: HtmxRequest, pk: int) -> HttpResponse:
    """End one of the own sessions."""
    session = get_object_or_404(UserSession, user=request.user, pk=pk)
    end_session(actor=request.user, session_pk=session.pk)
    messages.success(request, gettext("That session is ended."))
    return redirect("mfa_index")


@login_required
@require_POST
def sessions_end(request: HtmxRequest) -> HttpResponse:
    """End the other sessions, or with `here` this one too."""
    here = "here" in request.POST
    ended = end_other_sessions(actor=request.user, kept_key=None if here else request.session.session_key)
    if here:
        request.session.flush()
        return redirect("account_login")
    messages.success(
        request,
        ngettext("%(count)d other session ended.", "%(count)d other sessions ended.", ended) % {"count": ended},
    )
    return redirect("mfa_index")


class _Noted:
    """Carry out allauth's step and write its event, or neither."""

    request: HttpRequest
    action: str

    def what(self) -> str:
        return ""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        what = self.what()
        response: HttpResponse = super().form_valid(form)  # type: ignore[misc]  # allauth's view comes next
        note_own_change(self.request.user, self.action, what=what)  # type: ignore[arg-type]  # signed in
        return response


@method_decorator(never_cache, name="dispatch")
class AppAdd(_Noted, totp.ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """Set an authenticator app up."""

    action = "add_authenticator_app"


class AppRemove(_Noted, totp.DeactivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """Do without the authenticator app."""

    action = "remove_authenticator_app"


@method_decorator(never_cache, name="dispatch")
class PasskeyAdd(_Noted, webauthn.AddWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Add a passkey or a security key."""

    action = "add_passkey"

    def what(self) -> str:
        return str(self.request.POST.get("name", ""))[:100]


class _OnePasskey(_Noted):
    object: Any

    def what(self) -> str:
        self.object = self.get_object()  # type: ignore[attr-defined]  # allauth's view comes next
        return str(self.object)


class PasskeyRemove(_OnePasskey, webauthn.RemoveWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Remove a passkey."""

    action = "remove_passkey"

    def get_success_url(self) -> str:
        return "/me/sign-in/"


class PasskeyRename(_OnePasskey, webauthn.EditWebAuthnView):  # type: ignore[misc]  # allauth has no types
    """Give a passkey another name."""

    action = "rename_passkey"

    def get_success_url(self) -> str:
        return "/me/sign-in/"


class CodesNew(_Noted, codes.GenerateRecoveryCodesView):  # type: ignore[misc]  # allauth has no types
    """Make new recovery codes; those before count no more."""

    action = "make_recovery_codes"


@method_decorator(never_cache, name="dispatch")
@method_decorator(reauthentication_required(app="allauth.mfa"), name="dispatch")
class CodesShow(codes.ViewRecoveryCodesView):  # type: ignore[misc]  # allauth has no types
    """Show the recovery codes, once."""


def _device(user_agent: str) -> str:
    """Name the browser and the system that a session says it is of, as people call them."""
    browser = next((word for mark, word in BROWSERS if mark in user_agent), "")
    system = next((word for mark, word in SYSTEMS if mark in user_agent), "")
    if not browser:
        return user_agent[:40] or gettext("An unnamed program")
    return f"{browser} on {system}" if system else browser


def _takes_passkeys(request: HttpRequest) -> bool:
    """Tell whether browsers allow passkeys under this address: by HTTPS and a name, or on this machine by its name."""
    host = request.get_host().rsplit(":", 1)[0]
    is_name = not host.startswith("[") and not host.replace(".", "").isdigit()
    return is_name and (request.is_secure() or host == "localhost" or host.endswith(".localhost"))


def _passkey_address(request: HttpRequest) -> str:
    """Say where this same dashboard would take passkeys, where that can be known."""
    host, _, port = request.get_host().rpartition(":")
    return f"http://localhost:{port}/me/sign-in/" if host == "127.0.0.1" else ""

"""Sign-in by OpenID Connect: allauth speaks the protocol, this decides who somebody is here."""

from __future__ import annotations

import contextlib
from typing import Any

import requests
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from signing import at_rest
from signing.errors import NotAllowed
from signing.models import Identity, User
from signing.services import directories

PROVIDER = "oidc"
SOURCE = Identity.Source.OIDC


class OidcAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """People are found by who they are at the provider, the first time by an e-mail address it has verified."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        return None  # `_person` does it, without taking the password away

    def get_requests_session(self) -> requests.Session:
        session: requests.Session = super().get_requests_session()
        session.trust_env = False  # a CA bundle of the environment would win over ours
        session.verify = settings.OIDC_CA_FILE or True
        return session

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find, link or make the person, and let what the provider says of them count.

        Raises:
            ImmediateHttpResponse: nobody here, or this sign-in was a signed-in person's wish to link it.
        """
        said, subject = _said(sociallogin), sociallogin.account.uid
        try:
            with transaction.atomic():
                if sociallogin.state.get("process") == AuthProcess.CONNECT:
                    person = _linked_by_themselves(request, subject)
                else:
                    person = _person(subject, said)
                person = directories.vouch(person, token=sociallogin.token.token_secret)
                directories.apply_groups(person, groups_in(said))
        except NotAllowed as refused:
            raise ImmediateHttpResponse(_refusal(request, refused)) from None
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            messages.success(
                request, gettext("From now on %(provider)s signs you in too.") % {"provider": settings.OIDC_NAME}
            )
            raise ImmediateHttpResponse(redirect("mfa_index"))
        sociallogin.user = person


class Oidc(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """The provider's side of it, checked whatever the connection it came over."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        if "id_token" not in kwargs["response"]:
            raise OAuth2Error("no id_token")
        login = super().complete_login(request, app, token, **kwargs)
        data = login.account.extra_data
        if data.get("userinfo", {}).get("sub") != data["id_token"]["sub"]:
            raise OAuth2Error("userinfo is about somebody else")  # OpenID Connect Core 1.0, 5.3.2
        return login

    def _decode_id_token(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            decoded: dict[str, Any] = jwtkit.verify_and_decode(
                credential=id_token,
                keys_url=self.openid_config["jwks_uri"],
                issuer=self.openid_config["issuer"],
                audience=app.client_id,
                lookup_kid=jwtkit.lookup_kid_jwk,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise OAuth2Error("the id_token or its keys cannot be read") from error
        return decoded


def still_known(identity: Identity) -> bool | None:
    """Ask the provider whether it still vouches for somebody, by the token it gave; None: it could not say.

    It answers a refresh with new tokens, or with `invalid_grant` once the account is closed (RFC 6749, 5.2).
    """
    if not identity.locked_token:
        return None
    adapter = Oidc(None, PROVIDER)
    try:
        answer = _refresh(adapter, at_rest.unlock(identity.locked_token, directories.TOKEN))
        body = answer.json()
        if answer.status_code != requests.codes.ok:
            return False if body.get("error") == "invalid_grant" else None
        said = adapter._fetch_user_info(body["access_token"])
    except (requests.RequestException, KeyError, ValueError, AttributeError):
        return None
    if said.get("sub") != identity.subject:
        return None
    person = directories.vouch(identity.user, token=body.get("refresh_token"))
    directories.apply_groups(person, groups_in(said))
    return True


def groups_in(said: dict[str, Any]) -> list[str]:
    """Read somebody's groups from what the provider says of them."""
    groups = said.get(settings.OIDC_GROUPS_CLAIM, [])
    return [str(group) for group in groups] if isinstance(groups, list) else []


def _refresh(adapter: Oidc, token: str) -> requests.Response:
    app = adapter.get_provider().app
    form = {"grant_type": "refresh_token", "refresh_token": token}
    auth = (app.client_id, app.secret) if adapter.basic_auth else None
    if not auth:
        form |= {"client_id": app.client_id, "client_secret": app.secret}
    with OidcAdapter().get_requests_session() as session:
        answer: requests.Response = session.post(adapter.access_token_url, data=form, auth=auth)
    return answer


def _said(sociallogin: SocialLogin) -> dict[str, Any]:
    data = sociallogin.account.extra_data
    return {**data["id_token"], **data.get("userinfo", {})}


def _person(subject: str, said: dict[str, Any]) -> User:
    if known := directories.person_of(SOURCE, subject):
        if known.is_active or known.identity.gone_at:
            return known
        raise NotAllowed(
            gettext("This account is closed."), next_step=gettext("Ask an administrator to open it again.")
        )
    email = str(said.get("email") or "") if said.get("email_verified") is True else ""
    if email:
        with contextlib.suppress(User.DoesNotExist, User.MultipleObjectsReturned):
            person = User.objects.get(email__iexact=email)
            directories.link(person, source=SOURCE, subject=subject)
            return person
    if settings.OIDC_CREATES_PEOPLE:
        name = str(said.get("preferred_username") or email or subject)
        return directories.create_linked(
            source=SOURCE, subject=subject, username=name, full_name=str(said.get("name") or ""), email=email
        )
    raise NotAllowed(
        gettext("Nobody here has the verified e-mail address that the sign-in provider gave."),
        next_step=gettext("Ask an administrator to add you, with the address you have there."),
    )


def _linked_by_themselves(request: HttpRequest, subject: str) -> User:
    person = request.user
    if not isinstance(person, User):
        raise NotAllowed(gettext("Sign in first, then link it."), next_step=gettext("Sign in by password."))
    directories.link(person, source=SOURCE, subject=subject, is_asked_by_person=True)
    return person


def _refusal(request: HttpRequest, refused: NotAllowed) -> Any:
    context = {"refusal": f"{refused.message} {refused.next_step}"}
    return render(request, "socialaccount/authentication_error.html", context, status=403)

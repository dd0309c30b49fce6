"""Django's admin for operators: it shows rows and changes none."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.apps import apps
from django.db import models
from django.test import Client
from django.urls import reverse

from signing.admin import is_shown, site
from signing.models import Account, ApiToken, AuditEvent, User
from signing.services.api_tokens import create_token
from tests.factories import Cast, make_cast

MODELS = list(apps.get_app_config("signing").get_models())
names = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.fixture
def cast(db: None) -> Cast:
    cast = make_cast()
    create_token(actor=cast.developer, user=cast.developer, name="t", scopes=["read"], days=1)
    return cast


@pytest.fixture
def signed_in(cast: Cast) -> Callable[[User], Client]:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


def address(model: type[models.Model], what: str, *parts: object) -> str:
    return reverse(f"admin:signing_{model._meta.model_name}_{what}", args=parts)


@names
def test_every_row_is_shown_and_none_can_be_changed(
    model: type[models.Model], cast: Cast, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(cast.admin)
    assert client.get(address(model, "changelist")).status_code == 200
    assert client.get(address(model, "add")).status_code == 403
    assert client.post(address(model, "add"), {"name": "x"}).status_code == 403
    row = model._default_manager.first()
    if row is None:
        return
    page = client.get(address(model, "change", row.pk))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert client.post(address(model, "change", row.pk), {"name": "x", "is_superuser": "on"}).status_code == 403
    assert client.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.post(
        address(model, "changelist"), {"action": "delete_selected", "_selected_action": row.pk}
    ).status_code in (
        200,
        302,
        403,
    )
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("person", ["lead", "auditor", "outsider"])
def test_it_is_for_administrators_only(cast: Cast, signed_in: Callable[[User], Client], person: str) -> None:
    user = getattr(cast, person)
    user.is_staff = True
    user.save()
    client = signed_in(user)
    for url in ("/operators/", address(Account, "changelist"), address(User, "change", cast.admin.pk)):
        response = client.get(url, follow=True)
        assert "TrustUI for operators" not in response.content.decode()


def test_it_has_no_sign_in_and_no_password_page_of_its_own(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    assert Client().get("/operators/", follow=True).redirect_chain[-1][0].startswith("/me/login/")
    assert Client().post("/operators/login/", {"username": "root", "password": "pw"}).url.startswith("/me/login/")
    client = signed_in(cast.admin)
    assert client.post("/operators/password_change/", {"old_password": "pw"}).url == "/me/password/change/"
    assert client.get("/operators/logout/").url == "/me/logout/"


def test_no_secret_column_is_shown(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(cast.admin)
    token = ApiToken.objects.get()
    page = client.get(address(ApiToken, "change", token.pk)).content.decode()
    assert token.prefix in page
    assert token.token_hash not in page
    person = client.get(address(User, "change", cast.lead.pk)).content.decode()
    assert cast.lead.username in person
    assert cast.lead.password not in person
    hidden = {
        f"{model.__name__}.{field.name}" for model in MODELS for field in model._meta.fields if not is_shown(field)
    }
    assert {"User.password", "ApiToken.token_hash", "Key.envelope", "Key.unattended", "SealedSecret.box"} <= hidden
    assert {"Account.registry_password", "TrustServer.password", "Webhook.secret"} <= hidden


def test_it_works_under_the_content_security_policy(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    client = signed_in(cast.admin)
    for url in ("/operators/", address(Account, "changelist"), address(Account, "change", cast.account.pk)):
        response = client.get(url)
        assert "unsafe-inline" not in response["Content-Security-Policy"]
        html = response.content.decode()
        assert " style=" not in html
        assert " onclick=" not in html
        scripts = [part.split(">", 1)[0] for part in html.split("<script")[1:]]
        assert all("src=" in script for script in scripts), scripts


def test_looking_writes_nothing(cast: Cast, signed_in: Callable[[User], Client]) -> None:
    before = AuditEvent.objects.count()
    signed_in(cast.admin).get(address(Account, "change", cast.account.pk))
    assert AuditEvent.objects.count() == before


def test_every_model_is_there() -> None:
    assert set(site._registry) == set(MODELS)

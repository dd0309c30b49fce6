"""Attacks by name: forged requests, hostile texts, fields nobody offered. Foreign ids are in `test_not_yours`."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.apps import apps
from django.db.models import CharField, JSONField, TextField
from django.test import Client

from signing.models import Account, ChangeRequest, Membership, Operation, Repository, SignedTag, Signer, User
from signing.services.audit import record
from tests.unit.matrix.acts import ACTS
from tests.unit.matrix.addresses import Address, everything, pages
from tests.unit.matrix.sending import NO_ACT, is_let_in, path_values, send, undone
from tests.unit.matrix.table import ELSEWHERE, LINES
from tests.unit.matrix.world import World, resolved

pytestmark = pytest.mark.django_db

HOSTILE = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}"
SAFE = {"GET", "HEAD"}


# Forged requests


def mutating() -> list[Address]:
    return [
        address
        for address in everything()
        if address.name not in ELSEWHERE
        and (address.method not in SAFE if address.method else LINES[address.name].post is not None)
    ]


@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true", "HX-Target": "content"}], ids=["form", "htmx"])
def test_nothing_is_changed_by_a_request_that_another_site_forged(world: World, htmx: dict[str, str]) -> None:
    """The browser sends the session along; what another site cannot send is the token of a form."""
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    wrong = []
    for address in mutating():
        act = ACTS.get(address.name, NO_ACT)
        if act.by == "stranger":
            continue  # nobody's session to abuse
        strict.cookies = world.clients[act.by].cookies
        with undone():
            url = address.url(path_values(address, world.own, act))
            data = resolved(act.data, world.own)
            if address.method:
                response = strict.generic(address.method, url, json.dumps(data), "application/json", headers=htmx)
            else:
                response = strict.post(url, data, headers=htmx)
        if response.status_code != 403:
            wrong.append(f"{address.name}: {response.status_code}")
    assert not wrong, "\n".join(wrong)


def test_a_form_of_another_site_cannot_speak_json_to_the_api(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients["lead"].cookies
    response = strict.post("/api/v1/repositories", '{"account": "team", "path": "x"}', content_type="text/plain")
    assert response.status_code == 403


def test_every_form_on_every_page_carries_its_token(world: World) -> None:
    missing = []
    for address in pages():
        line = LINES.get(address.name)
        if line is None or not line.get or "lead" not in line.get:
            continue
        response = send(world, "lead", address, "GET")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", response.content.decode(), re.S)
            missing += [f"{address.name}: {form[:120]}" for form in forms if "csrfmiddlewaretoken" not in form]
    assert not missing, "\n".join(missing)


# Hostile texts


class _Tags(HTMLParser):
    """Collect what a browser would run, and where hostile text ended up."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        if tag == "script" and "src" not in named:
            self.bad.append("<script> without src")
        if tag == "img" and named.get("src") == "x":
            self.bad.append("<img> out of data")
        self.bad += [f"{tag} {name}" for name in named if name.startswith("on") or name == "style"]
        self.bad += [f"{tag} {name}" for name, value in attributes if (value or "").lower().startswith("javascript:")]


def plant(world: World) -> None:
    """Write hostile text into every text column that holds what came from outside."""
    skipped = {"gun", "key_id", "public_pem", "state", "kind", "step", "role", "purpose", "custody", "verdict", "event"}
    repository = Repository.objects.get(gun=world.own["gun"])
    for model, names in {
        Repository: ("description", "reason", "next_step"),
        Signer: ("name", "flag"),
        Operation: ("error", "next_step"),
        ChangeRequest: ("reason",),
        User: ("first_name", "email"),
        Account: ("registry_username",),
    }.items():
        columns = {field.name for field in model._meta.fields if isinstance(field, CharField | TextField)}
        assert set(names) <= columns - skipped
        if model is Signer:
            for signer in Signer.objects.all():
                Signer.objects.filter(pk=signer.pk).update(name=f"{signer.pk}{HOSTILE}"[:100], flag=HOSTILE)
            continue
        model._default_manager.update(**dict.fromkeys(names, HOSTILE))
    for pk, name in ((world.own["key"], HOSTILE),):
        apps.get_model("signing", "Key").objects.filter(key_id=pk).update(name=name, csr_pem=HOSTILE)
    apps.get_model("signing", "OperationLine").objects.create(operation_id=world.own["operation"], text=HOSTILE)
    apps.get_model("signing", "ApiToken").objects.update(name=HOSTILE)
    apps.get_model("signing", "Happening").objects.update(subject=HOSTILE)
    apps.get_model("signing", "WebhookDelivery").objects.update(error=HOSTILE)
    apps.get_model("signing", "EngineStatus").objects.create(reason=HOSTILE, images=[HOSTILE], version=HOSTILE)
    SignedTag.objects.create(
        repository=repository, tag=HOSTILE, digest="ab" * 32, length=1, signers=[HOSTILE], sort_key="0"
    )
    for name in ("signers", "left_out", "roles"):
        assert isinstance(Repository._meta.get_field(name), JSONField)
    repository.signers = [*repository.signers, {"name": HOSTILE, "keys": ["a" * 64, HOSTILE]}]
    repository.left_out = {HOSTILE: HOSTILE}
    repository.roles = [
        {"role": HOSTILE, "version": 1, "expires": "2030-01-01T00:00:00Z", "threshold": 1, "keys": [HOSTILE]}
    ]
    repository.save()
    record(
        world.people["lead"], "approve_request", account=repository.account, subject=HOSTILE, reason=HOSTILE, x=HOSTILE
    )


@pytest.mark.parametrize("role", ["admin", "lead"])
def test_hostile_text_from_outside_runs_on_no_page(world: World, role: str) -> None:
    plant(world)
    wrong, seen = [], 0
    for address in pages():
        line = LINES.get(address.name)
        if line is None or not line.get or role not in line.get:
            continue
        response = send(world, role, address, "GET")
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            continue
        html = response.content.decode()
        seen += "&lt;script&gt;alert(1)" in html
        assert "{{7*7}}" in html or "alert(1)" not in html
        tags = _Tags()
        tags.feed(html)
        wrong += [f"{address.name}: {what}" for what in tags.bad]
        if "<script>alert" in html or response.status_code >= 500:
            wrong.append(f"{address.name}: {response.status_code}")
    assert not wrong, "\n".join(wrong)
    assert seen > 10  # the texts are really shown


def test_what_a_stranger_types_into_an_address_runs_nowhere(world: World) -> None:
    for url in ("/repositories/?q=", "/audit/?q=", "/keys/?q=", "/signers/?q=", "/people/?q=", "/new/signer/?account="):
        html = world.clients["admin"].get(url + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E").content.decode()
        assert "<script>alert" not in html, url


def test_every_answer_has_a_policy_without_inline_code(world: World) -> None:
    wrong = []
    for address in pages():
        line = LINES.get(address.name)
        if line is None or not line.get or "admin" not in line.get:
            continue
        response = send(world, "admin", address, "GET")
        policy = response.headers.get("Content-Security-Policy", "")
        directives = dict(part.strip().partition(" ")[::2] for part in policy.split(";") if part.strip())
        is_strict = (
            "unsafe" not in policy
            and directives.get("default-src") == "'self'"
            and directives.get("object-src") == "'none'"
            and directives.get("base-uri") == "'none'"
            and directives.get("frame-ancestors") == "'none'"
            and directives.get("form-action", "").startswith("'self'")
        )
        if not is_strict:
            wrong.append(f"{address.name}: {policy}")
    assert not wrong, "\n".join(wrong)


# Fields nobody offered


EXTRA: dict[str, Any] = {
    "is_superuser": "on",
    "is_staff": "on",
    "reads_everything": "on",
    "is_machine": "",
    "is_active": "on",
    "actor": "1",
    "requested_by": "1",
    "created_by": "1",
    "owner": "1",
    "state": "approved",
    "needed_approvals": "0",
    "proved_at": "2026-01-01",
    "expires_at": "2099-01-01",
    "token_hash": "0" * 64,
    "key_id": "0" * 64,
    "custody": "client",
    "verdict": "verified",
    "id": "1",
}


@pytest.mark.parametrize("role", ["lead", "developer", "signer"])
def test_fields_that_no_form_offers_change_nothing(world: World, role: str) -> None:
    """Mass assignment: a form or an endpoint takes what it names, whatever else comes along."""
    before = list(User.objects.order_by("pk").values_list("pk", "is_superuser", "is_staff", "reads_everything"))
    verdicts = list(Repository.objects.order_by("pk").values_list("pk", "verdict"))
    for address in mutating():
        act = ACTS.get(address.name, NO_ACT)
        if act.by != role:
            continue
        data = {**EXTRA, **resolved(act.data, world.own)}
        with undone():
            response = send(world, role, address, address.method or "POST", data=data)
            if address.method and act.data:
                assert response.status_code == 422, address.name  # an endpoint says that it knows no such member
            assert (
                list(
                    User.objects.filter(pk__in=[row[0] for row in before])
                    .order_by("pk")
                    .values_list("pk", "is_superuser", "is_staff", "reads_everything")
                )
                == before
            ), address.name
            assert [row for row in Repository.objects.order_by("pk").values_list("pk", "verdict") if row in verdicts]
            assert not ChangeRequest.objects.filter(needed_approvals=0).exists(), address.name
            assert not User.objects.filter(is_superuser=True).exclude(pk=world.people["admin"].pk).exists()


def test_a_forged_hidden_field_names_nobody_elses_member(world: World) -> None:
    """The remove button sends a user name; of another account it finds nobody."""
    client = world.clients["lead"]
    response = client.post("/accounts/team/members/remove/", {"user": world.foreign["username"]})
    assert response.status_code == 404
    assert Membership.objects.filter(user__username=world.foreign["username"]).exists()


def test_a_forged_content_hash_approves_nothing(world: World) -> None:
    """The approval form carries the hash of what was shown; another one is refused and counts for nothing."""
    url = f"/requests/{world.own['request']}/approve/"
    for forged in ("0" * 64, "", "x"):
        response = world.clients["lead"].post(url, {"content_hash": forged, "passphrase_repository": "x"})
        assert response.status_code in (400, 409), forged
    assert not ChangeRequest.objects.get(pk=world.own["request"]).decisions.exists()


def test_a_forged_account_in_the_address_lets_nobody_work_there(world: World) -> None:
    foreign = world.foreign["account"]
    for url, data in (
        ("/new/key/enrol/", {"name": "x", "pem": "x"}),
        ("/new/repository/", {"path": "x"}),
        ("/new/machine/", {"username": "x"}),
        ("/new/signer/", {"name": "x", "key": world.foreign["key"]}),
        ("/new/request/", {"signer": world.foreign["signer"], "repositories": [world.foreign["gun"]]}),
    ):
        response = world.clients["lead"].post(f"{url}?account={foreign}", data)
        assert not (is_let_in(response) and response.status_code == 302), url
    assert not Repository.objects.filter(gun__endswith="/zz-foreign/x").exists()
    assert not User.objects.filter(username="x").exists()

"""Sign-in through Debian's slapd, and what becomes of people who leave the directory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.http import HttpResponse
from django.test import Client
from pytest_django.fixtures import Settings

from signing.models import AuditEvent, ChangeRequest, Identity, User
from tests.factories import Cast, make_cast, make_user
from tests.parts.slapd import GROUPS, PASSWORD, PEOPLE, SEARCHER, Slapd

FILTER = "(&(uid=%(user)s)(!(employeeType=left)))"


@pytest.fixture
def slapd(tmp_path: Path, settings: Settings) -> Iterator[Slapd]:
    cache.clear()
    directory = Slapd(tmp_path / "slapd").start()
    settings.AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "trustui.sign_in.ldap_people.LdapBackend",
    ]
    settings.LDAP_URL, settings.LDAP_BIND_DN, settings.LDAP_BIND_PASSWORD = directory.url, SEARCHER, PASSWORD
    settings.LDAP_PEOPLE, settings.LDAP_GROUPS, settings.LDAP_FILTER = PEOPLE, GROUPS, FILTER
    directory.add_person("alice", "Alice of the directory", "alice@team.test")
    yield directory
    directory.stop()


@pytest.fixture
def cast(db: None) -> Cast:
    made = make_cast()
    made.signer.set_unusable_password()
    made.signer.save()
    return made


def sign_in(name: str = "alice", password: str = PASSWORD, client: Client | None = None) -> HttpResponse:
    return (client or Client()).post("/me/login/", {"login": name, "password": password})


def is_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def actions() -> list[str]:
    return list(AuditEvent.objects.order_by("number").values_list("action", flat=True))


def test_a_person_signs_in_with_the_password_of_the_directory(cast: Cast, slapd: Slapd) -> None:
    client = Client()
    assert sign_in("ALICE", client=client).url == "/"
    assert "Hello, alice" in client.get("/").content.decode()
    assert actions() == ["link_identity", "sign_in"]
    identity = Identity.objects.get()
    assert (identity.user, identity.source, identity.subject) == (cast.signer, "ldap", "alice")
    assert not User.objects.get(username="alice").has_usable_password()  # it is not kept here


@pytest.mark.parametrize("password", ["", "wrong", "*", ")(uid=*"])
def test_a_wrong_password_signs_nobody_in(cast: Cast, slapd: Slapd, password: str) -> None:
    client = Client()
    assert sign_in(password=password, client=client).status_code == 200
    assert not is_in(client)


@pytest.mark.parametrize("name", ["al*", "alice)(uid=*", "*)(objectClass=*", "nobody", "alice\\00"])
def test_a_name_is_a_name_and_no_filter(cast: Cast, slapd: Slapd, name: str) -> None:
    client = Client()
    assert sign_in(name, client=client).status_code == 200
    assert not is_in(client)


def test_nobody_is_made_unless_that_is_asked_for(cast: Cast, slapd: Slapd, settings: Settings) -> None:
    slapd.add_person("nora", "Nora New", "nora@team.test")
    assert sign_in("nora").status_code == 200
    assert not User.objects.filter(username="nora").exists()
    settings.LDAP_CREATES_PEOPLE = True
    assert sign_in("nora").url == "/"
    made = User.objects.get(username="nora")
    assert (str(made), made.email, made.has_usable_password()) == ("Nora New", "nora@team.test", False)
    assert actions() == ["create_person", "sign_in"]


def test_a_name_alone_never_opens_an_administrators_account(cast: Cast, slapd: Slapd) -> None:
    """Else whoever runs the directory would run this, too."""
    slapd.add_person("root", "Not the one")
    assert sign_in("root").status_code == 200
    assert not Identity.objects.exists()
    assert sign_in("root", "pw").url == "/"  # the password here still counts


def test_groups_give_roles_and_take_them(cast: Cast, slapd: Slapd, settings: Settings) -> None:
    settings.GROUP_ROLES = {"release": {"team": "lead"}, "staff": {"team": "developer"}}
    slapd.add_group("staff", "alice", "bob")
    slapd.add_group("release", "alice")
    sign_in()
    membership = cast.signer.memberships.get(account=cast.account)
    assert membership.role == "lead"
    slapd.set_members("release", "bob")
    call_command("sync_people")
    membership.refresh_from_db()
    assert membership.role == "developer"


@pytest.mark.parametrize("leaves", ["disable", "remove_person"])
def test_who_leaves_is_out_flagged_and_their_removal_is_asked_for(cast: Cast, slapd: Slapd, leaves: str) -> None:
    client = Client()
    sign_in(client=client)
    call_command("sync_people")
    assert is_in(client)
    getattr(slapd, leaves)("alice")
    call_command("sync_people")
    assert not is_in(client)
    assert sign_in().status_code == 200  # the right password opens nothing any more
    cast.alice.refresh_from_db()
    assert cast.alice.flag == "alice left: unknown to LDAP."
    asked = ChangeRequest.objects.get(kind=ChangeRequest.Kind.REMOVE_SIGNER)
    assert (asked.requested_by, asked.signer, asked.state) == (None, cast.alice, "waiting")
    assert actions()[2:] == ["request_signer_removal", "deactivate_person"]


def test_a_disabled_account_does_not_sign_in(cast: Cast, slapd: Slapd) -> None:
    slapd.disable("alice")
    assert sign_in().status_code == 200
    slapd.enable("alice")
    assert sign_in().url == "/"


def test_who_comes_back_signs_in_again(cast: Cast, slapd: Slapd) -> None:
    sign_in()
    slapd.disable("alice")
    call_command("sync_people")
    slapd.enable("alice")
    assert sign_in().url == "/"
    assert actions()[-2:] == ["activate_person", "sign_in"]


def test_whom_an_administrator_deactivated_stays_out(cast: Cast, slapd: Slapd) -> None:
    sign_in()
    admin = Client()
    admin.force_login(cast.admin)
    admin.post(f"/people/{cast.signer.pk}/deactivate/")
    assert sign_in().status_code == 200


@pytest.mark.parametrize("fault", ["stopped", "wrong searcher", "wrong place"])
def test_a_directory_that_does_not_answer_shuts_nobody_out(
    cast: Cast, slapd: Slapd, settings: Settings, fault: str
) -> None:
    client = Client()
    sign_in(client=client)
    if fault == "stopped":
        slapd.stop()
    if fault == "wrong searcher":
        settings.LDAP_BIND_PASSWORD = "wrong"
    if fault == "wrong place":
        settings.LDAP_PEOPLE = "ou=nowhere,dc=team,dc=test"
    call_command("sync_people")
    assert is_in(client)
    assert Identity.objects.get().gone_at is None


def test_local_people_sign_in_while_the_directory_is_away(cast: Cast, slapd: Slapd) -> None:
    make_user("local")
    slapd.stop()
    assert sign_in("local", "pw").url == "/"
    assert sign_in().status_code == 200


def test_guesses_count_as_everywhere(cast: Cast, slapd: Slapd, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/5m/key"}
    for _ in range(3):
        sign_in(password="wrong")
    assert b"Too many wrong passwords" in sign_in().content

"""`trustctl archive --from-account`: the lists of registries, and of Docker Hub by a stand-in of its API."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from signing.local_signer.archive import account as account_module
from signing.local_signer.archive import dashboard, lists
from signing.local_signer.archive.account import RegistryAccount, repositories_of
from signing.local_signer.docker_folder import Login
from signing.trust.errors import BadResponse, InvalidInput, InvalidName, NotAuthorised, ServerUnreachable, TrustError
from signing.trust.evidence.polite import MOST_ATTEMPTS, Politeness
from tests.simulator import Owner, Simulator
from tests.unit.local_signer.conftest import TrustCtl, real_time
from tests.unit.local_signer.fake_server import Answer, Behaviour, FakeServer

pytestmark = pytest.mark.loopback

NAMES = ["other/app", "team/app", "team/deep/er", "team/tool", "teams/app", "Team/NotAName"]
BASIC = f"Basic {base64.b64encode(b'alice:secret').decode()}"


def catalog(names: list[str], size: int = 2) -> Behaviour:
    """Answer as a registry does: a page at a time, the next one in the Link header."""

    def behaviour(path: str, _headers: dict[str, str]) -> Answer:
        last = parse_qs(urlsplit(path).query).get("last", [""])[0]
        start = names.index(last) + 1 if last else 0
        page = names[start : start + size]
        more = start + size < len(names)
        link = {"Link": f'</v2/_catalog?last={page[-1]}&n={size}>; rel="next"'} if more else {}
        return 200, link, json.dumps({"repositories": page}).encode()

    return behaviour


def hub(names: list[str], private: list[str], fake: FakeServer) -> Behaviour:
    """Answer as hub.docker.com does: private names only to who is logged in."""

    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        if path == "/v2/users/login":
            right = json.loads(fake.sent[-1]) == {"username": "alice", "password": "secret"}
            return (200, {}, b'{"token": "T"}') if right else (401, {}, b"{}")
        assert path.startswith("/v2/repositories/team/?")
        shown = names + (private if headers.get("authorization") == "Bearer T" else [])
        page = int(parse_qs(urlsplit(path).query).get("page", ["1"])[0])
        following = (
            f"http://{fake.host}/v2/repositories/team/?page={page + 1}&page_size=1" if page < len(shown) else None
        )
        rows = [{"name": name, "namespace": "team", "star_count": 1.5} for name in shown[page - 1 : page]]
        return 200, {}, json.dumps({"count": len(shown), "next": following, "results": rows}).encode()

    return behaviour


@pytest.fixture
def fake() -> Iterator[FakeServer]:
    with FakeServer(catalog(NAMES)) as started:
        yield started


@pytest.fixture
def fake_hub(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    monkeypatch.setattr(account_module, "HUB_API", f"http://{fake.host}")
    fake.behaviour = hub(["app", "tool"], ["hidden"], fake)
    return fake


def listed(account: str, login: Login | None = None) -> list[str]:
    found = repositories_of(RegistryAccount.parse(account), login, Politeness(10_000, sleep=lambda _: None))
    return [str(gun).partition("/")[2] for gun in found]


@pytest.mark.parametrize(
    ("text", "host", "namespace"),
    [
        ("registry.example.com", "registry.example.com", ""),
        ("registry.example.com/team", "registry.example.com", "team"),
        ("registry.example.com:5000/team/deep", "registry.example.com:5000", "team/deep"),
        ("localhost/team", "localhost", "team"),
        ("REGISTRY/team", "REGISTRY", "team"),
        ("team", "docker.io", "team"),
        ("docker.io/team", "docker.io", "team"),
        ("index.docker.io/team", "docker.io", "team"),
    ],
)
def test_an_account_is_written_as_image_names_begin(text: str, host: str, namespace: str) -> None:
    assert RegistryAccount.parse(text) == (host, namespace)


@pytest.mark.parametrize(
    "text", ["", "/", "registry.example.com//", "registry.example.com/Team", "a/../b", "docker.io"]
)
def test_what_is_no_account(text: str) -> None:
    with pytest.raises(InvalidName):
        RegistryAccount.parse(text)


def test_a_registry_s_list_is_read_page_by_page_and_cut_to_the_namespace(fake: FakeServer) -> None:
    assert listed(f"{fake.host}/team") == ["team/app", "team/deep/er", "team/tool"]
    assert len(fake.asked) == 3
    assert all(path.startswith("/v2/_catalog?") for path, _ in fake.asked)


def test_without_a_namespace_it_is_all_that_docker_would_name(fake: FakeServer) -> None:
    assert listed(fake.host) == ["other/app", "team/app", "team/deep/er", "team/tool", "teams/app"]


def test_a_list_that_is_asked_for_with_a_login(fake: FakeServer) -> None:
    pages = catalog(NAMES)

    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            return 200, {}, b'{"token":"T"}' if headers.get("authorization") == BASIC else b"{}"
        if headers.get("authorization") == "Bearer T":
            return pages(path, headers)
        return 401, {"WWW-Authenticate": f'Bearer realm="http://{fake.host}/token",service="registry"'}, b""

    fake.behaviour = behaviour
    assert listed(f"{fake.host}/team", Login("alice", "secret")) == ["team/app", "team/deep/er", "team/tool"]
    assert "scope=registry%3Acatalog%3A%2A" in fake.asked[1][0]


def answering(status: int, body: bytes = b"{}", **headers: str) -> Behaviour:
    return lambda _path, _headers: (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        pytest.param(answering(401), NotAuthorised, id="denied"),
        pytest.param(answering(401, WWW_Authenticate='Basic realm="x"'), NotAuthorised, id="no login"),
        pytest.param(answering(403), NotAuthorised, id="forbidden"),
        pytest.param(answering(404), BadResponse, id="no list"),
        pytest.param(answering(200, b"<html>"), BadResponse, id="no JSON"),
        pytest.param(answering(200, b"[" * 100_000), BadResponse, id="deep"),
        pytest.param(answering(200, b"[]"), BadResponse, id="no object"),
        pytest.param(answering(200, Link='<http://127.0.0.1:1/v2/_catalog>; rel="next"'), BadResponse, id="elsewhere"),
        pytest.param(answering(200, Link='</v2/team/app/tags/list>; rel="next"'), BadResponse, id="another list"),
        pytest.param(answering(200, Link='</v2/_catalog?n=100>; rel="next"'), BadResponse, id="in a circle"),
    ],
)
def test_a_list_that_cannot_be_used(fake: FakeServer, behaviour: Behaviour, error: type[TrustError]) -> None:
    fake.behaviour = behaviour
    with pytest.raises(error) as caught:
        listed(f"{fake.host}/team")
    assert "trust server" not in caught.value.message


def test_a_list_without_an_end_is_given_up(fake: FakeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 5)
    fake.behaviour = lambda path, _: (200, {"Link": f"<{path}0>; rel=next"}, b"{}")
    with pytest.raises(BadResponse, match="without an end"):
        listed(fake.host)
    assert len(fake.asked) == 5


def test_a_registry_that_is_busy_is_asked_again(fake: FakeServer) -> None:
    fake.behaviour = answering(429)
    with pytest.raises(ServerUnreachable):
        listed(fake.host)
    assert len(fake.asked) == MOST_ATTEMPTS


def test_docker_hub_lists_what_everybody_sees_to_somebody_without_a_login(fake_hub: FakeServer) -> None:
    assert listed("team") == ["team/app", "team/tool"]
    assert all("authorization" not in headers for _, headers in fake_hub.asked)


def test_docker_hub_lists_what_is_private_to_who_is_logged_in(fake_hub: FakeServer) -> None:
    assert listed("docker.io/team", Login("alice", "secret")) == ["team/app", "team/hidden", "team/tool"]


def test_docker_hub_refuses_a_wrong_password(fake_hub: FakeServer) -> None:
    with pytest.raises(NotAuthorised, match="does not let you list") as caught:
        listed("team", Login("alice", "wrong"))
    assert "wrong" not in str(caught.value)


@pytest.fixture
def simulator(simulator: Simulator, monkeypatch: pytest.MonkeyPatch) -> Simulator:
    monkeypatch.setattr(Simulator, "changes", lambda *_: None, raising=False)
    monkeypatch.setattr(Simulator, "url", "https://notary.example.com", raising=False)
    return simulator


def take(trustctl: TrustCtl, fake: FakeServer, *arguments: str) -> tuple[int, str]:
    outcome = trustctl.run("archive", "--rate", "10000", "--from-account", f"{fake.host}/team", *arguments)
    return outcome.code, outcome.stdout + outcome.stderr


def test_an_account_is_archived_as_far_as_it_has_trust_data(
    trustctl: TrustCtl, simulator: Simulator, fake: FakeServer, tmp_path: Path
) -> None:
    for name in ("team/app", "team/tool", "other/app"):
        Owner(simulator, real_time, f"{fake.host}/{name}").initialise()
    archive = tmp_path / "all.archive"

    code, said = take(trustctl, fake, "-o", str(archive))

    assert code == 0, said
    assert "1 repositories of the account have no trust data." in said
    told = trustctl.run("archive", "verify", "--json", str(archive)).json
    assert [row["repository"] for row in told["repositories"]] == [f"{fake.host}/team/app", f"{fake.host}/team/tool"]
    assert not archive.with_name("all.archive.part").exists()


def test_what_the_archive_had_and_the_server_lost_is_a_failure(
    trustctl: TrustCtl, simulator: Simulator, fake: FakeServer, tmp_path: Path
) -> None:
    gun = f"{fake.host}/team/app"
    Owner(simulator, real_time, gun).initialise()
    archive = tmp_path / "all.archive"
    assert take(trustctl, fake, "-o", str(archive))[0] == 0
    simulator.delete(gun)

    code, said = take(trustctl, fake, "-o", str(archive))

    assert code == 1
    assert gun in said
    assert trustctl.run("archive", "verify", str(archive), gun).code == 0


def test_an_account_without_any_trust_data_makes_no_archive(
    trustctl: TrustCtl, simulator: Simulator, fake: FakeServer, tmp_path: Path
) -> None:
    archive = tmp_path / "all.archive"

    code, said = take(trustctl, fake, "-o", str(archive))

    assert (code, list(tmp_path.glob("all*"))) == (1, [])
    assert "3 repositories without trust data" in said


def test_an_account_nobody_can_see_is_told(
    trustctl: TrustCtl, simulator: Simulator, fake: FakeServer, tmp_path: Path
) -> None:
    fake.behaviour = answering(200, b'{"repositories": null}')
    code, said = take(trustctl, fake, "-o", str(tmp_path / "all.archive"))
    assert (code, list(tmp_path.glob("all*"))) == (1, [])
    assert "shows you no repositories" in said
    assert "docker login" in said


def of_dashboard(guns: list[str], account: str, token: str, fake: FakeServer) -> Behaviour:
    """Answer as the dashboard's REST API does."""

    def behaviour(path: str, headers: dict[str, str]) -> Answer:
        if headers.get("authorization") != f"Bearer {token}":
            return 401, {"Content-Type": "application/problem+json"}, b'{"code": "not_signed_in"}'
        query = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        assert (urlsplit(path).path, query["account"]) == ("/api/v1/repositories", account)
        at = int(query.get("offset", 0))
        link = f'<https://{fake.host}/api/v1/repositories?account={account}&limit=1&offset={at + 1}>; rel="next"'
        more = {"Link": f'</x>; rel="first", {link}'} if at + 1 < len(guns) else {}
        return 200, more, json.dumps({"items": [{"gun": guns[at], "account": account}], "total": len(guns)}).encode()

    return behaviour


def test_the_dashboard_lists_what_its_account_has(fake: FakeServer) -> None:
    guns = [f"{fake.host}/team/app", "registry.example.com/team/tool"]
    fake.behaviour = of_dashboard(guns, "team", "T", fake)
    polite = Politeness(10_000, sleep=lambda _: None)
    assert dashboard.repositories_of(f"http://{fake.host}/", "team", "T", polite) == sorted(guns)
    with pytest.raises(NotAuthorised) as caught:
        dashboard.repositories_of(f"http://{fake.host}", "team", None, polite)
    assert "TRUSTUI_TOKEN" in caught.value.next_step
    with pytest.raises(InvalidInput, match="https"):
        dashboard.repositories_of("http://trustui.example.com", "team", "T", polite)


def test_an_account_of_the_dashboard_is_archived(
    trustctl: TrustCtl, simulator: Simulator, fake: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gun = "registry.example.com/team/app"
    Owner(simulator, real_time, gun).initialise()
    fake.behaviour = of_dashboard([gun], "team", "T", fake)
    monkeypatch.setenv("TRUSTUI_TOKEN", "T")
    archive, there = tmp_path / "team.archive", ["--dashboard", f"http://{fake.host}"]

    assert trustctl.run("archive", "-o", str(archive), *there, "--from-account", "team").code == 0

    assert trustctl.run("archive", "verify", str(archive), gun).code == 0
    assert "--from-account" in trustctl.run("archive", "-o", str(archive), *there, gun).refused()


def test_offline_there_is_no_account(trustctl: TrustCtl, fake: FakeServer) -> None:
    assert take(trustctl, fake, "--offline", "--from-trust-dir", str(trustctl.trust_dir))[0] == 1
    assert not fake.asked

"""What "Use in CI" shows, run by sh against the real dashboard, workers, trust server, registry and Engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.parts.builtin_server import PROJECT, BuiltinServer
from tests.parts.docker_cli import DockerCli, require_docker
from tests.parts.engine import Engine, Registry
from tests.parts.installation import PATIENCE, Installation, installed
from tests.parts.ports import free_port
from tests.parts.waiting import wait_until
from trustui.embedded.processes import Process
from trustui.pages.ci_snippets import ASK, PUBLISH, Snippet, snippets

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
BUILD_PATIENCE = 240  # a build waits for two workers on a machine that may be busy
SYSTEMS = ("GitHub Actions", "GitLab CI", "Jenkins")

SET_UP = """
from signing.models import TrustServer, User
from signing.services.accounts import create_account
from signing.services.keys import generate_key
from signing.services.members import set_member
admin = User.objects.create_superuser("root")
lead, other, alice = (User.objects.create_user(name) for name in ("lea", "lou", "alice"))
server = TrustServer.objects.create(name="built-in", url="{trust_url}", ca_pem=open("{ca_file}").read())
account = create_account(actor=admin, name="team", registry="{registry}", namespace="team", trust_server=server)
for user, role in ((lead, "lead"), (other, "lead"), (alice, "signer")):
    set_member(actor=admin, account=account, user=user, role=role)
made = [
    generate_key(actor=who, account=account, purpose=purpose, name=name, passphrase="long enough", unattended=True)
    for who, purpose, name in ((lead, "root", "root"), (alice, "signer", "alice"), (lead, "signer", "builds"))
]
print(*(operation.pk for operation in made))
"""

DELEGATE = """
from signing.models import Account, Key, Repository, User
from signing.services.requests import approve_request, request_signer
from signing.services.signers import create_signer
lead, alice = (User.objects.get(username=name) for name in ("lea", "alice"))
account, keys = Account.objects.get(), Key.objects.filter(purpose="signer")
repository, _ = Repository.objects.get_or_create(account=account, gun="{gun}")
made = dict(alice=alice, builds=None)  # a person's signer, and one that is nobody's
signer = create_signer(actor=lead, account=account, name="{name}", key=keys.get(name="{name}"), user=made["{name}"])
asked = request_signer(actor=alice, signer=signer, repositories=[repository])
approve_request(actor=lead, request=asked, content_hash=asked.content_hash)
print(asked.items.get().operation_id)
"""

TOKENS = """
import json
from signing.models import Account, Repository, User
from signing.services.api_tokens import create_token
from signing.services.machines import create_machine
lead, other, alice = (User.objects.get(username=name) for name in ("lea", "lou", "alice"))
machine = create_machine(actor=lead, account=Account.objects.get(), username="ci")
def token(actor, user, *scopes, repositories=()):
    return create_token(actor=actor, user=user, name="ci", scopes=scopes, repositories=repositories, days=1)[1]
print(json.dumps(dict(
    machine=token(lead, machine, "read", "request", repositories=[Repository.objects.get()]),
    alice=token(alice, alice, "read", "publish"),
    decider=token(other, other, "read", "approve", "publish"),
)))
"""


@dataclass
class Site:
    """A dashboard with one signed repository, and tokens for who plays a part."""

    url: str
    gun: str
    tokens: dict[str, str]
    docker: DockerCli
    programs: Path

    def call(self, who: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return httpx.request(method, f"{self.url}api/v1{path}", headers=headers, json=body, trust_env=False, timeout=60)

    def signed_digest(self, tag: str) -> str:
        found = self.call("machine", "GET", f"/repositories/{self.gun}/-/tags/{tag}")
        assert found.status_code == 200, found.text
        return str(found.json()["digest"])

    def run(self, snippet: Snippet, token: str, **variables: str) -> subprocess.Popen[str]:
        """Run a snippet's shell part as its build server would: with the variables it declares."""
        declared = {name: _filled(value, variables) for name, value in _variables(snippet).items()}
        return subprocess.Popen(
            ["sh", "-c", _script(snippet)],
            env={
                "PATH": f"{self.programs}:{os.environ['PATH']}",
                "PAUSE": "1",
                "PATIENCE": str(BUILD_PATIENCE),
                **declared,
                "TRUSTUI_TOKEN": self.tokens[token],
            },
            cwd=self.programs,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory, builtin_server: BuiltinServer, engine: Engine, registry: Registry
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    made = installed(folder, "", DOCKER_HOST=engine.url)
    try:
        made.manage("web", "createcachetable", "--verbosity=0")
        for part in ("signing", "docker"):
            made.start(f"{part}-worker", f"{part}_worker", "poll_worker", part)
        _start_web(made, port)
        gun = _set_up(made, builtin_server, registry)
        yield Site(
            f"http://127.0.0.1:{port}/",
            gun,
            json.loads(made.shell(TOKENS)),
            _docker(folder, builtin_server, engine, registry),
            _programs(folder, registry),
        )
    finally:
        made.stop()


def _start_web(made: Installation, port: int) -> None:
    argv = [sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}", "--no-ws"]
    argv += ["--workers=2", "--blocking-threads=1", "trustui.wsgi:application"]
    web = Process("web", argv, env=made.env("web"), log=made.folder / "web.log", cwd=PROJECT).start()
    made.processes.append(web)
    web.wait_ready(lambda: _answers(port), PATIENCE)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _set_up(made: Installation, server: BuiltinServer, registry: Registry) -> str:
    given = {"trust_url": server.url, "ca_file": server.ca_file, "registry": registry.host}
    for operation in made.shell(SET_UP.format(**given)).split():
        assert made.wait_done(int(operation))["state"] == "done"
    gun = f"{registry.host}/team/app"
    for name in ("alice", "builds"):
        delegated = made.wait_done(int(made.shell(DELEGATE.format(name=name, gun=gun))))
        assert delegated["state"] == "done", delegated["error"]
    return gun


def _docker(folder: Path, server: BuiltinServer, engine: Engine, registry: Registry) -> DockerCli:
    return DockerCli(
        program=require_docker(),
        home=folder / "docker",
        engine=engine.url,
        registry=registry.host,
        trust_url=server.url,
        ca_pem=server.ca_pem,
    )


def _programs(folder: Path, registry: Registry) -> Path:
    """Stand in for docker's buildx, which not every machine has: give the manifest's bytes from the registry."""
    programs = folder / "bin"
    programs.mkdir()
    stand_in = programs / "docker"
    stand_in.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2 $3 $4" = "buildx imagetools inspect --raw" ] || exit 64\n'
        'name=${5#*/}\nexec curl -sS --fail -H "Accept: ' + MANIFEST + '" '
        f'"http://{registry.host}/v2/${{name%:*}}/manifests/${{name##*:}}"\n'
    )
    stand_in.chmod(0o755)
    return programs


def _script(snippet: Snippet) -> str:
    if snippet.system == "Jenkins":
        (script,) = re.findall(r"sh '''\n(.*?)'''", snippet.text, re.DOTALL)
        assert "\\" not in script, "Groovy would take it for itself"
        return str(script)
    read = yaml.safe_load(snippet.text)
    if snippet.system == "GitLab CI":
        return "\n".join(read["sign"]["script"])
    (step,) = read["jobs"]["sign"]["steps"]
    return str(step["run"])


def _variables(snippet: Snippet) -> dict[str, str]:
    if snippet.system == "Jenkins":
        return dict(re.findall(r'^\s+([A-Z]+) = "(.*)"$', snippet.text, re.MULTILINE))
    read = yaml.safe_load(snippet.text)
    named = read["sign"]["variables"] if snippet.system == "GitLab CI" else read["jobs"]["sign"]["steps"][0]["env"]
    return {name: value for name, value in named.items() if name != "TRUSTUI_TOKEN"}


def _filled(text: str, variables: dict[str, str]) -> str:
    """Put in what the build server puts in for its own names: the git tag and the number of the run."""
    text = re.sub(r"\$\{\{ github\.ref_name \}\}|\$CI_COMMIT_TAG|\$\{env\.TAG_NAME\}", variables["tag"], text)
    text = re.sub(r"\$\{\{ github\.run_id \}\}|\$CI_PIPELINE_ID|\$\{env\.BUILD_TAG\}", variables["run"], text)
    assert "$" not in text, f"{text} is filled in by nobody"
    return text


def _snippet(site: Site, system: str, way: str) -> Snippet:
    signer = "builds" if way == ASK else "alice"
    (found,) = [one for one in snippets(site.url, site.gun, signer, way) if one.system == system]
    return found


def _waiting(site: Site) -> list[dict[str, Any]]:
    return list(site.call("decider", "GET", "/requests?show=mine").json()["items"])


def _asked(site: Site) -> dict[str, Any]:
    wait_until(lambda: bool(_waiting(site)), PATIENCE, "a request")
    (request,) = _waiting(site)
    return request


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_build_asks_and_ends_once_another_person_approved_and_it_is_signed(site: Site, system: str) -> None:
    tag = f"1.{SYSTEMS.index(system)}"
    site.docker.make_image(f"{site.gun}:{tag}", system)
    digest = site.docker.push(f"{site.gun}:{tag}")
    build = site.run(_snippet(site, system, ASK), "machine", tag=tag, run=f"run-{tag}")
    request = _asked(site)
    assert request["requested_by"] == "ci"
    approval = {"content_hash": request["content_hash"]}
    assert site.call("decider", "POST", f"/requests/{request['id']}/approve", approval).status_code == 200
    said, _ = build.communicate(timeout=2 * BUILD_PATIENCE)

    assert build.returncode == 0, said
    assert f"{site.gun}:{tag} is signed." in said
    assert site.signed_digest(tag) == f"sha256:{digest}"


def test_the_build_fails_where_the_answer_is_no(site: Site) -> None:
    site.docker.make_image(f"{site.gun}:2.0", "no")
    site.docker.push(f"{site.gun}:2.0")
    build = site.run(_snippet(site, "GitLab CI", ASK), "machine", tag="2.0", run="run-2.0")
    request = _asked(site)
    site.call("decider", "POST", f"/requests/{request['id']}/reject", {"comment": "not this one"})
    said, _ = build.communicate(timeout=2 * BUILD_PATIENCE)

    assert build.returncode == 1
    assert "not this one" in said


def test_the_build_fails_at_once_where_it_may_not_ask(site: Site) -> None:
    site.docker.make_image(f"{site.gun}:3.0", "never")
    site.docker.push(f"{site.gun}:3.0")
    build = site.run(_snippet(site, "GitHub Actions", ASK), "decider", tag="3.0", run="run-3.0")
    said, _ = build.communicate(timeout=PATIENCE)

    assert build.returncode == 1
    assert '"code": "not_allowed"' in said


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_build_publishes_and_ends_once_the_public_tag_moved(site: Site, system: str) -> None:
    tag = f"4.{SYSTEMS.index(system)}"
    aside = f"{site.gun.partition('/')[0]}/builds/app:{tag}"
    site.docker.make_image(aside, f"published by {system}")
    digest = site.docker.push(aside)
    build = site.run(_snippet(site, system, PUBLISH), "alice", tag=tag, run=f"run-{tag}")
    said, _ = build.communicate(timeout=2 * BUILD_PATIENCE)

    assert build.returncode == 0, said
    assert site.signed_digest(tag) == f"sha256:{digest}"


def test_a_tag_that_would_write_its_own_json_is_refused(site: Site) -> None:
    tag = '1","signer":"mallory'
    build = site.run(_snippet(site, "Jenkins", PUBLISH), "alice", tag=tag, run="run-5.0")
    said, _ = build.communicate(timeout=PATIENCE)

    assert build.returncode == 1
    assert "is no tag of an image" in said


def test_a_name_may_be_written_with_its_slashes_encoded(site: Site) -> None:
    encoded = site.gun.replace("/", "%2F")

    assert site.call("machine", "GET", f"/repositories/{encoded}").json()["gun"] == site.gun


def test_of_the_same_request_sent_at_the_same_moment_one_runs(site: Site) -> None:
    """Two web processes, one database file, one key: the others wait for the first and get its answer."""
    body = {"tag": "1.0", "digest": "sha256:" + "ab" * 32, "length": 528, "signer": "builds"}
    headers = {"Authorization": f"Bearer {site.tokens['machine']}", "Idempotency-Key": "at-once"}
    url = f"{site.url}api/v1/repositories/{site.gun}/-/requests/signature"

    def send(_: int) -> httpx.Response:
        return httpx.post(url, headers=headers, json=body, trust_env=False, timeout=PATIENCE)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(6)))

    assert {answer.status_code for answer in answers} == {201}, [answer.text for answer in answers]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 5

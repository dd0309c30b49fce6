"""`trustctl requests` and `trustctl sign-request` against the dashboard: what is shown is worked out from the bytes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from django.test import Client

from signing.local_signer import dashboard
from signing.local_signer.main import main
from signing.models import ApiToken, Operation, SignatureTask
from signing.services.api_tokens import create_token
from signing.trust.keystore import pem
from signing.trust.notary.http_answers import Answer
from tests.factories import PASSPHRASE
from tests.unit.jobs.conftest import World
from tests.unit.jobs.holders import Holders

URL = "https://trustui.test"
Spoil = Callable[[dict[str, Any]], None]


class ByTestClient:
    """The HTTP client of the trust core, answered by Django's own test client; a test may spoil what it hands on."""

    spoil: Spoil | None = None
    sent: ClassVar[list[bytes]] = []

    def __init__(self, *_: Any, **__: Any) -> None:
        self.client = Client()

    def request(
        self, method: str, url: str, *, limit: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> Answer:
        parts = urlsplit(url)
        self.sent.append(content)
        answer = self.client.generic(
            method,
            f"{parts.path}?{parts.query}",
            data=content,
            content_type="application/json",
            headers=dict(headers or {}),
            secure=True,
        )
        body = answer.content
        if self.spoil is not None and answer.status_code == 200 and b'"payload"' in body:
            found = json.loads(body)
            type(self).spoil(found)  # type: ignore[misc]
            body = json.dumps(found).encode()
        return Answer(answer.status_code, answer.headers, body[:limit])  # type: ignore[arg-type]

    def close(self) -> None:
        pass


class Home:
    """One holder's machine: a trust folder with their key, a token of theirs, and trustctl."""

    def __init__(self, holders: Holders, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.holders, self.folder, self.capture = holders, folder, capture

    def take_home(self, key_id: str, role: str = "alice", gun: str | None = None) -> None:
        private = self.folder / "private"
        private.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = private / f"{key_id}.key"
        file.write_text(pem.encrypt(self.holders.keys[key_id], PASSPHRASE, role, gun))
        file.chmod(0o600)

    def run(self, *words: str, code: int = 0) -> str:
        self.capture.readouterr()
        ended = main([*words, "--trust-dir", str(self.folder)])
        said = self.capture.readouterr()
        assert ended == code, said
        return said.out if code == 0 else said.err


@pytest.fixture
def ready(world: World) -> Holders:
    holders = Holders(world)
    assert holders.carry_out(holders.add_alice()).error == ""
    return holders


@pytest.fixture
def home(ready: Holders, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setattr(ByTestClient, "spoil", None)
    monkeypatch.setattr(ByTestClient, "sent", [])
    monkeypatch.setattr(dashboard, "LimitedClient", ByTestClient)
    _, token = create_token(
        actor=ready.cast.signer, user=ready.cast.signer, name="laptop", scopes=["read", "publish"], days=1
    )
    monkeypatch.setenv("TRUSTUI_TOKEN", token)
    monkeypatch.setenv("TRUSTUI_URL", URL)
    monkeypatch.setenv("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", PASSPHRASE)
    home = Home(ready, tmp_path / "trust", capsys)
    home.take_home(ready.alice.key_id)
    return home


@pytest.fixture
def operation(ready: Holders) -> Operation:
    return ready.start_signing()


def tasks(operation: Operation) -> list[SignatureTask]:
    return list(SignatureTask.objects.filter(file__operation=operation, state="waiting").select_related("file"))


def test_a_holder_sees_what_waits_and_signs_it(home, ready, operation):
    listed = home.run("requests")
    waiting = tasks(operation)
    assert all(f"{task.pk}  {ready.cast.repository.gun}  {task.file.role}" in listed for task in waiting)
    for task in waiting:
        shown = home.run("sign-request", str(task.pk), "--yes")
        assert f"sha256   {task.file.payload_hash}" in shown
        assert all(f"  {line}" in shown for line in task.file.summary)
    assert ready.world.run(operation).state == "done"
    assert ready.tags() == ["1.0"]
    assert "Nothing waits" in home.run("requests")


def test_programs_read_it_as_json(home, operation):
    first, *_ = tasks(operation)
    listed = json.loads(home.run("requests", "--json"))
    assert {row["id"] for row in listed} == {task.pk for task in tasks(operation)}
    done = json.loads(home.run("sign-request", str(first.pk), "--yes", "--json"))
    assert (done["sha256"], done["sent"]) == (first.file.payload_hash, True)


def test_only_the_signature_leaves_the_machine(home, ready, operation):
    task = tasks(operation)[0]
    home.run("sign-request", str(task.pk), "--yes")
    sent = b"".join(ByTestClient.sent)
    key_file = next((home.folder / "private").glob("*.key")).read_text()
    assert json.loads(next(body for body in ByTestClient.sent if body)).keys() == {"signature", "sha256"}
    assert PASSPHRASE.encode() not in sent
    assert key_file.split("\n")[5].encode() not in sent


def test_without_a_yes_nothing_is_signed(home, operation, monkeypatch):
    task = tasks(operation)[0]
    monkeypatch.setattr("signing.local_signer.session.sys.stdin.isatty", lambda: False, raising=False)
    assert "not confirmed" in home.run("sign-request", str(task.pk), code=1)
    task.refresh_from_db()
    assert task.state == "waiting"


def replace_bytes(old: bytes, new: bytes) -> Spoil:
    def spoil(found: dict[str, Any]) -> None:
        payload = base64.b64decode(found["payload"]).replace(old, new)
        found["payload"] = base64.b64encode(payload).decode()

    return spoil


def with_new_hash(spoil: Spoil) -> Spoil:
    def more(found: dict[str, Any]) -> None:
        import hashlib

        spoil(found)
        found["sha256"] = hashlib.sha256(base64.b64decode(found["payload"])).hexdigest()
        found["together"][found["role"]] = found["payload"]

    return more


def set_member(name: str, value: Any) -> Spoil:
    return lambda found: found.__setitem__(name, value)


def drop_file(role: str) -> Spoil:
    return lambda found: found["files"].pop(role)


def spoil_file(role: str) -> Spoil:
    def spoil(found: dict[str, Any]) -> None:
        data = base64.b64decode(found["files"][role]).replace(b'"expires":"2', b'"expires":"3')
        found["files"][role] = base64.b64encode(data).decode()

    return spoil


ALTERED = {
    "other bytes": replace_bytes(b"1.0", b"6.6"),
    "other bytes with their hash": with_new_hash(replace_bytes(b"1.0", b"6.6")),
    "another digest with its hash": with_new_hash(replace_bytes(b'"length":528', b'"length":529')),
    "another order of members": with_new_hash(replace_bytes(b'{"_type"', b'{ "_type"')),
    "a later version": with_new_hash(replace_bytes(b'"version":1', b'"version":9')),
    "lines left out": set_member("lines", []),
    "lines of something harmless": set_member("lines", ["~ targets/alice signed anew, nothing else changes"]),
    "another version said": set_member("version", 7),
    "another hash said": set_member("sha256", "0" * 64),
    "another role said": set_member("role", "targets"),
    "another repository said": set_member("repository", "registry.test:5000/team/other"),
    "a key that may not sign it": set_member("keyid", "0" * 64),
    "no state before": set_member("files", {}),
    "a spoilt targets": spoil_file("targets"),
    "a spoilt root": spoil_file("root"),
    "no snapshot": drop_file("snapshot"),
}


@pytest.mark.parametrize("spoil", ALTERED.values(), ids=ALTERED)
def test_an_altered_request_is_not_signed(home, ready, operation, spoil, monkeypatch):
    task = tasks(operation)[0]
    monkeypatch.setattr(ByTestClient, "spoil", staticmethod(spoil))
    said = home.run("sign-request", str(task.pk), "--yes", code=1)
    assert len(said.splitlines()) == 1, said
    task.refresh_from_db()
    assert task.state == "waiting"
    assert not any(body for body in ByTestClient.sent), "something was sent"


def test_a_root_that_this_machine_does_not_know_is_refused(home, ready, operation, monkeypatch):
    """The dashboard gives a repository of its own making along; this machine has seen the true one before."""
    from signing.trust.notary.cache import FileCache
    from signing.trust.notary.gun import Gun

    gun = Gun(ready.cast.repository.gun)
    state = ready.state()
    FileCache(home.folder, gun).store_all(state.raw_files())
    task = tasks(operation)[0]
    other = ready.world.notary

    def another_root(found: dict[str, Any]) -> None:
        from tests.simulator import Owner, Simulator

        server = Simulator(other._now)
        owner = Owner(server, other._now, gun=str(gun)).initialise()
        for role in ("root", "targets", "snapshot", "timestamp"):
            found["files"][role] = base64.b64encode(server.said(str(gun), role)).decode()
        assert owner

    monkeypatch.setattr(ByTestClient, "spoil", staticmethod(another_root))
    assert "not the one that was seen here" in home.run("sign-request", str(task.pk), "--yes", code=1)


def test_a_state_older_than_this_machine_saw_is_refused(home, ready, monkeypatch):
    from signing.trust.notary.cache import FileCache
    from signing.trust.notary.gun import Gun

    operation = ready.start_signing("slow")
    old = {
        role: base64.b64encode(bytes(data)).decode()
        for role, data in ready.cast.repository.metadata.values_list("role", "data")
    }
    task = tasks(operation)[0]
    assert ready.finish(ready.start_signing("fast")).state == "done"
    FileCache(home.folder, Gun(ready.cast.repository.gun)).store_all(ready.state().raw_files())
    monkeypatch.setattr(ByTestClient, "spoil", staticmethod(set_member("files", old)))
    assert "older" in home.run("sign-request", str(task.pk), "--yes", code=1)


def test_what_moved_meanwhile_is_said(home, ready):
    operation = ready.start_signing("slow")
    task = tasks(operation)[0]
    assert ready.finish(ready.start_signing("fast")).state == "done"
    assert "what is to be signed is version" in home.run("sign-request", str(task.pk), "--yes", code=1)


def test_the_whole_of_it_offline(home, ready, operation, tmp_path, monkeypatch):
    for number, task in enumerate(tasks(operation)):
        request, signature = tmp_path / f"{number}.request", tmp_path / f"{number}.signature"
        home.run("sign-request", str(task.pk), "--save", str(request))
        with monkeypatch.context() as offline:
            offline.delenv("TRUSTUI_TOKEN")
            offline.delenv("TRUSTUI_URL")
            shown = home.run("sign-request", str(request), "--yes", "-o", str(signature))
        assert task.file.payload_hash in shown
        assert json.loads(signature.read_text())["sha256"] == task.file.payload_hash
        home.run("sign-request", str(signature), "--upload")
    assert ready.world.run(operation).state == "done"


def test_a_key_from_a_file_signs_too(home, ready, operation, tmp_path):
    key = next((home.folder / "private").glob("*.key")).rename(tmp_path / "alice.key")
    for task in tasks(operation):
        home.run("sign-request", str(task.pk), "--yes", "--key-file", str(key))
    assert ready.world.run(operation).state == "done"


def test_another_key_is_not_taken(home, ready, operation, tmp_path):
    home.take_home(ready.root.key_id, "root")
    key = home.folder / "private" / f"{ready.root.key_id}.key"
    said = home.run("sign-request", str(tasks(operation)[0].pk), "--yes", "--key-file", str(key), code=1)
    assert ready.root.key_id[:12] in said or "passphrase" in said.lower()


def test_a_no_ends_the_work(home, operation):
    home.run("sign-request", str(tasks(operation)[0].pk), "--refuse", "not today", "--yes")
    operation.refresh_from_db()
    assert (operation.state, operation.error_code) == ("failed", "signature_refused")


def test_what_is_not_yours_is_not_there(home, ready, operation):
    assert "nothing of that number" in home.run("sign-request", "987654", "--yes", code=1)


def test_a_token_that_only_reads_signs_nothing(home, ready, operation, monkeypatch):
    _, token = create_token(actor=ready.cast.signer, user=ready.cast.signer, name="reader", scopes=["read"], days=1)
    monkeypatch.setenv("TRUSTUI_TOKEN", token)
    task = tasks(operation)[0]
    assert "may not do that" in home.run("sign-request", str(task.pk), "--yes", code=1)
    assert ApiToken.objects.count() == 2


def test_the_first_root_of_a_repository_is_shown_and_signed(world, tmp_path, capsys, monkeypatch):
    """Nothing is trusted yet: the holder sees every line of the beginning, and their own key in it."""
    holders = Holders(world)
    operation = holders.ask_and_approve(holders.add_alice())
    monkeypatch.setattr(ByTestClient, "spoil", None)
    monkeypatch.setattr(dashboard, "LimitedClient", ByTestClient)
    monkeypatch.setenv("TRUSTUI_URL", URL)
    for variable in ("ROOT", "REPOSITORY"):
        monkeypatch.setenv(f"DOCKER_CONTENT_TRUST_{variable}_PASSPHRASE", PASSPHRASE)
    for task in holders.waiting(operation):
        _, token = create_token(
            actor=task.key.owner, user=task.key.owner, name="laptop", scopes=["read", "publish"], days=1
        )
        monkeypatch.setenv("TRUSTUI_TOKEN", token)
        home = Home(holders, tmp_path / str(task.pk), capsys)
        home.take_home(task.key.key_id, task.key.name, task.key.gun or None)
        shown = home.run("sign-request", str(task.pk), "--yes")
        assert "the repository begins with it" in shown
    assert world.run(operation).state == "done"

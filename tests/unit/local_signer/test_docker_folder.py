"""Docker's configuration folder: logins and TLS files as docker finds them."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from signing.local_signer.docker_folder import DockerFolder, Login
from signing.trust.errors import InvalidInput

SERVER = "https://trust.example.com:4443"


def auth(pair: str) -> str:
    return base64.b64encode(pair.encode()).decode()


def with_logins(folder: Path, auths: object) -> DockerFolder:
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
    return DockerFolder(folder)


def test_the_folder_is_named_by_a_variable_or_lies_at_home(tmp_path: Path) -> None:
    assert DockerFolder.of({"DOCKER_CONFIG": "/elsewhere", "HOME": str(tmp_path)}).path == Path("/elsewhere")
    assert DockerFolder.of({"DOCKER_CONFIG": "", "HOME": str(tmp_path)}).path == tmp_path / ".docker"
    assert DockerFolder.of({"HOME": str(tmp_path)}).trust_dir == tmp_path / ".docker" / "trust"


@pytest.mark.parametrize(
    ("stored", "registry"),
    [
        ("registry.example.com", "registry.example.com"),
        ("registry.example.com:5000", "registry.example.com:5000"),
        ("https://registry.example.com", "registry.example.com"),
        ("https://registry.example.com/v2/", "registry.example.com"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("index.docker.io", "docker.io"),
    ],
)
def test_a_login_is_found(tmp_path: Path, stored: str, registry: str) -> None:
    folder = with_logins(tmp_path, {"other.example.com": {"auth": auth("x:y")}, stored: {"auth": auth("alice:a:b")}})
    assert folder.login(registry) == Login("alice", "a:b")


@pytest.mark.parametrize(
    ("stored", "registry"),
    [
        ("registry.example.com", "registry.example.com:5000"),
        ("registry.example.com:5000", "registry.example.com"),
        ("registry.example.com", "example.com"),
        ("registry.example.com.evil.example", "registry.example.com"),
        ("evil.example/registry.example.com", "registry.example.com"),
        ("docker.io", "docker.io"),
    ],
)
def test_a_login_goes_to_no_other_host(tmp_path: Path, stored: str, registry: str) -> None:
    assert with_logins(tmp_path, {stored: {"auth": auth("alice:secret")}}).login(registry) is None


@pytest.mark.parametrize("entry", [{}, {"auth": ""}, {"auth": None}, {"identitytoken": "x"}, None, [], "text"])
def test_an_entry_without_a_plain_login_is_none(tmp_path: Path, entry: object) -> None:
    assert with_logins(tmp_path, {"registry.example.com": entry}).login("registry.example.com") is None


@pytest.mark.parametrize("content", ["{}", "[]", '{"auths":null}', '{"auths":[]}', '{"credsStore":"desktop"}'])
def test_a_configuration_without_logins(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    assert DockerFolder(tmp_path).login("registry.example.com") is None


def test_no_configuration_at_all(tmp_path: Path) -> None:
    folder = DockerFolder(tmp_path / "absent")
    assert folder.login("registry.example.com") is None
    assert folder.authorities(SERVER) is None
    assert folder.client_certificate(SERVER) is None


@pytest.mark.parametrize(
    "content",
    [b"not json", b"", b"\xff\xfe", b"[" * 100_000, b" " * 5_000_000],
    ids=["text", "empty", "binary", "deep", "huge"],
)
def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InvalidInput, match=r"config\.json"):
        DockerFolder(tmp_path).login("registry.example.com")


@pytest.mark.parametrize("value", ["no base64!", auth("no colon"), base64.b64encode(b"\xff:\xff").decode()])
def test_a_login_that_cannot_be_read_shows_no_secret(tmp_path: Path, value: str) -> None:
    folder = with_logins(tmp_path, {"registry.example.com": {"auth": value}})
    with pytest.raises(InvalidInput) as caught:
        folder.login("registry.example.com")
    assert value not in caught.value.message


def test_a_login_does_not_show_its_password() -> None:
    assert "secret" not in repr(Login("alice", "secret"))


def test_tls_files_of_a_server(tmp_path: Path) -> None:
    place = tmp_path / "tls" / "trust.example.com:4443"
    place.mkdir(parents=True)
    (place / "b.crt").write_text("second")
    (place / "a.crt").write_text("first")
    (place / "client.cert").write_text("certificate")
    (place / "client.key").write_text("key")
    folder = DockerFolder(tmp_path)
    assert folder.authorities(SERVER) == "first\nsecond"
    assert folder.client_certificate(SERVER) == (place / "client.cert", place / "client.key")
    assert folder.authorities("https://trust.example.com") is None
    assert folder.authorities("https://alice@trust.example.com:4443/path") == "first\nsecond"


def test_a_client_certificate_without_its_key_is_named(tmp_path: Path) -> None:
    place = tmp_path / "tls" / "trust.example.com:4443"
    place.mkdir(parents=True)
    (place / "client.cert").write_text("certificate")
    with pytest.raises(InvalidInput, match=r"client\.key"):
        DockerFolder(tmp_path).client_certificate(SERVER)

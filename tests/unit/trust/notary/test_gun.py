"""Names as docker reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.errors import InvalidInput, InvalidName, NoTag
from signing.trust.notary.gun import Gun, ImageName, check_digest, check_tag, server_for

SHA = "sha256:" + "ab" * 32

NORMALISED = {
    "alpine": "docker.io/library/alpine",
    "me/app": "docker.io/me/app",
    "docker.io/alpine": "docker.io/library/alpine",
    "docker.io/library/alpine": "docker.io/library/alpine",
    "docker.io/me/app": "docker.io/me/app",
    "index.docker.io/alpine": "docker.io/library/alpine",
    "index.docker.io/me/app": "docker.io/me/app",
    "localhost/app": "localhost/app",
    "localhost:5000/app": "localhost:5000/app",
    "127.0.0.1:5000/h1/demo": "127.0.0.1:5000/h1/demo",
    "[::1]:5000/a/b": "[::1]:5000/a/b",
    "reg.example:443/a/b/c": "reg.example:443/a/b/c",
    "Registry/app": "Registry/app",
    "a/b/c": "docker.io/a/b/c",
    "reg.example/a__b/c-d--e/f.g": "reg.example/a__b/c-d--e/f.g",
    "xn--n3h.example/app": "xn--n3h.example/app",
}


@pytest.mark.parametrize(("text", "gun"), NORMALISED.items())
def test_a_repositorys_name_is_normalised(text: str, gun: str) -> None:
    assert Gun.parse(text) == gun
    assert Gun.parse(gun) == gun


REFUSED = [
    "",
    " ",
    "/",
    "app/",
    "/app",
    "a//b",
    "Alpine",
    "me/App",
    "docker.io/Me/app",
    "reg.example/App",
    "reg.example/a/../b",
    "reg.example/..",
    "../etc/passwd",
    "reg.example/./a",
    "reg.example/a..b",
    "reg.example/a___b",
    "reg.example/-a",
    "reg.example/a-",
    "reg.example/a b",
    "reg.example/a\x00b",
    "reg.example/a\n",
    "reg.example/a?x=1",
    "reg.example/a#b",
    "reg.example/a%2fb",
    "reg.example/a\\b",
    "reg.example/_trust",
    "https://reg.example/a",
    "reg.example:port/a",
    "reg_example.com/a",
    "-reg.example/a",
    "reg.example/käse",
    "reg.example/a٣",
    "reg.example/" + "a" * 256,
    "ab" * 32,
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_docker_refuses_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        Gun.parse(text)


def test_the_longest_name_has_255_characters() -> None:
    assert Gun.parse("reg.example/" + "a" * 243)
    with pytest.raises(InvalidName):
        Gun.parse("reg.example/" + "a" * 244)


def test_a_repository_has_no_tag() -> None:
    for text in ("alpine:3", f"alpine@{SHA}"):
        with pytest.raises(InvalidName, match="not a repository"):
            Gun.parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("alpine", ("docker.io/library/alpine", None, None)),
        ("alpine:3.20", ("docker.io/library/alpine", "3.20", None)),
        ("localhost:5000/app:v1", ("localhost:5000/app", "v1", None)),
        ("localhost:5000", ("docker.io/library/localhost", "5000", None)),
        (f"reg.example/a@{SHA}", ("reg.example/a", None, SHA)),
        (f"reg.example/a:v1@{SHA}", ("reg.example/a", "v1", SHA)),
        ("reg.example/a:V1_.-", ("reg.example/a", "V1_.-", None)),
    ],
)
def test_an_image_reference_is_read(text: str, expected: tuple[str, str | None, str | None]) -> None:
    assert ImageName.parse(text) == expected


@pytest.mark.parametrize(
    "text", ["a:", "a:.x", "a:-x", "a:" + "x" * 129, "a@", "a@sha256:12", f"a@{SHA.upper()}", "a:b:c", f"a@{SHA}@{SHA}"]
)
def test_a_broken_image_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidName):
        ImageName.parse(text)


def test_signing_needs_a_tag_and_no_digest() -> None:
    assert ImageName.parse_tagged("alpine:3").tag == "3"
    with pytest.raises(NoTag):
        ImageName.parse_tagged("alpine")
    with pytest.raises(InvalidName):
        ImageName.parse_tagged(f"alpine:3@{SHA}")


@pytest.mark.parametrize("tag", ["v1", "_", "1.2.3-rc_1", "x" * 128])
def test_a_tag(tag: str) -> None:
    assert check_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", ".x", "-x", "a b", "a/b", "ä", "v1\n", "x" * 129])
def test_no_tag(tag: str) -> None:
    with pytest.raises(InvalidName):
        check_tag(tag)


@pytest.mark.parametrize(
    "digest", ["", "ab" * 32, "sha256:" + "AB" * 32, "sha256:ab", SHA + "0", "sha512:" + "ab" * 32]
)
def test_no_digest(digest: str) -> None:
    with pytest.raises(InvalidName):
        check_digest(digest)
    assert check_digest(SHA) == SHA


@given(st.text(max_size=60))
def test_a_raw_name_never_leads_elsewhere(text: str) -> None:
    try:
        gun = Gun(text)
    except InvalidName:
        return
    assert gun == text
    assert all(part not in ("", ".", "..") for part in gun.split("/"))
    assert gun.isprintable()
    assert not set(gun) & set("?#%*\\ ")


@given(st.from_regex(r"[a-z0-9./:_-]{1,40}", fullmatch=True))
def test_parsing_is_stable(text: str) -> None:
    try:
        name = ImageName.parse(text)
    except InvalidName:
        return
    rebuilt = str(name.gun) + (f":{name.tag}" if name.tag else "")
    assert ImageName.parse(rebuilt) == name


def test_where_docker_looks_for_the_trust_server() -> None:
    assert server_for(Gun.parse("alpine"), {}) == "https://notary.docker.io"
    assert server_for(Gun.parse("reg.example:5000/a"), {}) == "https://reg.example:5000"
    set_to = {"DOCKER_CONTENT_TRUST_SERVER": "https://trust.example:4443/"}
    assert server_for(Gun.parse("alpine"), set_to) == "https://trust.example:4443"
    for wrong in ("http://trust.example", "trust.example:4443"):
        with pytest.raises(InvalidInput):
            server_for(Gun.parse("alpine"), {"DOCKER_CONTENT_TRUST_SERVER": wrong})


def test_a_gun_knows_its_registry() -> None:
    gun = Gun.parse("reg.example:5000/team/app")
    assert (gun.host, gun.path) == ("reg.example:5000", "team/app")

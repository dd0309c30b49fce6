"""docker's output, byte for byte, and nothing raw from outside."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.inspect import (
    describe,
    description,
    image_json,
    images_json,
    pretty,
    pretty_all,
    pretty_text,
    to_json,
    visible,
)
from signing.trust.tuf.metadata import Envelope
from tests.simulator import Clock, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest
from tests.unit.trust.samples import DATA, GUN, ROLE_FILES, metadata


def output(name: str) -> str:
    return (DATA / "output" / name).read_text()


@pytest.fixture
def demo() -> TrustedRepository:
    """The repository docker's sample output is about."""
    simulator = Simulator()
    for role in ROLE_FILES:
        simulator.put(GUN, role, Envelope.parse(metadata(role)))
    return refresh(Gun(GUN), simulator, MemoryCache(), now=Clock())


def test_the_json_of_a_repository(demo: TrustedRepository) -> None:
    assert to_json([describe(demo, GUN)]) == output("inspect.json")


def test_the_text_needs_no_description(demo: TrustedRepository, newcomer: Reader) -> None:
    trusted = newcomer.refresh()
    for tag in (None, "v1", "v0", "none"):
        assert images_json([image_json(trusted, "x", tag)] * 2) == to_json([describe(trusted, "x", tag)] * 2)
    assert images_json([]) == "[]\n"


def test_docker_leaves_the_list_of_keys_out_where_a_signer_has_none() -> None:
    described = description("x", [], [("bob", [])], ["r"], ["t"])
    assert described["Signers"] == [{"Name": "bob"}]
    assert to_json([described]) == json.dumps([described], indent=4) + "\n"
    assert "\nbob       \n" in pretty(described)


@given(st.lists(st.tuples(st.text(), st.text(), st.lists(st.text(), max_size=3))), st.text())
def test_the_text_is_that_of_any_encoder(tags: list[tuple[str, str, list[str]]], name: str) -> None:
    described = description(name, tags, [(name, ["x"])], [], [name])
    assert json.loads(to_json([described])) == [described]
    plain = description("x", [("1", "d", ["a", "b"]), ("2", "d", [])], [("a", ["1"])], ["r"], [])
    assert to_json([plain]) == json.dumps([plain], indent=4) + "\n"


def test_the_json_of_one_tag(demo: TrustedRepository) -> None:
    assert to_json([describe(demo, f"{GUN}:v1", "v1")]) == output("inspect-tag.json")


def test_the_pretty_form(demo: TrustedRepository) -> None:
    assert pretty(describe(demo, GUN)) == output("inspect-pretty.txt")


def test_the_same_from_stored_rows_in_any_order(demo: TrustedRepository) -> None:
    tags = [(row.tag, row.digest_hex, list(row.signers)) for row in reversed(demo.released())]
    signers = list(reversed(demo.signers()))
    keys = demo.administrative_keys()
    assert pretty_text(GUN, tags, signers, keys["root"], keys["repository"]) == output("inspect-pretty.txt")


def test_an_unsigned_tag_is_an_empty_list(demo: TrustedRepository) -> None:
    described = describe(demo, f"{GUN}:v9", "v9")
    assert described["SignedTags"] == []
    assert '"SignedTags": [],\n' in to_json([described])
    assert pretty(described).startswith(f"\nNo signatures for {GUN}:v9\n\n\nList of signers")


def test_nothing_and_several() -> None:
    one = description("a", [], [], ["r"], ["t"])
    assert to_json([]) == "[]\n"
    assert [item["Name"] for item in json.loads(to_json([one, {**one, "Name": "b"}]))] == ["a", "b"]
    assert pretty_all([one, one]) == f"{pretty(one)}\n\n{pretty(one)}"
    assert pretty_all([]) == ""


def test_without_signers_there_is_no_table_of_them() -> None:
    text = pretty_text("a", [("v1", "d" * 64, ())], [], ["r2", "r1"], ["t"])
    assert "List of signers" not in text
    assert text.endswith("\nAdministrative keys for a\n\n  Repository Key:\tt\n  Root Key:\tr1, r2\n")
    assert f"v1           {'d' * 64}   (Repo Admin)\n" in text


def test_columns_fit_their_longest_cell_and_are_never_narrow() -> None:
    text = pretty_text("a", [], [("b", ["k2", "k1"]), ("a-long-signer", [])], [], [])
    assert "SIGNER          KEYS\n" in text
    assert "a-long-signer   \n" in text
    assert "b               k1, k2\n" in text
    assert "SIGNER    KEYS\nb         k\n" in pretty_text("a", [], [("b", ["k"])], [], [])


def test_signers_descend_in_json_and_ascend_naturally_in_text() -> None:
    described = description("a", [], [("s2", ["k"]), ("s10", ["k"]), ("alice", ["k"])], [], [])
    assert [row["Name"] for row in described["Signers"]] == ["s2", "s10", "alice"]
    shown = [line.split()[0] for line in pretty(described).splitlines() if line.endswith("k")]
    assert shown == ["alice", "s2", "s10"]


def test_two_digests_of_one_tag_are_two_rows(newcomer: Reader, owner: Owner) -> None:
    owner.sign("v1", digest("by the repository key"))
    rows = describe(newcomer.refresh(), "a", "v1")["SignedTags"]
    assert [row["SignedTag"] for row in rows] == ["v1", "v1"]
    assert ["Repo Admin"] in [row["Signers"] for row in rows]


def test_html_is_escaped_as_go_does() -> None:
    text = to_json([description("<a&b>", [], [], [], [])])
    assert r'"Name": "\u003ca\u0026b\u003e"' in text


HOSTILE = "v1\x1b[2K\r\u202egnp.exe\x00\u2028\x9b"


def test_control_characters_never_come_out_raw() -> None:
    described = description(HOSTILE, [(HOSTILE, "d", [HOSTILE])], [(HOSTILE, ["k"])], [], [])
    for text in (to_json([described]), pretty(described)):
        assert not set(text) & (set(HOSTILE) - set("v1gnp.exe[2K"))
        assert r"\u001b[2K" in text
    assert json.loads(to_json([described])) == [described]


@given(st.text())
def test_escaped_text_is_printable_and_json_stays_the_same(text: str) -> None:
    described = description(text, [(text, "d", [text])], [], [], [])
    told = to_json([described])
    if not any(0xD800 <= ord(character) < 0xE000 for character in text):
        assert json.loads(told) == [described]
    assert all(character >= " " for character in visible(text))
    assert all(character >= " " or character == "\n" for character in told)

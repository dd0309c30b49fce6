"""Pins from notary's config.json; what is not understood is an error, never passed over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signing.trust.errors import InvalidInput, UntrustedRoot
from signing.trust.notary.pinning import TOFU
from signing.trust.notary.pinning_file import pinning_in, read_pinning
from tests.simulator import GUN, Owner
from tests.unit.trust.notary.conftest import Reader

ID, OTHER = "a" * 64, "b" * 64
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def write(folder: Path, pins: Any, name: str = "config.json") -> Path:
    path = folder / name
    path.write_text(json.dumps({"trust_dir": "~/.notary", "trust_pinning": pins}))
    return path


def test_a_folder_without_pins_trusts_on_first_use(tmp_path: Path) -> None:
    assert pinning_in(tmp_path) == TOFU
    assert TOFU.anchor_of(GUN) == "first use"
    (tmp_path / "config.json").write_text("{}")
    assert pinning_in(tmp_path) == TOFU


def test_pins_by_certificate_and_by_key_stand_together(tmp_path: Path) -> None:
    write(tmp_path, {"certs": {GUN: [ID]}, "keys": {GUN: [OTHER], "reg/*": [OTHER]}, "disable_tofu": True})
    pinning = pinning_in(tmp_path)
    assert pinning.key_ids == {GUN: {ID, OTHER}, "reg/*": {OTHER}}
    assert [pinning.anchor_of(gun) for gun in (GUN, "reg/app", "elsewhere/app")] == ["pinned key"] * 2 + ["nothing"]


def test_authorities_are_files_beside_the_pins(tmp_path: Path, owner: Owner) -> None:
    (tmp_path / "ca.pem").write_bytes(owner.certificate.public)
    pinning = read_pinning(write(tmp_path, {"ca": {"registry.example/": "ca.pem"}}, "pins.json"))
    assert pinning.anchor_of(GUN) == "pinned authority"
    assert pinning.anchor_of("elsewhere/app") == "first use"


@pytest.mark.parametrize("member", ["certs", "keys"])
@pytest.mark.parametrize("pattern", [GUN, "registry.example/*"])
def test_a_pinned_root_is_trusted_and_no_other(
    pattern: str, member: str, tmp_path: Path, newcomer: Reader, owner: Owner
) -> None:
    right = owner.certificate.key_id if member == "certs" else owner.root_key.key_id
    newcomer.refresh(pinning=read_pinning(write(tmp_path, {member: {pattern: [right]}})))
    with pytest.raises(UntrustedRoot, match="pinned"):
        newcomer.refresh(pinning=read_pinning(write(tmp_path, {member: {pattern: [ID]}})))


WRONG: dict[str, Any] = {
    "a misspelt member": {"cert": {GUN: [ID]}},
    "a member in another case": {"Certs": {GUN: [ID]}},
    "no object": [],
    "null": None,
    "ids that are no list": {"certs": {GUN: ID}},
    "an id that is cut short": {"certs": {GUN: [ID[:12]]}},
    "an id in capitals": {"keys": {GUN: [ID.upper()]}},
    "an id that is a number": {"keys": {GUN: [1]}},
    "a number for yes": {"disable_tofu": 1},
    "text for yes": {"disable_tofu": "true"},
    "a file that is not there": {"ca": {"reg/": "missing.pem"}},
    "a file that is no certificate": {"ca": {"reg/": "config.json"}},
    "a broken certificate": {"ca": {"reg/": "broken.pem"}},
    "a file that is null": {"ca": {"reg/": None}},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_no_pin_is_an_error(wrong: str, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text(CERTIFICATE)
    path = write(tmp_path, WRONG[wrong])
    with pytest.raises(InvalidInput) as caught:
        pinning_in(tmp_path)
    assert str(path) in caught.value.message
    assert caught.value.next_step


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b'{"trust_pinning":{},"trust_pinning":{}}', b'{"Trust_Pinning":{}}', b" " * 2**21]
)
def test_a_file_that_is_none_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(InvalidInput):
        pinning_in(tmp_path)


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.json").mkdir()
    with pytest.raises(InvalidInput):
        pinning_in(tmp_path)


def test_no_pins_for_a_repository_is_no_key_for_it(tmp_path: Path, newcomer: Reader) -> None:
    with pytest.raises(UntrustedRoot):
        newcomer.refresh(pinning=read_pinning(write(tmp_path, {"certs": {GUN: []}})))

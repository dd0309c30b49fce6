"""Docker's private/ folder: what is listed, what opens, and who else may read it."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from signing.trust.errors import InvalidKey, KeyNotHeld, UnsafeKeyFile, WrongPassphrase
from signing.trust.keystore import pem
from signing.trust.keystore.base import KeyInfo, PrivateKey
from signing.trust.keystore.encrypted_files import FileKeyStore, write_private_file
from tests.unit.trust import samples


@dataclass
class Answers:
    """A person who types these passphrases, one after the other."""

    answers: list[str]
    asked: list[tuple[str, str, bool, int]] = field(default_factory=list)

    def __call__(self, role: str, key_id: str, *, new: bool, attempt: int) -> str:
        self.asked.append((role, key_id, new, attempt))
        return self.answers[len(self.asked) - 1]


def no_passphrase(_role: str, _key_id: str, *, new: bool, attempt: int) -> str:
    raise AssertionError("nobody should be asked")


def of_the_samples(role: str, _key_id: str, *, new: bool, attempt: int) -> str:
    return samples.passphrase_of(role)


@pytest.fixture(autouse=True)
def loose_umask() -> Iterator[None]:
    """The modes must not depend on it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the folder docker wrote."""
    private = tmp_path / "trust" / "private"
    private.mkdir(parents=True, mode=0o700)
    for key_id in samples.PRIVATE_KEYS:
        shutil.copy(samples.DATA / "keys" / f"{key_id}.key", private)
        (private / f"{key_id}.key").chmod(0o600)
    return private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_folder_of_docker(folder: Path) -> None:
    store = FileKeyStore(folder, of_the_samples)
    expected = {KeyInfo(key_id, *owner) for key_id, owner in samples.PRIVATE_KEYS.items()}
    assert set(store.list()) == expected
    for key_id in samples.PRIVATE_KEYS:
        assert store.holds(key_id)
        assert store.open(key_id).key_id == key_id


def test_listing_is_in_order_and_asks_for_nothing(folder: Path) -> None:
    listed = [info.key_id for info in FileKeyStore(folder, no_passphrase).list()]
    assert listed == sorted(samples.PRIVATE_KEYS)


def test_what_else_lies_in_the_folder_is_passed_over(folder: Path) -> None:
    (folder / "notes.txt").write_text(samples.private_key(samples.ALICE))
    (folder / "broken.key").write_text("no key")
    (folder / "binary.key").write_bytes(b"\xff\xfe")
    (folder / "huge.key").write_text("x" * 3_000_000)
    (folder / "public.key").write_text((samples.DATA / "keys" / "alice.pub").read_text())
    (folder / "folder.key").mkdir()
    assert len(FileKeyStore(folder, no_passphrase).list()) == len(samples.PRIVATE_KEYS)


def test_symbolic_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.key"
    (folder / f"{samples.ALICE}.key").rename(outside)
    (folder / f"{samples.ALICE}.key").symlink_to(outside)
    store = FileKeyStore(folder, of_the_samples)
    assert samples.ALICE not in [info.key_id for info in store.list()]
    assert not store.holds(samples.ALICE)
    with pytest.raises(KeyNotHeld):
        store.open(samples.ALICE)


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    store = FileKeyStore(tmp_path / "nowhere", no_passphrase)
    assert store.list() == []
    assert not store.holds(samples.ALICE)
    with pytest.raises(KeyNotHeld):
        store.open(samples.ALICE)


@pytest.mark.parametrize("key_id", ["", "..", "../private/x", "/etc/passwd", "a/b", "a.b", "a\0b", "*"])
def test_an_id_is_never_a_path(folder: Path, key_id: str) -> None:
    store = FileKeyStore(folder, no_passphrase)
    assert not store.holds(key_id)
    with pytest.raises(KeyNotHeld):
        store.open(key_id)


def test_a_new_key_is_stored_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "trust" / "private"
    store = FileKeyStore(folder, Answers(["passphrase", "passphrase"]))
    key = PrivateKey.generate()
    store.add(key, "targets", samples.GUN)
    assert mode(folder / f"{key.key_id}.key") == 0o600
    assert [mode(path) for path in (folder, folder.parent, folder.parent.parent)] == [0o700] * 3
    assert store.list() == [KeyInfo(key.key_id, "targets", samples.GUN)]
    assert store.open(key.key_id).public == key.public
    assert [path.name for path in folder.iterdir()] == [f"{key.key_id}.key"]


def test_a_new_key_asks_for_a_new_passphrase(tmp_path: Path) -> None:
    answers = Answers(["passphrase"])
    key = PrivateKey.generate()
    FileKeyStore(tmp_path, answers).add(key, "alice")
    assert answers.asked == [("alice", key.key_id, True, 0)]


def test_folders_that_are_there_keep_their_mode(tmp_path: Path) -> None:
    (tmp_path / "trust").mkdir(mode=0o755)
    write_private_file(tmp_path / "trust" / "private" / "a.key", "text")
    assert mode(tmp_path / "trust") == 0o755
    assert mode(tmp_path / "trust" / "private") == 0o700


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.key"
    write_private_file(path, "old")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private_file(path, "new")
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["a.key"]


def test_a_wrong_passphrase_is_asked_again(folder: Path) -> None:
    answers = Answers(["wrong", "wrong again", samples.REPOSITORY_PASSPHRASE])
    assert FileKeyStore(folder, answers).open(samples.ALICE).key_id == samples.ALICE
    assert [attempt for *_, attempt in answers.asked] == [0, 1, 2]


def test_three_wrong_passphrases_are_enough(folder: Path) -> None:
    answers = Answers(["wrong"] * 4)
    with pytest.raises(WrongPassphrase) as caught:
        FileKeyStore(folder, answers).open(samples.ALICE)
    assert len(answers.asked) == 3
    assert "wrong" not in caught.value.message


def test_an_unencrypted_key_asks_for_nothing(tmp_path: Path) -> None:
    key = PrivateKey.generate()
    store = FileKeyStore(tmp_path, no_passphrase)
    store.write(key.key_id, pem.encrypt(key, "", "alice"))
    assert store.open(key.key_id).public == key.public


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660, 0o777, 0o610])
def test_a_file_others_may_read_is_not_opened(folder: Path, bits: int) -> None:
    path = folder / f"{samples.ALICE}.key"
    path.chmod(bits)
    with pytest.raises(UnsafeKeyFile) as caught:
        FileKeyStore(folder, no_passphrase).open(samples.ALICE)
    assert str(path) in caught.value.message
    assert "chmod 600" in caught.value.next_step


def test_a_file_that_holds_another_key_is_not_used(folder: Path) -> None:
    bob = next(key_id for key_id, (role, _) in samples.PRIVATE_KEYS.items() if role == "bob")
    shutil.copy(folder / f"{bob}.key", folder / f"{samples.ALICE}.key")
    with pytest.raises(InvalidKey):
        FileKeyStore(folder, of_the_samples).open(samples.ALICE)


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff\xfe", b"x" * 3_000_000], ids=["empty", "text", "binary", "huge"]
)
def test_a_file_that_is_no_key_is_refused(folder: Path, content: bytes) -> None:
    (folder / f"{samples.ALICE}.key").write_bytes(content)
    with pytest.raises(InvalidKey):
        FileKeyStore(folder, no_passphrase).open(samples.ALICE)

"""The file itself: deterministic, sealed, and refused where somebody made it to harm."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from signing.trust.errors import DamagedArchive, InvalidInput, MissingVersion
from signing.trust.evidence import container
from signing.trust.evidence.container import Archive
from signing.trust.evidence.manifest import Manifest, Record
from signing.trust.evidence.shelf import describe
from signing.trust.notary.gun import Gun
from tests.simulator import GUN, NOON

DATA = b'{"signed":{"version":3},"signatures":[]}'
FILE = describe("targets/alice", DATA)
RECORD = Record(frozenset([FILE]), server="https://notary.example", taken=NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "trust.archive"
    container.write(target, Manifest({Gun(GUN): RECORD}), lambda gun, file: DATA)
    return target


def test_what_was_written_is_read(path: Path) -> None:
    with Archive(path) as archive:
        assert archive.manifest == Manifest({Gun(GUN): RECORD})
        assert archive.read(GUN, FILE) == DATA
        assert archive.is_sealed()


def test_anybody_can_look_into_it_with_unzip(path: Path) -> None:
    with zipfile.ZipFile(path) as plain:
        assert plain.namelist() == ["manifest.json", f"{GUN}/_trust/targets/alice/3.{FILE.sha256}.json"]
        assert json.loads(plain.read("manifest.json"))["repositories"][GUN]["taken"] == "2026-11-24T12:00:00Z"


def test_the_same_content_makes_the_same_bytes(path: Path) -> None:
    before = path.read_bytes()

    container.write(path, Manifest({Gun(GUN): RECORD}), lambda gun, file: DATA)

    assert path.read_bytes() == before


def test_one_changed_byte_anywhere_is_found(path: Path) -> None:
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x41]) + whole[at + 1 :])
        try:
            with Archive(path) as archive:
                assert not archive.is_sealed(), at
        except DamagedArchive:
            continue


def test_a_crash_while_writing_leaves_the_earlier_archive(path: Path) -> None:
    before = path.read_bytes()

    def crash(gun: str, file: object) -> bytes:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        container.write(path, Manifest({Gun(GUN): RECORD}), crash)

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_file_the_manifest_lists_and_the_archive_lacks_is_named(path: Path) -> None:
    repack(path, lambda entries: entries[:1])

    with Archive(path) as archive, pytest.raises(MissingVersion, match="targets/alice 3"):
        archive.read(GUN, FILE)


Entry = tuple[str, bytes]


def repack(path: Path, change: Callable[[list[Entry]], list[Entry]], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path) as old:
        entries = [(name, old.read(name)) for name in old.namelist()]
    with zipfile.ZipFile(path, "w", method) as new:
        for name, data in change(entries):
            new.writestr(zipfile.ZipInfo(name), data, compress_type=method)


HOSTILE_NAMES = ["../../etc/cron.d/x", "/etc/passwd", f"{GUN}/_trust/root/1.json", "C:\\x", f"{GUN}/_trust/../x", "x/"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_the_manifest_does_not_have_is_refused(path: Path, name: str) -> None:
    repack(path, lambda entries: [*entries, (name, b"x")])

    with pytest.raises(DamagedArchive, match="does not list"):
        Archive(path)


@pytest.mark.parametrize("gun", ["../../etc", "/etc", "a/_trust/b", "a//b", ""])
def test_a_manifest_with_a_repository_that_leads_elsewhere_is_refused(path: Path, gun: str) -> None:
    def rename(entries: list[Entry]) -> list[Entry]:
        return [(name, data.replace(json.dumps(GUN).encode(), json.dumps(gun).encode())) for name, data in entries]

    repack(path, rename)

    with pytest.raises(DamagedArchive, match="manifest"):
        Archive(path)


@pytest.mark.parametrize("role", ["../x", "targets/../x", "Targets", "targets//x", "targets/x/"])
def test_a_manifest_with_a_role_that_leads_elsewhere_is_refused(path: Path, role: str) -> None:
    repack(path, lambda entries: [(name, data.replace(b"targets/alice", role.encode())) for name, data in entries])

    with pytest.raises(DamagedArchive, match="manifest"):
        Archive(path)


def test_two_files_of_one_name_are_refused(path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        repack(path, lambda entries: [*entries, entries[1]])

    with pytest.raises(DamagedArchive, match="two files of one name"):
        Archive(path)


def test_a_bomb_is_refused_before_anything_of_it_is_read(path: Path) -> None:
    repack(path, lambda entries: [*entries, ("bomb", bytes(1_000_000))], zipfile.ZIP_DEFLATED)

    with pytest.raises(DamagedArchive, match="compressed"):
        Archive(path)


def test_overlapping_files_are_refused(path: Path) -> None:
    """The quoted-overlap bomb: many names in the list for the same bytes."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as made:
        made.writestr("a", bytes(10_000))
        first = made.infolist()[0]
        for number in range(50):
            twin = zipfile.ZipInfo(f"b{number}")
            twin.CRC, twin.file_size, twin.compress_size, twin.header_offset = (
                first.CRC,
                first.file_size,
                first.compress_size,
                first.header_offset,
            )
            made.filelist.append(twin)
    path.write_bytes(raw.getvalue())

    with pytest.raises(DamagedArchive, match="overlap"):
        Archive(path)


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip" * 100, b"PK\x05\x06" + bytes(18)])
def test_anything_else_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)

    with pytest.raises(DamagedArchive):
        Archive(path)


def test_no_file_is_a_plain_sentence(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="There is no archive"):
        Archive(tmp_path / "absent")

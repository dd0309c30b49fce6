"""docker's folder of remembered metadata."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from signing.trust.errors import InvalidName
from signing.trust.notary import cache as cache_module
from signing.trust.notary.cache import FileCache, LateCache, MemoryCache

GUN = "127.0.0.1:5000/h1/demo"


def test_files_lie_where_docker_looks(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, GUN)
    cache.store("root", b"root bytes")
    cache.store("targets/alice", b"alice bytes")

    folder = tmp_path / "tuf" / GUN / "metadata"
    assert (folder / "root.json").read_bytes() == b"root bytes"
    assert (folder / "targets" / "alice.json").read_bytes() == b"alice bytes"
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == ["alice.json", "root.json"]


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    FileCache(tmp_path / "trust", GUN).store("targets/a/b", b"x")
    for path in (tmp_path / "trust").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert stat.S_IMODE((tmp_path / "trust").stat().st_mode) == 0o700


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_what_is_stored_is_loaded(kind: str, tmp_path: Path) -> None:
    cache = FileCache(tmp_path, GUN) if kind == "file" else MemoryCache()
    assert cache.load("root") is None
    cache.store("root", b"1")
    cache.store("root", b"2")
    cache.store("targets/alice", b"3")
    assert (cache.load("root"), cache.load("targets/alice")) == (b"2", b"3")
    cache.clear()
    assert (cache.load("root"), cache.load("targets/alice")) == (None, None)
    cache.clear()


@pytest.mark.parametrize("gun", ["../x", "a/../../x", "/etc", "a//b", "a/./b", "a/\x00", "", "a/.."])
def test_a_gun_cannot_leave_the_folder(gun: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidName):
        FileCache(tmp_path, gun)


@pytest.mark.parametrize("role", ["../root", "targets/../../x", "targets/", "targets//x", "other", "", "targets/A"])
def test_a_role_cannot_leave_the_folder(role: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidName):
        FileCache(tmp_path, GUN).store(role, b"x")


def test_one_gun_cannot_reach_another_below_its_name(tmp_path: Path) -> None:
    """docker's layout would keep role `targets/metadata/root` of `a` where GUN `a/metadata/targets` keeps its root."""
    with pytest.raises(InvalidName):
        FileCache(tmp_path, "a/metadata/targets")
    inner = FileCache(tmp_path, "a/metadata")
    inner.store("root", b"inner")
    FileCache(tmp_path, "a").clear()
    assert inner.load("root") == b"inner"


def test_clearing_leaves_staged_changes(tmp_path: Path) -> None:
    cache = FileCache(tmp_path, GUN)
    cache.store("root", b"x")
    staged = tmp_path / "tuf" / GUN / "changelist" / "1.change"
    staged.parent.mkdir()
    staged.write_text("{}")
    cache.clear()
    assert staged.exists()


def test_a_file_too_large_to_be_metadata_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "LARGEST_FILE", 3)
    cache = FileCache(tmp_path, GUN)
    cache.store("root", b"1234")
    assert cache.load("root") is None


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = FileCache(tmp_path, GUN)
    cache.store("root", b"old")

    def full(_descriptor: int) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        cache.store_all({"root": b"new", "targets": b"new"})
    assert cache.load("root") == b"old"
    assert [path.name for path in (tmp_path / "tuf" / GUN / "metadata").iterdir()] == ["root.json"]


def test_many_files_are_stored_together(tmp_path: Path) -> None:
    files = {f"targets/signer-{number}": b"%d" % number for number in range(3 * cache_module.MOST_AT_ONCE + 1)}
    cache = FileCache(tmp_path, GUN)
    cache.store_all(files)
    assert {role: cache.load(role) for role in files} == files


def test_one_file_that_cannot_be_stored_keeps_its_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = FileCache(tmp_path, GUN)
    cache.store_all({"root": b"old", "snapshot": b"old"})
    replace = os.replace

    def refuse_snapshots(source: str, target: Path) -> None:
        if target.name == "snapshot.json":
            raise OSError("a read-only disk")
        replace(source, target)

    monkeypatch.setattr("os.replace", refuse_snapshots)
    with pytest.raises(OSError, match="read-only"):
        cache.store_all({"root": b"new", "snapshot": b"new"})
    assert (cache.load("root"), cache.load("snapshot")) == (b"new", b"old")
    assert len(list((tmp_path / "tuf" / GUN / "metadata").iterdir())) == 2


def test_a_late_cache_writes_each_changed_file_once(tmp_path: Path) -> None:
    kept = FileCache(tmp_path, GUN)
    kept.store_all({"root": b"1", "targets": b"1"})
    late = LateCache(kept)
    assert late.load("root") == b"1"
    late.store_all({"root": b"1", "targets": b"2", "snapshot": b"2"})
    late.store("targets", b"3")
    assert (late.load("targets"), kept.load("targets")) == (b"3", b"1")
    late.write()
    assert [kept.load(role) for role in ("root", "targets", "snapshot")] == [b"1", b"3", b"2"]

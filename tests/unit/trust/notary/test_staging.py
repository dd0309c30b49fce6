"""Changes staged in notary's folder."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from signing.trust.errors import InvalidInput, InvalidName, MalformedMetadata
from signing.trust.notary.changelist import Change
from signing.trust.notary.staging import StagedChanges
from tests.unit.trust import samples
from tests.unit.trust.notary.people import target


@pytest.fixture
def staged(tmp_path: Path) -> StagedChanges:
    return StagedChanges(tmp_path, samples.GUN)


def folder(tmp_path: Path) -> Path:
    return tmp_path / "tuf" / samples.GUN / "changelist"


def test_changes_come_back_in_order(staged: StagedChanges, tmp_path: Path) -> None:
    changes = [Change.set_target("targets", target(name)) for name in ("b", "a", "c")]
    for change in changes:
        staged.add(change)
    assert staged.read() == changes
    modes = {stat.S_IMODE(path.stat().st_mode) for path in folder(tmp_path).iterdir()}
    assert modes == {0o600}
    assert stat.S_IMODE(folder(tmp_path).stat().st_mode) == 0o700


def test_what_notary_staged_is_listed(staged: StagedChanges, tmp_path: Path) -> None:
    shutil.copytree(samples.DATA / "changelist", folder(tmp_path))
    assert [change.kind for change in staged.read()] == ["target", "delegation", "delegation", "witness"]


def test_some_are_taken_back(staged: StagedChanges) -> None:
    for name in ("a", "b", "c"):
        staged.add(Change.witness(f"targets/{name}"))
    assert [change.role for change in staged.remove([2, 0])] == ["targets/a", "targets/c"]
    assert [change.role for change in staged.read()] == ["targets/b"]
    with pytest.raises(InvalidInput, match="no staged change 1"):
        staged.remove([0, 1])
    assert len(staged.read()) == 1


def test_all_are_taken_back_even_unreadable_ones(staged: StagedChanges, tmp_path: Path) -> None:
    staged.add(Change.witness("targets"))
    (folder(tmp_path) / "00000000000000000001_x.change").write_text("{}")
    with pytest.raises(MalformedMetadata, match="00000000000000000001_x"):
        staged.read()
    assert staged.clear() == 2
    assert staged.read() == []
    assert staged.clear() == 0


def test_a_gun_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidName):
        StagedChanges(tmp_path, "a/../../b")

"""Packages are installed by root, on Debian and its kin, and not against a person's word."""

from pathlib import Path

import pytest

from trustui.embedded import debian


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Give a function that describes the machine and asks."""

    def ask(os_release: str, *, root: bool = True, apt: bool = True, **environ: str) -> bool:
        file = tmp_path / "os-release"
        file.write_text(os_release)
        monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/apt-get" if apt else None)
        return debian.may_install(environ, file)

    return ask


@pytest.mark.parametrize(
    "os_release", ["ID=debian\n", "NAME=x\nID=ubuntu\nID_LIKE=debian\n", 'ID=linuxmint\nID_LIKE="ubuntu debian"\n']
)
def test_debian_and_its_kin(system, os_release: str) -> None:
    assert system(os_release)


def test_not_elsewhere(system) -> None:
    assert not system('ID="rocky"\nID_LIKE="rhel fedora"\n')


def test_not_without_root_or_apt_or_when_told_not_to(system) -> None:
    assert not system("ID=debian\n", root=False)
    assert not system("ID=debian\n", apt=False)
    assert not system("ID=debian\n", NO_APT="1")

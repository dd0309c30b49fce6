"""Where a secret is looked for, and that a wrong one is refused without being repeated."""

import base64
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from trustui.settings import environment


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environment, "secret_file", lambda name: tmp_path / "secrets" / name.lower())
    (tmp_path / "secrets").mkdir()
    return tmp_path


def test_a_file_named_by_the_environment_wins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "given").write_text("from the file\n")
    (folder / "secrets" / "some_key").write_text("from the state folder")
    monkeypatch.setenv("SOME_KEY", "from the environment")
    monkeypatch.setenv("SOME_KEY_FILE", str(folder / "given"))
    assert environment.secret("SOME_KEY") == "from the file"


def test_then_the_environment_then_the_state_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secrets" / "other_key").write_text("from the state folder\n")
    assert environment.secret("OTHER_KEY") == "from the state folder"
    monkeypatch.setenv("OTHER_KEY", "from the environment")
    assert environment.secret("OTHER_KEY") == "from the environment"


def test_an_absent_one_says_what_to_do(folder: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"ABSENT_KEY is not set\. Set ABSENT_KEY_FILE .*`make run`"):
        environment.secret("ABSENT_KEY")


def test_a_key_is_32_bytes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOD_KEY", base64.b64encode(b"k" * 32).decode())
    assert environment.secret_key_bytes("GOOD_KEY") == b"k" * 32


@pytest.mark.parametrize("text", ["canary!", base64.b64encode(b"canary").decode()])
def test_another_is_refused_and_not_repeated(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("BAD_KEY", text)
    with pytest.raises(ImproperlyConfigured) as refused:
        environment.secret_key_bytes("BAD_KEY")
    assert text not in str(refused.value)
    assert refused.value.__cause__ is None

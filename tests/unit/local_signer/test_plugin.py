"""docker's calls of a plugin, taken apart and said again."""

from __future__ import annotations

import pytest

from signing.local_signer.plugin.__main__ import run
from signing.local_signer.plugin.dialect import Call, parser
from signing.local_signer.plugin.install import script
from tests.unit.local_signer.conftest import TrustCtl

CALLS = [
    (["trust", "inspect", "a"], Call((), "trust", ("inspect", "a"))),
    (["-D", "trust", "sign", "--local", "a:b"], Call(("-D",), "trust", ("sign", "--local", "a:b"))),
    (["-H", "tcp://x", "--config", "/c", "dct", "x"], Call(("-H", "tcp://x", "--config", "/c"), "dct", ("x",))),
    (["--config=/c", "-l", "debug", "trust"], Call(("--config=/c", "-l", "debug"), "trust", ())),
    (["--tlsverify", "--tlscacert", "ca.pem", "trust"], Call(("--tlsverify", "--tlscacert", "ca.pem"), "trust", ())),
    ([], Call((), "trust", ())),
    (["help", "trust"], Call((), "trust", ("--help",))),
    (["-D", "help", "dct", "key"], Call(("-D",), "dct", ("key", "--help"))),
    (["-H"], Call(("-H",), "trust", ())),
]


@pytest.mark.parametrize(("argv", "call"), CALLS)
def test_docker_s_own_options_end_at_the_plugin_s_name(argv: list[str], call: Call) -> None:
    assert Call.of(argv) == call


def test_the_configuration_folder_is_found_however_it_is_written() -> None:
    assert Call.of(["--config", "/c", "trust"]).option("--config") == "/c"
    assert Call.of(["--config=/c", "trust"]).option("--config") == "/c"
    assert Call.of(["trust", "--config", "/c"]).option("--config") is None


WORDS = [
    ("inspect --pretty a b", "inspect --pretty -- a b"),
    ("key generate alice", "key generate -- alice"),
    ("key generate --dir /d alice", "key generate --dir=/d -- alice"),
    ("key load --name bob f.pem", "key load --name=bob -- f.pem"),
    ("signer add --key a.pub --key b.pub alice r1 r2", "signer add --key=a.pub --key=b.pub -- alice r1 r2"),
    ("signer remove -f alice r", "signer remove --force -- alice r"),
    ("revoke -y a:b", "revoke --yes -- a:b"),
]


@pytest.mark.parametrize(("docker", "trustctl"), WORDS)
def test_docker_s_words_become_trustctl_s(docker: str, trustctl: str) -> None:
    arguments = parser("trust").parse_args(docker.split())

    assert arguments.words(arguments) == trustctl.split()


def test_trustctl_knows_all_these_words() -> None:
    from signing.local_signer.main import command_line

    for _, words in WORDS:
        command_line().parse_args(words.split())


def test_a_value_that_looks_like_an_option_stays_a_value() -> None:
    arguments = parser("trust").parse_args(["inspect", "--", "--server=https://evil.example"])

    assert arguments.words(arguments) == ["inspect", "--", "--server=https://evil.example"]


@pytest.mark.parametrize(("argv", "usage"), [(["trust"], "docker trust"), (["dct", "key"], "docker dct key")])
def test_a_level_alone_shows_its_help_as_docker_s_own(
    argv: list[str], usage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(argv) == 0
    assert capsys.readouterr().err.startswith(f"usage: {usage}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trust", ""], ["inspect", "key", "revoke", "sign", "signer", ":4"]),
        (["trust", "signer", "a"], ["add", ":4"]),
        (["trust", "inspect", "--p"], ["--pretty", ":4"]),
        (["trust", "signer", "add", "--key", ""], [":0"]),
        (["trust", "sign", ""], [":0"]),
        ([], ["inspect", "key", "revoke", "sign", "signer", ":4"]),
    ],
)
def test_docker_s_shell_completion_is_answered(
    words: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["__complete", *words]) == 0
    assert capsys.readouterr().out.splitlines() == expected


def test_programs_are_told_what_became_of_the_plugin(trustctl: TrustCtl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(trustctl.home))  # no docker there
    path = str(trustctl.home / ".docker" / "cli-plugins" / "docker-trust")
    installed = trustctl.run("plugin", "install", "--json")
    assert installed.json == {"plugin": path, "changed": True, "passed_over_by_docker": None}
    assert trustctl.run("plugin", "remove", "--json").json == {"plugin": path, "changed": True}
    again = trustctl.run("plugin", "remove", "--json")
    assert (again.code, again.json) == (3, {"plugin": path, "changed": False})


def test_the_plugin_never_looks_for_its_code_in_the_current_folder() -> None:
    assert " -P -m signing.local_signer.plugin " in script()

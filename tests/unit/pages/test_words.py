"""Words, ages and commands."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template

from signing.local_signer.main import command_line
from signing.models import ChangeRequest, Operation, Repository
from tests.factories import Cast
from trustui.pages import commands
from trustui.pages.words import STATES, VERDICTS, age, size

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("away", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5, minutes=59), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(seconds=-3), "in a moment"),
    ],
)
def test_ages_read_like_speech(away: timedelta, words: str) -> None:
    assert age(NOW - away, NOW) == words


@pytest.mark.parametrize(("count", "words"), [(0, "0 B"), (999, "999 B"), (12_345_678, "12.3 MB"), (4e12, "4.0 TB")])
def test_sizes_are_short(count: float, words: str) -> None:
    assert size(int(count)) == words


def test_every_verdict_and_state_has_a_word_and_an_icon() -> None:
    assert set(Repository.Verdict.values) <= set(VERDICTS)
    assert set(Operation.State.values) | set(ChangeRequest.State.values) <= set(STATES)


def test_a_verdict_is_a_word_beside_its_icon_never_a_colour_alone() -> None:
    html = Template('{% load trust %}{% verdict "expired" %}').render(Context())
    assert "Expired</span>" in html
    assert "#clock-alert" in html


def test_times_are_iso_with_zone_and_relative_on_hover() -> None:
    html = Template("{% load trust %}{% when moment %}").render(Context({"moment": NOW}))
    assert ">2026-11-24 12:00 UTC</time>" in html
    assert 'title="' in html


def test_long_names_break_after_slashes_and_stay_text() -> None:
    html = Template("{% load trust %}{{ name|breakable }}").render(Context({"name": "a/<b>/c"}))
    assert html == "a/<wbr>&lt;b&gt;/<wbr>c"


def test_commands_carry_real_values_and_quote_them(cast: Cast) -> None:
    server = cast.account.trust_server
    assert commands.inspect(cast.repository, "1.0") == (
        f"trustctl inspect --server {server.url} --pretty registry.test:5000/team/app:1.0"
    )
    server.ca_pem = "PEM"
    cast.repository.account.trust_server = server
    assert "--ca notary-ca.crt" in commands.verify(cast.repository, "1.0")
    assert commands.key_generate("a b; rm -rf /") == "trustctl key generate 'a b; rm -rf /'"


def test_trustctl_understands_every_command_the_pages_show(cast: Cast) -> None:
    shown = [
        commands.inspect(cast.repository),
        commands.inspect(cast.repository, "1.0", pretty=False),
        commands.verify(cast.repository, "1.0"),
        commands.sign(cast.repository, "1.0", f"sha256:{'ab' * 32}", 528),
        commands.signer_add(cast.alice, cast.repository),
        commands.key_generate("alice"),
    ]
    for command in shown:
        program, *words = shlex.split(command)
        assert program == "trustctl"
        understood = command_line().parse_args(words)
        assert understood.module

"""The admin's journey: a lost key replaced in six clicks and a quorum, over 200 tags, while its worker dies twice."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.client import TrustedRepository, refresh
from signing.trust.notary.gun import Gun
from signing.trust.notary.replacing import uses_of, verifies
from signing.trust.notary.transport import HttpsTransport
from tests.browser.people import People
from tests.parts.builtin_server import PROJECT
from tests.parts.dashboard import Dashboard
from tests.parts.docker_cli import DockerCli, docker_programs
from tests.parts.engine import Engine
from tests.parts.notary_cli import NotaryCli
from tests.parts.rotation_team import LEAD, PASSWORD, SECOND

REPOSITORIES, TAGS_EACH = 4, 50
MOST_CLICKS = 6
PATIENCE = 60


@dataclass
class Team:
    """What was made, and how to look at it from outside."""

    dashboard: Dashboard
    key: str
    guns: list[str]
    ca: str
    clicks: list[str] = field(default_factory=list)

    def fresh(self, gun: str) -> TrustedRepository:
        """Read a repository as a client that was never here."""
        with HttpsTransport(self.dashboard.trust_url, ca_pem=self.ca) as transport:
            return refresh(Gun.parse(gun), transport, MemoryCache())

    def click(self, page: Page, role: str, name: str) -> None:
        """Click as the person does, and count it."""
        self.clicks.append(name)
        page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]  # one of Playwright's roles

    @property
    def database(self) -> Path:
        return self.dashboard.var / "trustui.sqlite3"


@pytest.fixture
def team(dashboard: Dashboard) -> Team:
    made = program(dashboard, "web", "make", dashboard.registry, str(REPOSITORIES))
    program(dashboard, "signing_worker", "sign", str(TAGS_EACH))
    return Team(dashboard, made["key"], made["guns"], made["ca"])


def test_a_lost_key_is_replaced_while_the_worker_dies_twice(
    team: Team, people: People, new_page: Callable[..., Page], engine: Engine, tmp_path: Path
) -> None:
    people.chosen |= {LEAD: PASSWORD, SECOND: PASSWORD}
    before = {gun: team.fresh(gun) for gun in team.guns}
    assert all(verifies(state, team.key) == ["targets/turner", "targets/releases"] for state in before.values())
    lead = people.sign_in(new_page(), LEAD)
    lead.goto(f"/keys/{team.key}/")
    team.click(lead, "link", "Replace")
    expect(lead.get_by_text("200 tags")).to_be_visible()
    team.click(lead, "radio", "It is lost: nobody can sign with it any more")
    team.click(lead, "button", "Show the plan")
    team.click(lead, "button", "Ask for approval")
    approve(people.sign_in(new_page(), SECOND))
    for _ in range(2):
        kill_the_worker_at_work(team)
    lead.goto("/rotations/")
    team.click(lead, "link", "turner")
    expect(lead.get_by_role("heading", name="The old key verifies nothing")).to_be_visible(timeout=PATIENCE * 1000)
    assert len(team.clicks) <= MOST_CLICKS, team.clicks

    for gun, was in before.items():
        now = team.fresh(gun)
        assert uses_of(now, team.key) == []
        for role in ("targets/turner", "targets/releases"):
            assert now.delegations[role].version == was.delegations[role].version + 1, "signed anew exactly once"
        assert [(row.tag, row.digest_hex) for row in now.released()] == [
            (row.tag, row.digest_hex) for row in was.released()
        ]
        assert len(now.released()) == TAGS_EACH
    real_clients_agree(team, engine, tmp_path)


def approve(page: Page) -> None:
    """Be the other person: find it in the inbox of requests and say yes."""
    page.goto("/requests/?show=mine")
    page.get_by_role("link", name=re.compile("Replace the key turner")).first.click()
    expect(page.get_by_text("Key that comes")).to_be_visible()
    page.get_by_role("button", name="Approve").click(no_wait_after=True)


def kill_the_worker_at_work(team: Team) -> None:
    """Kill the signing worker while it replaces a key, and let its silence look longer than it is."""
    running = "SELECT id FROM signing_operation WHERE kind = 'replace_key' AND state = 'running'"
    deadline = time.monotonic() + PATIENCE
    with contextlib.closing(sqlite3.connect(team.database, timeout=30)) as database:
        while not (found := database.execute(running).fetchone()):
            assert time.monotonic() < deadline, "nothing is being replaced"
            time.sleep(0.005)
        for pid in workers(team.dashboard, "signing_worker"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        database.execute(
            "UPDATE signing_operation SET alive_at = datetime('now', '-1 day') WHERE id = ? AND state = 'running'",
            found,
        )
        database.commit()


def real_clients_agree(team: Team, engine: Engine, folder: Path) -> None:
    """Ask docker and notary, where they are installed, what they see in the first repository."""
    gun, expected = team.guns[0], {f"1.{number}" for number in range(TAGS_EACH)}
    for program_ in docker_programs()[:1]:
        docker = DockerCli(
            program=program_,
            home=folder / "docker",
            engine=engine.url,
            registry=team.dashboard.registry,
            trust_url=team.dashboard.trust_url,
            ca_pem=team.ca,
        )
        seen = docker.described(gun)
        assert {row["SignedTag"] for row in seen["SignedTags"]} == expected
        [signer] = seen["Signers"]
        assert team.key not in {key["ID"] for key in signer["Keys"]}
    if notary := shutil.which("notary"):
        ca_file = folder / "ca.crt"
        ca_file.write_text(team.ca)
        assert set(NotaryCli(notary, folder / "notary", team.dashboard.trust_url, ca_file).list(gun)) == expected


def program(dashboard: Dashboard, part: str, *words: str) -> Any:
    """Run `tests.parts.rotation_team` as one of the dashboard's parts, and give what its last line says."""
    environment = next(environ for _, environ in parts(dashboard, part))
    done = subprocess.run(
        [sys.executable, "-m", "tests.parts.rotation_team", *words],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def workers(dashboard: Dashboard, part: str) -> list[int]:
    return [pid for pid, _ in parts(dashboard, part)]


def parts(dashboard: Dashboard, part: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Find the running programs of one part of this dashboard, with their environment."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        with contextlib.suppress(OSError):
            text = (folder / "environ").read_bytes().decode(errors="replace")
            environment = dict(line.split("=", 1) for line in text.split("\0") if "=" in line)
            is_here = environment.get("TRUSTUI_VAR") == str(dashboard.var)
            if is_here and environment.get("DJANGO_SETTINGS_MODULE") == f"trustui.settings.{part}":
                yield int(folder.name), environment

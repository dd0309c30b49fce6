"""Settings of signing in that would be unsafe or senseless stop the process, and say why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from trustui.embedded import environment
from trustui.settings import sign_in

OIDC = {"OIDC_CLIENT_ID": "trustui", "OIDC_CLIENT_SECRET": "x"}
LDAP = {"LDAP_PEOPLE": "ou=people,dc=test"}


def load(**environ: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], **environ}
    command = [sys.executable, "-c", "import trustui.settings.sign_in"]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"OIDC_URL": "http://idp.example", **OIDC}, "OIDC_URL must start with https://"),
        ({"LDAP_URL": "ldap://directory.example", **LDAP}, "Passwords must not cross the network in the clear"),
        ({"LDAP_URL": "ldaps://directory.example"}, "LDAP_PEOPLE must name where people are"),
        ({"REQUIRE_SECOND_FACTOR": "perhaps"}, "REQUIRE_SECOND_FACTOR must be none, leads or all"),
        ({"GROUP_ROLES": "release=lead"}, "GROUP_ROLES must be JSON"),
        ({"GROUP_ROLES": '{"release": {"shop": "owner"}}'}, "roles that do not exist: owner"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_refused(environ: dict[str, str], says: str) -> None:
    if "LDAP_URL" in environ:
        pytest.importorskip("django_auth_ldap", reason="sign-in by LDAP is an extra: make ldap")
    done = load(**environ)
    assert done.returncode != 0
    assert says in done.stderr


def test_what_is_taken() -> None:
    done = load(OIDC_URL="https://idp.example/realm", GROUP_ROLES='{"release": {"shop": "lead"}}', **OIDC)
    assert done.returncode == 0, done.stderr


def test_make_run_hands_every_one_of_them_on() -> None:
    """Else a setting that the documentation names would do nothing there."""
    text = Path(str(sign_in.__file__)).read_text()
    read = set(re.findall(r'env\.\w+\("([A-Z_]+)"', text))
    assert len(read) > 15
    assert read <= set(environment.PAGES), read - set(environment.PAGES)

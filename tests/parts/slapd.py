"""Debian's slapd with a small directory: people, groups, an account to search with, and what tests change."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.parts.ports import free_port
from tests.parts.programs import require_program, run

SUFFIX = "dc=team,dc=test"
PEOPLE, GROUPS = f"ou=people,{SUFFIX}", f"ou=groups,{SUFFIX}"
SEARCHER, ADMIN = f"cn=searcher,{SUFFIX}", f"cn=admin,{SUFFIX}"
PASSWORD = "a password of a test"
START_SECONDS = 10
BASE = f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
dc: team
o: team

dn: {PEOPLE}
objectClass: organizationalUnit
ou: people

dn: {GROUPS}
objectClass: organizationalUnit
ou: groups

dn: {SEARCHER}
objectClass: person
cn: searcher
sn: searcher
userPassword: {PASSWORD}
"""


class Slapd:
    """A directory of its own in a folder, on a port of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._ldap: Any = pytest.importorskip("ldap", reason="sign-in by LDAP is an extra: make ldap")

    def start(self) -> Slapd:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "db").mkdir(exist_ok=True)
        self._config.write_text(self._configuration())
        base = self.folder / "base.ldif"
        base.write_text(BASE)
        run(
            [require_program("slapadd"), "-f", str(self._config), "-l", str(base)], env={"PATH": os.environ["PATH"]}
        ).succeeded()
        return self.resume()

    def resume(self) -> Slapd:
        """Start it again on what it has."""
        command = [require_program("slapd"), "-d", "0", "-f", str(self._config), "-h", self.url]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "slapd ended"
            assert time.monotonic() < deadline, "slapd does not answer"
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        if self._process:
            self._process.terminate()
            self._process.wait(START_SECONDS)
            self._process = None

    def add_person(self, uid: str, name: str, mail: str = "") -> None:
        facts = {"objectClass": "inetOrgPerson", "uid": uid, "cn": name, "sn": name, "displayName": name}
        self._add(_person(uid), {**facts, "userPassword": PASSWORD, **({"mail": mail} if mail else {})})

    def remove_person(self, uid: str) -> None:
        self._as(ADMIN).delete_s(_person(uid))

    def disable(self, uid: str) -> None:
        """Mark somebody as one who left, as the filter of the tests understands it."""
        self._as(ADMIN).modify_s(_person(uid), [(self._ldap.MOD_ADD, "employeeType", [b"left"])])

    def enable(self, uid: str) -> None:
        self._as(ADMIN).modify_s(_person(uid), [(self._ldap.MOD_DELETE, "employeeType", None)])

    def add_group(self, name: str, *members: str) -> None:
        people = [_person(uid) for uid in members]
        self._add(f"cn={name},{GROUPS}", {"objectClass": "groupOfNames", "cn": name, "member": people})

    def set_members(self, name: str, *members: str) -> None:
        people = [_person(uid).encode() for uid in members]
        self._as(ADMIN).modify_s(f"cn={name},{GROUPS}", [(self._ldap.MOD_REPLACE, "member", people)])

    @property
    def _config(self) -> Path:
        return self.folder / "slapd.conf"

    def _configuration(self) -> str:
        schemas = "\n".join(f"include /etc/ldap/schema/{name}.schema" for name in ("core", "cosine", "inetorgperson"))
        return f"""{schemas}
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.folder}/slapd.pid
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw "{PASSWORD}"
directory {self.folder}/db
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{SEARCHER}" read by anonymous auth by * none
"""

    def _add(self, name: str, facts: dict[str, str | list[str]]) -> None:
        lists = {key: value if isinstance(value, list) else [value] for key, value in facts.items()}
        self._as(ADMIN).add_s(name, [(key, [value.encode() for value in values]) for key, values in lists.items()])

    def _as(self, name: str) -> Any:
        connection = self._ldap.initialize(self.url)
        connection.simple_bind_s(name, PASSWORD)
        return connection

    def _answers(self) -> bool:
        try:
            self._as(SEARCHER)
        except self._ldap.LDAPError:
            return False
        return True


def _person(uid: str) -> str:
    return f"uid={uid},{PEOPLE}"

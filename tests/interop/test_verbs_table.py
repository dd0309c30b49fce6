"""The table of docs/trustctl.md, "What you know from docker and notary", walked row by row for real.

Of two repositories with the same keys one is changed by docker and notary only, the other by trustctl only. After each
row docker and notary say the same of both, and we say what docker says. A row that is not walked here fails the test.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.interop.verbs import Home
from tests.parts.builtin_server import PROJECT
from tests.parts.programs import Outcome

DIGEST = "ab" * 32
MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True)
class Pair:
    """One home, in which `theirs` is changed by docker and notary, and `ours` by trustctl."""

    home: Home
    theirs: str
    ours: str

    @property
    def folder(self) -> Path:
        return self.home.docker.home

    def docker(self, *words: str) -> Outcome:
        return self.home.docker.run("trust", *words).succeeded()

    def notary(self, *words: str) -> Outcome:
        return self.home.notary.run(*words, stdin=b"yes\n").succeeded()

    def trustctl(self, *words: str) -> Outcome:
        return self.home.run(*words).succeeded()

    def key_id(self, name: str) -> str:
        (found,) = self.home.key_ids(name)
        return found

    def image(self, tag: str) -> None:
        """Make one image under both names; only the same image has the same digest."""
        self.home.docker.make_image(f"{self.theirs}:{tag}", tag)
        self.home.docker.run("tag", f"{self.theirs}:{tag}", f"{self.ours}:{tag}").succeeded()

    def state(self, gun: str) -> object:
        """What docker and notary say of a repository; of keys that each repository has for itself, their number."""
        inspected = self.docker("inspect", gun).stdout
        assert self.home.run("inspect", gun).stdout == inspected
        (described,) = json.loads(inspected)
        own = {kind["Name"]: len(kind["Keys"]) for kind in described["AdministrativeKeys"]}
        delegations = {
            name: (row.paths, sorted(row.key_ids), row.threshold)
            for name, row in self.home.notary.delegations(gun).items()
        }
        return described["SignedTags"], described["Signers"], own, delegations, self.home.notary.list(gun)

    def agree(self) -> None:
        assert self.state(self.ours) == self.state(self.theirs)

    def agree_on_the_pretty_form(self) -> None:
        for words in (("inspect", "--pretty", self.theirs), ("inspect", "--pretty", self.ours)):
            assert self.home.run(*words).stdout == self.docker(*words).stdout


def key_generate(pair: Pair) -> None:
    pair.docker("key", "generate", "alice", "--dir", str(pair.folder))
    pair.trustctl("key", "generate", "bob", "--dir", str(pair.folder))
    pair.notary("key", "generate", "ecdsa")
    listed = pair.notary("key", "list").stdout
    assert [pair.key_id(name) in listed for name in ("alice", "bob", "root")] == [True] * 3


def key_load(pair: Pair) -> None:
    brought = pair.folder / "brought.pem"
    brought.touch(mode=0o600)
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", brought], check=True)
    elsewhere = pair.folder / "elsewhere"
    pair.docker("key", "load", str(brought), "--name", "qa")
    pair.trustctl("key", "load", str(brought), "--name", "qa", "--trust-dir", str(elsewhere))
    assert [file.stem for file in (elsewhere / "private").iterdir()] == [pair.key_id("qa")]


def key_files(pair: Pair) -> None:
    """Each exports, the other imports and gives it another passphrase, and both remove it again."""
    theirs, ours, key = pair.folder / "theirs.pem", pair.folder / "ours.pem", pair.key_id("qa")
    pair.notary("key", "export", "--key", key, "-o", str(theirs))
    theirs.chmod(0o600)
    pair.trustctl("key", "export", key, "-o", str(ours))
    pair.trustctl("key", "remove", key, "--yes")
    pair.notary("key", "import", str(ours))
    pair.notary("key", "passwd", key)
    pair.home.run("key", "passwd", key, TRUSTCTL_NEW_PASSPHRASE=pair.home.docker.repository_passphrase).succeeded()
    pair.notary("key", "remove", key)
    pair.trustctl("key", "import", str(theirs))
    assert (key in pair.notary("key", "list").stdout, key in pair.trustctl("key", "list").stdout) == (True, True)


def init(pair: Pair) -> None:
    pair.notary("init", pair.theirs, "-p")
    pair.trustctl("init", pair.ours)


def signer_add(pair: Pair) -> None:
    for name in ("alice", "bob"):
        add_signer(pair, name)


def add_signer(pair: Pair, name: str) -> None:
    words = ("signer", "add", "--key", str(pair.folder / f"{name}.pub"), name)
    pair.docker(*words, pair.theirs)
    pair.trustctl(*words, pair.ours)


def sign(pair: Pair) -> None:
    pair.image("v1")
    pair.docker("sign", f"{pair.theirs}:v1")
    pair.home.docker.push(f"{pair.ours}:v1")
    pair.trustctl("sign", f"{pair.ours}:v1")


def sign_local(pair: Pair) -> None:
    for tag in ("v2", "v3"):
        pair.image(tag)
        pair.docker("sign", f"{pair.theirs}:{tag}")
        pair.trustctl("sign", "--local", f"{pair.ours}:{tag}")


def addhash(pair: Pair) -> None:
    pair.notary("addhash", pair.theirs, "extra", "523", "--sha256", DIGEST, "-p", "-r", "targets/alice")
    given = ("--digest", f"sha256:{DIGEST}", "--size", "523", "--role", "alice")
    pair.trustctl("sign", f"{pair.ours}:extra", *given)


def look(pair: Pair) -> None:
    for gun in (pair.theirs, pair.ours):
        assert set(pair.home.notary.list(gun)) == {"v1", "v2", "v3", "extra"}
    pair.agree_on_the_pretty_form()


def verify(pair: Pair) -> None:
    found = pair.notary("lookup", pair.theirs, "v1").stdout.split()
    assert pair.trustctl("verify", f"{pair.ours}:v1").stdout.strip() in found
    manifest, other = pair.folder / "manifest.json", pair.folder / "other.json"
    host, _, path = pair.ours.partition("/")
    asked = urllib.request.Request(f"http://{host}/v2/{path}/manifests/v1", headers={"Accept": MANIFESTS})
    with urllib.request.urlopen(asked, timeout=10) as answer:
        manifest.write_bytes(answer.read())
    other.write_text("{}")
    pair.notary("verify", pair.theirs, "v1", "-i", str(manifest), "-q")
    pair.trustctl("verify", f"{pair.ours}:v1", "--manifest", str(manifest))
    pair.home.notary.run("verify", pair.theirs, "v1", "-i", str(other), "-q").failed()
    pair.home.run("verify", f"{pair.ours}:v1", "--manifest", str(other)).failed()


def revoke(pair: Pair) -> None:
    pair.docker("revoke", f"{pair.theirs}:v2")
    pair.trustctl("revoke", f"{pair.ours}:v2")


def revoke_in_a_role(pair: Pair) -> None:
    for tag, role in (("extra", "targets/alice"), ("v3", "targets/alice"), ("v3", "targets/releases")):
        pair.notary("remove", pair.theirs, tag, "-p", "-r", role)
        pair.trustctl("revoke", f"{pair.ours}:{tag}", "--role", role)
        pair.agree()


def delegations(pair: Pair) -> None:
    keys = [str(pair.folder / f"{name}.pub") for name in ("alice", "bob")]
    pair.notary("delegation", "add", pair.theirs, "targets/dev", *keys, "--paths", "rc-,beta-", "-p")
    pair.trustctl("delegation", "add", pair.ours, "dev", *keys, "--paths", "rc-,beta-")
    pair.agree()
    listed = json.loads(pair.trustctl("delegation", "list", pair.theirs, "--json").stdout)
    assert {row["role"] for row in listed} == set(pair.home.notary.delegations(pair.theirs))
    pair.notary("delegation", "remove", pair.theirs, "targets/dev", pair.key_id("alice"), "--paths", "rc-", "-p")
    pair.trustctl("delegation", "remove", pair.ours, "dev", pair.key_id("alice"), "--paths", "rc-")
    pair.agree()
    pair.notary("delegation", "add", pair.theirs, "targets/only", keys[1], "--all-paths", "-p")
    pair.trustctl("delegation", "add", pair.ours, "only", keys[1], "--all-paths")
    pair.agree()
    for role in ("dev", "only"):
        pair.notary("delegation", "remove", pair.theirs, f"targets/{role}", "-y", "-p")
        pair.trustctl("delegation", "remove", pair.ours, role)
    pair.notary("delegation", "add", pair.theirs, "targets/tmp", keys[0], "--all-paths", "-p")
    pair.trustctl("delegation", "add", pair.ours, "tmp", keys[0], "--all-paths")
    pair.notary("delegation", "purge", pair.theirs, "--key", pair.key_id("bob"), "-p")
    pair.trustctl("delegation", "purge", pair.ours, "--key", pair.key_id("bob"), "--force")
    pair.agree()
    pair.agree_on_the_pretty_form()
    add_signer(pair, "bob")
    for gun in (pair.theirs, pair.ours):
        pair.trustctl("witness", gun, "releases", "bob")


def witness(pair: Pair) -> None:
    pair.notary("witness", pair.theirs, "targets/releases", "targets/alice", "-p")
    pair.trustctl("witness", pair.ours, "releases", "alice")


def staged(pair: Pair) -> None:
    """Nothing is published; the docker that looks afterwards throws what was staged away."""
    stage(pair, "rc-1")
    for told in (pair.notary("status", pair.theirs).stdout, pair.trustctl("status", pair.ours).stdout):
        assert "rc-1" in told


def stage(pair: Pair, tag: str) -> None:
    pair.notary("addhash", pair.theirs, tag, "523", "--sha256", DIGEST, "-r", "targets/alice")
    given = ("--digest", f"sha256:{DIGEST}", "--size", "523", "--role", "alice")
    pair.trustctl("sign", f"{pair.ours}:{tag}", *given, "--stage")


def publish(pair: Pair) -> None:
    for tag in ("rc-1", "taken-back"):
        stage(pair, tag)
    pair.notary("reset", pair.theirs, "-n", "1")
    pair.trustctl("reset", pair.ours, "-n", "1")
    pair.notary("publish", pair.theirs)
    pair.trustctl("publish", pair.ours)
    assert set(pair.home.notary.list(pair.ours)) == {"v1", "v3", "rc-1"}


def rotate(pair: Pair) -> None:
    for role in ("targets", "snapshot", "root"):
        pair.notary("key", "rotate", pair.theirs, role)
        pair.trustctl("key", "rotate", pair.ours, role, "--yes")
        pair.agree()


def rotate_to_server(pair: Pair) -> None:
    for role in ("snapshot", "timestamp"):
        pair.notary("key", "rotate", pair.theirs, role, "-r")
        pair.trustctl("key", "rotate", pair.ours, role, "-r", "--yes")


def signer_remove(pair: Pair) -> None:
    """docker since 26.0 says success and changes nothing; notary then does what is meant."""
    before = pair.state(pair.theirs)
    pair.home.docker.run("trust", "signer", "remove", "--force", "bob", pair.theirs)
    if pair.state(pair.theirs) == before:
        pair.notary("delegation", "remove", pair.theirs, "targets/bob", "-y", "-p")
        pair.notary("delegation", "remove", pair.theirs, "targets/releases", pair.key_id("bob"), "-p")
    pair.trustctl("signer", "remove", "--force", "bob", pair.ours)
    pair.trustctl("witness", pair.theirs, "releases")


def only_ours(pair: Pair) -> None:
    """What neither docker nor notary has; both then follow."""
    pair.trustctl("key", "csr", "alice", "-o", str(pair.folder / "alice.csr"))
    authority(pair.folder)
    pair.trustctl("key", "certificate", "alice", str(pair.folder / "alice.crt"), "--dir", str(pair.folder / "out"))
    pair.trustctl("key", "generate", "next", "--dir", str(pair.folder))
    for gun in (pair.theirs, pair.ours):
        pair.trustctl("key", "rotate", gun, "alice", "--key", pair.key_id("next"))


def authority(folder: Path) -> None:
    """Answer the certificate request as an authority does."""
    own = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=authority"]
    subprocess.run(["openssl", "req", *own, "-keyout", "ca.key", "-out", "ca.crt"], cwd=folder, check=True)
    issue = ["-req", "-in", "alice.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "90"]
    subprocess.run(["openssl", "x509", *issue, "-out", "leaf.crt"], cwd=folder, check=True)
    (folder / "alice.crt").write_text((folder / "leaf.crt").read_text() + (folder / "ca.crt").read_text())
    (folder / "out").mkdir()


def revoke_all(pair: Pair) -> None:
    pair.docker("revoke", "--yes", pair.theirs)
    pair.trustctl("revoke", "--yes", pair.ours)


def delete(pair: Pair) -> None:
    pair.notary("delete", pair.theirs, "--remote")
    pair.trustctl("delete", pair.ours, "--remote", "--yes")
    for gun in (pair.theirs, pair.ours):
        pair.home.docker.inspect(gun).failed()
        pair.home.run("inspect", gun).failed()


ROWS: dict[str, Callable[[Pair], None]] = {
    "key generate NAME": key_generate,
    "key load FILE": key_load,
    "key import FILE": key_files,
    "init GUN": init,
    "signer add --key F NAME GUN": signer_add,
    "sign GUN:TAG": sign,
    "sign --local GUN:TAG": sign_local,
    "sign GUN:TAG --digest sha256:HEX --size SIZE --role ROLE": addhash,
    "inspect [--pretty]": look,
    "verify GUN:TAG": verify,
    "revoke GUN:TAG": revoke,
    "revoke GUN:TAG --role ROLE": revoke_in_a_role,
    "delegation add\\|remove\\|list\\|purge": delegations,
    "witness GUN ROLE": witness,
    "--stage": staged,
    "status": publish,
    "key rotate GUN ROLE": rotate,
    "key rotate GUN ROLE -r": rotate_to_server,
    "signer remove NAME GUN": signer_remove,
    "key rotate GUN SIGNER": only_ours,
    "revoke GUN": revoke_all,
    "delete GUN [--remote]": delete,
}
"""By the first words of trustctl in each row, in an order in which they follow from each other."""

BEFORE_THE_FIRST_ROOT = (key_generate, key_load, key_files)


def rows_of_the_table() -> set[str]:
    text = (PROJECT / "docs" / "trustctl.md").read_text().partition("| docker, notary | trustctl |\n| --- | --- |\n")[2]
    rows = [line.replace("\\|", "\0").split("|")[2] for line in text.partition("\n\n")[0].splitlines()]
    return {row.split("`")[1].replace("\0", "\\|") for row in rows}


def test_every_row_does_what_docker_and_notary_do(home: Home, new_gun: Callable[[], str]) -> None:
    assert rows_of_the_table() == set(ROWS)
    pair = Pair(home, new_gun(), new_gun())
    for row in ROWS.values():
        row(pair)
        if row not in (*BEFORE_THE_FIRST_ROOT, delete):
            pair.agree()

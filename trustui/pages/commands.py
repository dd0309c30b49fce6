"""The shell commands that do what a button does, with real values."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from urllib.parse import urlsplit

from signing.models import Account, Key, Repository, Signer, TrustServer


def server_options(server: TrustServer) -> list[str]:
    """Name the trust server, and the CA file its page offers where it has one of its own."""
    options = ["--server", server.url]
    if server.ca_pem:
        options += ["--ca", ca_file(server)]
    return options


def ca_file(server: TrustServer) -> str:
    """Name the CA file as it is downloaded."""
    return f"{server.name}-ca.crt"


def docker_ca_folder(server: TrustServer) -> str:
    """Name the folder in which docker looks for the CA file."""
    return f"~/.docker/tls/{urlsplit(server.url).netloc}/"


def inspect(repository: Repository, tag: str = "", *, pretty: bool = True) -> str:
    """Look at a repository or at one tag."""
    flags = ["--pretty"] if pretty else []
    return _trustctl(repository, "inspect", flags, _image(repository, tag))


def docker_inspect(repository: Repository, tag: str = "") -> str:
    """Do the same with docker itself."""
    server = shlex.quote(f"DOCKER_CONTENT_TRUST_SERVER={repository.account.trust_server.url}")
    return f"{server} docker trust inspect --pretty {shlex.quote(_image(repository, tag))}"


def verify(repository: Repository, tag: str) -> str:
    """Check one tag; the exit status tells."""
    return _trustctl(repository, "verify", [], _image(repository, tag))


def sign(repository: Repository, tag: str = "TAG", digest: str = "sha256:DIGEST", length: int | str = "BYTES") -> str:
    """Sign a digest on the own machine."""
    return _trustctl(repository, "sign", ["--digest", digest, "--size", str(length)], _image(repository, tag))


def signer_add(signer: Signer, *repositories: Repository) -> str:
    """Delegate to a signer with the keys on the own machine."""
    options = ["--key", f"{signer.name}.pub"]
    return _trustctl(repositories[0], "signer add", options, signer.name, *(row.gun for row in repositories))


def signer_remove(signer: Signer, *repositories: Repository) -> str:
    """Take a signer out with the keys on the own machine."""
    return _trustctl(repositories[0], "signer remove", [], signer.name, *(row.gun for row in repositories))


def revoke(repository: Repository, tag: str) -> str:
    """Take a tag back with the keys on the own machine."""
    return _trustctl(repository, "revoke", [], _image(repository, tag))


def key_rotate(repository: Repository, role: str) -> str:
    """Replace a base role's key with the root key on the own machine."""
    options = ["--to-server"] if role == "snapshot" else []
    return _trustctl(repository, "key rotate", options, repository.gun, role)


def key_replace(repository: Repository, key: Key, roles: Iterable[str]) -> str:
    """Put another key in the place of one, with the keys on the own machine: a line for each thing that names it."""
    names = dict.fromkeys(role.removeprefix("targets/") for role in roles if role != "targets/releases")
    return "\n".join(_replaced(repository, key, name) for name in names)


def _replaced(repository: Repository, key: Key, name: str) -> str:
    if name in ("root", "targets"):
        return key_rotate(repository, name)
    options = ["--key", f"new-{key.name}.pub", "--old", key.key_id[:12]]
    return _trustctl(repository, "key rotate", options, repository.gun, name)


def key_generate(name: str) -> str:
    """Make a signer key on the own machine."""
    return f"trustctl key generate {shlex.quote(name)}"


def key_csr(key: Key) -> str:
    """Make a certificate request where the key is."""
    return f"trustctl key csr {key.key_id} --output {shlex.quote(f'{key.name}.csr')}"


def api(url: str, token: str) -> str:
    """Ask the API with a token."""
    return f"curl -H {shlex.quote(f'Authorization: Bearer {token}')} {shlex.quote(url)}"


def import_notary() -> str:
    """Copy repositories into the built-in trust server where it runs."""
    return "manage.py importnotary https://OLD:4443 REGISTRY/NAME --ca old-ca.pem"


def export_notary() -> str:
    """Give repositories back to a notary-server where the built-in one runs."""
    databases = "--server-database postgres://… --signer-database postgres://…"
    return f"manage.py exportnotary REGISTRY/NAME {databases} --signer-alias ALIAS --signer-passphrase-file FILE"


def docker_environment(account: Account) -> str:
    """Switch a shell to the account's trust server, with content trust on."""
    server = account.trust_server
    return f"export DOCKER_CONTENT_TRUST=1\nexport DOCKER_CONTENT_TRUST_SERVER={shlex.quote(server.url)}"


def _image(repository: Repository, tag: str) -> str:
    return f"{repository.gun}:{tag}" if tag else repository.gun


def _trustctl(repository: Repository, verb: str, flags: list[str], *names: str) -> str:
    words = [*server_options(repository.account.trust_server), *flags, *names]
    return f"trustctl {verb} {shlex.join(words)}"

"""One key is replaced wherever it counts; docker and notary, which remember the state before, follow."""

from __future__ import annotations

import pytest

from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.encrypted_files import FileKeyStore
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.gun import Gun
from signing.trust.notary.replacing import uses_of
from signing.trust.notary.repository import Repository
from signing.trust.notary.transport import HttpsTransport
from tests.interop.verbs import Home
from tests.memory_keystore import MemoryKeyStore
from tests.parts.docker_cli import REPOSITORY_PASSPHRASE, ROOT_PASSPHRASE, DockerCli
from tests.parts.notary_cli import NotaryCli


def passphrase(role: str, _key_id: str, /, *, new: bool, attempt: int) -> str:
    return ROOT_PASSPHRASE if role == "root" else REPOSITORY_PASSPHRASE


@pytest.mark.parametrize("role", ["alice", "targets", "root"])
def test_clients_with_an_old_memory_follow(
    role: str, signed: Home, consumer: DockerCli, notary_cli: NotaryCli, new_docker
) -> None:
    assert "v1" in notary_cli.list(signed.gun), "it remembers the state before"
    (old,) = signed.key_ids(role)
    new, store = PrivateKey.generate(), MemoryKeyStore()
    files = FileKeyStore(signed.docker.private_dir, passphrase)
    for info in files.list():
        if info.role in ("root", "targets"):
            store.add(files.open(info.key_id), info.role, info.gun)
    store.add(new, role, signed.gun if role == "targets" else None)

    with HttpsTransport(signed.notary.url, ca_pem=signed.notary.ca_file.read_text()) as transport:
        repository = Repository(Gun.parse(signed.gun), transport, MemoryCache(), store)
        published = repository.replace_key(old, new.public)
        assert repository.replace_key(old, new.public).versions == {}, "once"

    assert uses_of(published.trusted, old) == []
    assert "v1" in notary_cli.list(signed.gun)
    consumer.forget_image(f"{signed.gun}:v1")
    consumer.pull_trusted(f"{signed.gun}:v1").succeeded()
    signed.agrees()
    seen = new_docker("newcomer").described(signed.gun)
    assert [row["SignedTag"] for row in seen["SignedTags"]] == ["v1"]
    listed = {key["ID"] for group in (*seen["Signers"], *seen["AdministrativeKeys"]) for key in group["Keys"]}
    assert old not in listed
    if role != "root":  # docker names a root by its certificate
        assert new.key_id in listed

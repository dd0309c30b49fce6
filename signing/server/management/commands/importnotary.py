"""Copy repositories from a running notary-server; with its signer's database or a root key, go on in its place."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signing.server.importing import Imported, Keys, NoKeys, import_repository, take_over
from signing.server.signer_database import SignerDatabase
from signing.trust.errors import TrustError
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.pem import KeyFile
from signing.trust.notary.transport import HttpsTransport

ROOT_PASSPHRASES = ("NOTARY_ROOT_PASSPHRASE", "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE")


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("url", help="https://HOST:PORT of the server to copy from")
        parser.add_argument("gun", nargs="+", help="repositories, with their registry's host")
        parser.add_argument("--ca", type=Path, metavar="FILE", help="its certificate authority, PEM")
        parser.add_argument("--username", default="", help="a login that may pull; the password is in NOTARY_PASSWORD")
        parser.add_argument("--signer-database", metavar="URL", help="notary-signer's, postgres://...")
        parser.add_argument("--signer-passphrase-file", type=Path, metavar="FILE", help="what its keys open with")
        parser.add_argument(
            "--root-key", type=Path, metavar="FILE", help=f"key file; its passphrase is in {ROOT_PASSPHRASES[0]}"
        )

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            keys, root_key = _keys(options), _root_key(options["root_key"])
            password = os.environ.get("NOTARY_PASSWORD")
            ca_pem = options["ca"].read_text() if options["ca"] else None
            with HttpsTransport(
                options["url"], ca_pem=ca_pem, username=options["username"], password=password
            ) as source:
                failed = [gun for gun in options["gun"] if not self._import(gun, source, keys, root_key)]
        except TrustError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from None
        except OSError as error:
            raise CommandError(str(error)) from None
        if failed:
            raise CommandError(f"Not imported: {', '.join(failed)}.")

    def _import(self, gun: str, source: HttpsTransport, keys: Keys, root_key: PrivateKey | None) -> bool:
        try:
            imported = import_repository(gun, source, keys)
            if root_key is not None and imported.is_mirror:
                take_over(gun, root_key)
                self.stdout.write(f"{gun}: {imported.versions} new versions; a new root names this server's keys.")
                return True
        except TrustError as error:
            self.stderr.write(f"{gun}: {error.message} {error.next_step}".strip())
            return False
        self.stdout.write(f"{gun}: {imported.versions} new versions; {_outcome(imported)}")
        return True


def _outcome(imported: Imported) -> str:
    if imported.is_mirror:
        return "a mirror: readable until the copied timestamp expires, closed for publishing (docs/trust-server.md)."
    return f"this server signs {' and '.join(imported.signs)} from now on. Publish here only."


def _keys(options: dict[str, Any]) -> Keys:
    if not options["signer_database"]:
        return NoKeys()
    if not options["signer_passphrase_file"]:
        raise CommandError("The keys of --signer-database open with --signer-passphrase-file.")
    return SignerDatabase(options["signer_database"], options["signer_passphrase_file"].read_text().rstrip("\n"))


def _root_key(path: Path | None) -> PrivateKey | None:
    if path is None:
        return None
    passphrase = next((os.environ[name] for name in ROOT_PASSPHRASES if name in os.environ), "")
    return KeyFile.parse(path.read_text()).open(passphrase)

"""Give repositories back to a notary-server that is stopped: all versions and the keys, into its two databases."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from signing.server.exporting import export_repository
from signing.server.signer_database import SignerDatabase
from signing.trust.errors import TrustError


class Command(BaseCommand):
    help = __doc__
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("gun", nargs="+", help="repositories, with their registry's host")
        parser.add_argument("--server-database", required=True, metavar="URL", help="notary-server's, postgres://...")
        parser.add_argument("--signer-database", required=True, metavar="URL", help="notary-signer's, postgres://...")
        parser.add_argument("--signer-alias", required=True, metavar="NAME", help="its default_alias")
        parser.add_argument("--signer-passphrase-file", required=True, type=Path, metavar="FILE")

    def handle(self, *arguments: Any, **options: Any) -> None:
        try:
            passphrase = options["signer_passphrase_file"].read_text().rstrip("\n")
            signer = SignerDatabase(options["signer_database"], passphrase, options["signer_alias"])
            for gun in options["gun"]:
                count = export_repository(gun, options["server_database"], signer)
                self.stdout.write(f"{gun}: {count} versions. Publish there only from now on.")
        except TrustError as error:
            raise CommandError(f"{error.message} {error.next_step}".strip()) from None
        except OSError as error:
            raise CommandError(str(error)) from None

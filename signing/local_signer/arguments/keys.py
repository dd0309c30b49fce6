"""`trustctl key ...`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.arguments.common import add_force, add_repository, add_yes
from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands for private keys."""
    group = menu.group("key", "make, move, certify and rotate keys")
    _add_making(group)
    _add_moving(group)
    _add_certifying(group)
    _add_rotating(group)


def _add_making(group: Menu) -> None:
    generate = group.command("generate", "commands.key_generate", "make a signer's key and its NAME.pub")
    generate.add_argument("name", metavar="NAME")
    generate.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="folder for NAME.pub (else this one)")
    group.command("list", "commands.key_list", "list the private keys of the trust folder")


def _add_moving(group: Menu) -> None:
    load = group.command("load", "commands.key_load", "take an existing private key into the trust folder")
    load.add_argument("file", metavar="KEYFILE", type=Path)
    load.add_argument("--name", default="signer", help="the signer's name, unless the file tells it")
    import_ = group.command("import", "commands.key_import", "take every key of exported files into the trust folder")
    import_.add_argument("files", metavar="FILE", nargs="+", type=Path)
    import_.add_argument("--name", default="signer", help="the signer's name, unless the file tells it")
    export = group.command("export", "commands.key_export", "write keys, still encrypted, for another trust folder")
    export.add_argument("keys", metavar="KEY", nargs="*", help="ids, beginnings of ids or names; else every key")
    export.add_argument("--gun", metavar="REPOSITORY", help="only the keys of this repository")
    export.add_argument("-o", "--output", metavar="FILE", type=Path, help="a new file (else stdout)")
    remove = group.command("remove", "commands.key_remove", "delete a private key from the trust folder")
    remove.add_argument("key", metavar="KEY", help="its id, the beginning of it, or its name")
    add_yes(remove)
    passwd = group.command("passwd", "commands.key_passwd", "change the passphrase of a key")
    passwd.add_argument("key", metavar="KEY", help="its id, the beginning of it, or its name")


def _add_certifying(group: Menu) -> None:
    csr = group.command("csr", "commands.key_csr", "write the request a certificate authority needs")
    csr.add_argument("key", metavar="KEY", help="its id, the beginning of it, or its name")
    csr.add_argument("--common-name", metavar="NAME", help="name in the certificate (else the key's name)")
    csr.add_argument("-o", "--output", metavar="FILE", type=Path, help="a new file (else stdout)")
    certificate = group.command(
        "certificate", "commands.key_certificate", "check an authority's certificate for a key and keep it"
    )
    certificate.add_argument("key", metavar="KEY", help="its id, the beginning of it, or its name")
    certificate.add_argument("file", metavar="FILE", type=Path, help="PEM: the certificate, then its chain")
    certificate.add_argument(
        "--dir", metavar="DIR", type=Path, default=Path(), help="folder for NAME.crt (else this one)"
    )


def _add_rotating(group: Menu) -> None:
    rotate = group.command("rotate", "commands.key_rotate", "replace the key of a role or of a signer")
    add_repository(rotate)
    rotate.add_argument("role", metavar="ROLE", help="root, targets, snapshot, timestamp, or a signer's name")
    rotate.add_argument("-r", "--to-server", action="store_true", help="snapshot, timestamp: the server makes the key")
    rotate.add_argument(
        "-k", "--key", metavar="KEY", action="append", default=[], help="use this key: of the trust folder, or NAME.pub"
    )
    rotate.add_argument("--old", metavar="ID", action="append", default=[], help="a signer's key to replace (else all)")
    add_force(rotate)
    add_yes(rotate)

"""`trustctl key ...`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands for private keys."""
    group = menu.group("key", "make, load and list signing keys")
    generate = group.command("generate", "commands.key_generate", "make a signer's key and its NAME.pub")
    generate.add_argument("name", metavar="NAME")
    generate.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="folder for NAME.pub (else this one)")
    load = group.command("load", "commands.key_load", "take an existing private key into the trust folder")
    load.add_argument("file", metavar="KEYFILE", type=Path)
    load.add_argument("--name", default="signer", help="the signer's name, unless the file tells it")
    group.command("list", "commands.key_list", "list the private keys of the trust folder")

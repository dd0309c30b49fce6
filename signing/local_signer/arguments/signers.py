"""`trustctl signer ...`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands for signers."""
    group = menu.group("signer", "manage who may sign")
    add = group.command("add", "commands.signer_add", "let a signer sign repositories; initialises new ones")
    add.add_argument("name", metavar="NAME")
    add.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    add.add_argument("--key", metavar="FILE", type=Path, action="append", required=True, help="public key; repeatable")

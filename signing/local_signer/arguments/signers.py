"""`trustctl init`, `trustctl signer ...`, `trustctl delegation ...` and `trustctl witness`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.arguments.common import add_force, add_repository, add_stage, count
from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands for who may sign what."""
    init = menu.command("init", "commands.init", "create the trust data of repositories, without signers")
    init.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    _add_signers(menu.group("signer", "manage who may sign"))
    _add_delegations(menu.group("delegation", "manage roles, keys and paths beyond signers"))
    witness = menu.command("witness", "commands.witness", "sign roles anew without changing them, expired ones too")
    add_repository(witness)
    witness.add_argument("roles", metavar="ROLE", nargs="+", help="root, targets or a delegation (targets/alice)")
    add_stage(witness)


def _add_signers(group: Menu) -> None:
    add = group.command("add", "commands.signer_add", "let a signer sign repositories; initialises new ones")
    add.add_argument("name", metavar="NAME")
    add.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    add.add_argument("--key", metavar="FILE", type=Path, action="append", required=True, help="public key; repeatable")
    remove = group.command("remove", "commands.signer_remove", "take a signer away and sign anew what stays released")
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    add_force(remove)


def _add_delegations(group: Menu) -> None:
    add = group.command("add", "commands.delegation_add", "make a delegation, or add keys and paths to it")
    add_repository(add)
    add.add_argument("role", metavar="ROLE", help="alice or targets/alice; targets/alice/tools below it")
    add.add_argument("keys", metavar="FILE", nargs="*", type=Path, help="public keys or certificates")
    add.add_argument("--paths", metavar="A,B", action="append", default=[], help="beginnings of tags it may hold")
    add.add_argument("--all-paths", action="store_true", help="it may hold every tag")
    add.add_argument("--threshold", metavar="N", type=count, help="how many of its keys have to sign (new: 1)")
    add_force(add)
    add_stage(add)
    remove = group.command("remove", "commands.delegation_remove", "take keys or paths back; with neither, the whole")
    add_repository(remove)
    remove.add_argument("role", metavar="ROLE")
    remove.add_argument("key_ids", metavar="KEYID", nargs="*", help="ids as `trustctl delegation list` prints them")
    remove.add_argument("--paths", metavar="A,B", action="append", default=[], help="beginnings of tags to take back")
    remove.add_argument("--all-paths", action="store_true", help="it may hold no tag any more")
    add_force(remove)
    add_stage(remove)
    list_ = group.command("list", "commands.delegation_list", "list delegations with paths, keys and thresholds")
    add_repository(list_)
    purge = group.command("purge", "commands.delegation_purge", "take a key out of every delegation")
    add_repository(purge)
    purge.add_argument("--key", metavar="KEYID", dest="key_ids", action="append", required=True, help="repeatable")
    add_force(purge)
    add_stage(purge)

"""`trustctl sign`, `trustctl revoke`, and the staged changes."""

from __future__ import annotations

import argparse

from signing.local_signer.arguments.common import add_force, add_repository, add_stage, add_yes, number, size
from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands that sign and withdraw tags."""
    _add_sign(menu)
    revoke = menu.command("revoke", "commands.revoke", "withdraw tags, or all tags of a repository")
    revoke.add_argument("images", metavar="IMAGE[:TAG]", nargs="+")
    revoke.add_argument(
        "--role", metavar="ROLE", dest="roles", action="append", default=[], help="take it out of this role only"
    )
    add_yes(revoke)
    add_stage(revoke)
    _add_staging(menu)
    delete = menu.command("delete", "commands.delete", "forget a repository here, or delete it on the server")
    add_repository(delete)
    delete.add_argument("--remote", action="store_true", help="on the server too; consumers cannot verify it any more")
    add_yes(delete)


def _add_sign(menu: Menu) -> None:
    sign = menu.command("sign", "commands.sign", "sign tags; those of one repository in one publish")
    sign.add_argument("images", metavar="IMAGE:TAG", nargs="+")
    sign.add_argument("--digest", metavar="sha256:HEX", help="sign this digest instead of what the tag means now")
    sign.add_argument(
        "--size", metavar="BYTES", type=size, help="size of the manifest with that digest (else asked of the registry)"
    )
    sign.add_argument("--local", action="store_true", help="push the Docker Engine's own image first, then sign that")
    sign.add_argument(
        "--role", metavar="ROLE", dest="roles", action="append", default=[], help="sign in this role only; repeatable"
    )
    add_stage(sign)
    sign.set_defaults(check=_check_sign)


def _check_sign(arguments: argparse.Namespace) -> None:
    if arguments.size and not arguments.digest:
        arguments.parser.error("--size belongs to a --digest")
    if arguments.local and arguments.digest:
        arguments.parser.error("--local finds the digest itself: leave --digest out")
    if arguments.local and arguments.stage:
        arguments.parser.error("--local pushes at once: leave --stage out")


def _add_staging(menu: Menu) -> None:
    publish = menu.command("publish", "commands.publish", "publish the staged changes")
    add_repository(publish)
    add_force(publish)
    status = menu.command("status", "commands.status", "list the staged changes")
    add_repository(status)
    reset = menu.command("reset", "commands.reset", "take staged changes back")
    add_repository(reset)
    which = reset.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="all of them")
    which.add_argument("-n", dest="numbers", metavar="N", type=number, action="append", help="number N; repeatable")

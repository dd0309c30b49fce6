"""`trustctl inspect` and `trustctl verify`."""

from __future__ import annotations

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands that change nothing."""
    inspect = menu.command(
        "inspect", "commands.inspect", "show tags, signers and keys as docker trust inspect", json=False
    )
    inspect.add_argument("images", metavar="IMAGE[:TAG]", nargs="+")
    inspect.add_argument("--pretty", action="store_true", help="print tables for people instead of JSON")
    verify = menu.command("verify", "commands.verify", "print the digest that docker pull would take")
    verify.add_argument("image", metavar="IMAGE:TAG")
    verify.add_argument("--digest", metavar="sha256:HEX", help="fail unless the tag is signed with this digest")

"""`trustctl inspect`, `trustctl verify` and `trustctl completion`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.menu import Menu

SHELLS = ("bash", "zsh", "fish")


def register(menu: Menu) -> None:
    """Add the commands that change nothing."""
    inspect = menu.command(
        "inspect", "commands.inspect", "show tags, signers and keys as docker trust inspect", json=False
    )
    inspect.add_argument("images", metavar="IMAGE[:TAG]", nargs="+")
    inspect.add_argument("--pretty", action="store_true", help="print tables for people instead of JSON")
    inspect.add_argument("--json", action="store_true", help="print JSON, as without --pretty")
    verify = menu.command("verify", "commands.verify", "print the digest that docker pull would take")
    verify.add_argument("image", metavar="IMAGE:TAG")
    verify.add_argument("--digest", metavar="sha256:HEX", help="fail unless the tag is signed with this digest")
    verify.add_argument("--manifest", metavar="FILE", type=Path, help="fail unless this file is what was signed")
    completion = menu.command("completion", "completion", "print what a shell needs to complete commands", json=False)
    completion.add_argument("shell", choices=(*SHELLS, "words"), metavar="{" + ",".join(SHELLS) + "}")
    completion.add_argument("words", nargs="*", metavar="WORD", help="for the shells: what stands on the line so far")

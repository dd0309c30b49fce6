"""`trustctl sign`."""

from __future__ import annotations

import argparse

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands that sign and withdraw tags."""
    sign = menu.command("sign", "commands.sign", "sign tags; those of one repository in one publish")
    sign.add_argument("images", metavar="IMAGE:TAG", nargs="+")
    sign.add_argument("--digest", metavar="sha256:HEX", help="sign this digest instead of asking the registry")
    sign.add_argument("--size", metavar="BYTES", type=size, help="size of the manifest with that digest")


def size(text: str) -> int:
    """Read a number of bytes."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:16]) < 2**53):
        raise argparse.ArgumentTypeError("the size is a number of bytes, 1 or more")
    return int(text)

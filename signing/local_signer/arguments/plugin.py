"""The command line of `trustctl plugin`."""

from __future__ import annotations

import argparse
import re

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands."""
    group = menu.group("plugin", "give docker its `docker trust` back")
    install = group.command("install", "plugin.install", "put the plugin into docker's folder of plugins")
    _add_name(install)
    install.add_argument("-f", "--force", action="store_true", help="replace another plugin of that name")
    _add_name(group.command("remove", "plugin.remove", "take the plugin away again"))


def _add_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--name", type=_name, default="trust", help="call it `docker NAME`; docker before 29 has its own `docker trust`"
    )


def _name(text: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]{0,63}", text, re.ASCII):
        raise argparse.ArgumentTypeError("docker takes small letters and digits, a letter first")
    return text

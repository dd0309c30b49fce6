"""docker's syntax of `docker trust`, read as docker reads it and said again as trustctl says it (reference 5)."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NamedTuple

from signing.local_signer.menu import Commands, Level

WITH_VALUE = frozenset(
    {"--config", "-c", "--context", "-H", "--host", "-l", "--log-level", "--tlscacert", "--tlscert", "--tlskey"}
)
"""docker's own options that take a value; docker gives a plugin the whole command line."""


class Call(NamedTuple):
    """One call by docker: its own options, the name it called the plugin by, and what follows.

    `docker help NAME` reaches the plugin as it was typed; it is read as `docker NAME --help`.
    """

    options: tuple[str, ...]
    name: str
    rest: tuple[str, ...]

    @classmethod
    def of(cls, argv: Sequence[str]) -> Call:
        """Take a command line apart at the plugin's name, the first word that is no option of docker."""
        at = 0
        while at < len(argv) and argv[at].startswith("-"):
            at += 2 if argv[at] in WITH_VALUE else 1
        options, words = tuple(argv[:at]), tuple(argv[at:]) or ("trust",)
        if words[0] == "help" and len(words) > 1:
            return cls(options, words[1], (*words[2:], "--help"))
        return cls(options, words[0], words[1:])

    def option(self, name: str) -> str | None:
        """Give the value of one of docker's own options."""
        for at, word in enumerate(self.options):
            if word.startswith(f"{name}="):
                return word.partition("=")[2]
            if word == name and at + 1 < len(self.options):
                return self.options[at + 1]
        return None


def parser(name: str) -> Level:
    """Build docker's tree of commands, each with the words of trustctl that do the same, or its own help."""
    top = Level(prog=f"docker {name}", description="Manage trust on Docker images")
    commands = _commands(top)
    _key(commands.add_parser("key", help="Manage keys for signing Docker images"))
    _signer(commands.add_parser("signer", help="Manage entities who can sign Docker images"))
    inspect = commands.add_parser("inspect", help="Return low-level information about keys and signatures")
    inspect.add_argument("--pretty", action="store_true", help="Print the information in a human friendly format")
    inspect.add_argument("names", metavar="IMAGE[:TAG]", nargs="+")
    inspect.set_defaults(words=lambda a: ["inspect", *_flag("--pretty", a.pretty), "--", *a.names])
    revoke = commands.add_parser("revoke", help="Remove trust for an image")
    revoke.add_argument("-y", "--yes", action="store_true", help="Do not prompt for confirmation")
    revoke.add_argument("image", metavar="IMAGE[:TAG]")
    revoke.set_defaults(words=lambda a: ["revoke", *_flag("--yes", a.yes), "--", a.image])
    sign = commands.add_parser("sign", help="Sign an image")
    sign.add_argument("--local", action="store_true", help="Sign a locally tagged image")
    sign.add_argument("image", metavar="IMAGE:TAG")
    sign.set_defaults(module="plugin.sign")
    return top


def _commands(level: Level) -> Commands[Level]:
    level.set_defaults(help_of=level)
    return level.add_subparsers(metavar="COMMAND")


def _key(group: Level) -> None:
    commands = _commands(group)
    generate = commands.add_parser("generate", help="Generate and load a signing key-pair")
    generate.add_argument("name", metavar="NAME")
    generate.add_argument("--dir", default="", help="Directory to generate key in, defaults to current directory")
    generate.set_defaults(words=lambda a: ["key", "generate", *_option("--dir", a.dir), "--", a.name])
    load = commands.add_parser("load", help="Load a private key file for signing")
    load.add_argument("--name", default="signer", help='Name for the loaded key (default "signer")')
    load.add_argument("file", metavar="KEYFILE")
    load.set_defaults(words=lambda a: ["key", "load", *_option("--name", a.name), "--", a.file])


def _signer(group: Level) -> None:
    commands = _commands(group)
    add = commands.add_parser("add", help="Add a signer")
    add.add_argument("--key", action="append", default=[], required=True, help="Path to the signer's public key file")
    add.add_argument("name", metavar="NAME")
    add.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    add.set_defaults(words=_signer_add)
    remove = commands.add_parser("remove", help="Remove a signer")
    remove.add_argument(
        "-f", "--force", action="store_true", help="Do not prompt before removing the most recent signer"
    )
    remove.add_argument("name", metavar="NAME")
    remove.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    remove.set_defaults(words=_signer_remove)


def _signer_add(arguments: argparse.Namespace) -> list[str]:
    keys = [word for path in arguments.key for word in _option("--key", path)]
    return ["signer", "add", *keys, "--", arguments.name, *arguments.repositories]


def _signer_remove(arguments: argparse.Namespace) -> list[str]:
    return ["signer", "remove", *_flag("--force", arguments.force), "--", arguments.name, *arguments.repositories]


def _flag(name: str, is_set: bool) -> list[str]:
    return [name] if is_set else []


def _option(name: str, value: str) -> list[str]:
    return [f"{name}={value}"] if value else []

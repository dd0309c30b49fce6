"""The tree of commands, into which each family of commands writes its own part.

A family is a module of `arguments` with a function `register(menu)`; it imports nothing of the trust core, so that
help, completion and a mistyped command stay quick. Its commands name the module whose `run` does the work.
"""

from __future__ import annotations

import argparse
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse has no public name for it


class Menu:
    """The commands of one level."""

    def __init__(self, commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
        self._commands = commands
        self._everywhere = everywhere

    def command(self, name: str, module: str, help_: str, *, json: bool = True) -> argparse.ArgumentParser:
        """Add a command done by `run(session, arguments) -> Exit` in `signing.local_signer.<module>`.

        With `json` it takes `--json`; its errors then are JSON on stdout too.
        """
        parser = self._add(name, help_)
        parser.set_defaults(module=module, parser=parser)
        if json:
            parser.add_argument("--json", action="store_true", help="print JSON for programs")
        return parser

    def group(self, name: str, help_: str) -> Menu:
        """Add a level of commands below `name`."""
        commands = self._add(name, help_).add_subparsers(title="commands", metavar="COMMAND", required=True)
        return Menu(commands, self._everywhere)

    def _add(self, name: str, help_: str) -> argparse.ArgumentParser:
        sentence = help_[0].upper() + help_[1:]
        return self._commands.add_parser(name, help=help_, description=sentence, parents=[self._everywhere])


def options_that_stand_anywhere() -> argparse.ArgumentParser:
    """Make the options taken before and after the command; suppressed, so that the inner default hides no value."""
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("options of every command")
    group.add_argument("--server", metavar="URL", help="trust server (else DOCKER_CONTENT_TRUST_SERVER, else docker's)")
    group.add_argument("--ca", metavar="FILE", type=Path, help="PEM file of the trust server's authority")
    group.add_argument("--trust-dir", metavar="DIR", type=Path, help="keys and trust data (else ~/.docker/trust)")
    group.add_argument("--config", metavar="FILE", type=Path, help="pins of root keys (else config.json there)")
    return options

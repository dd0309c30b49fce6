"""The tree of commands, into which each family of commands writes its own part.

A family is a module of `arguments` with a function `register(menu)`; it imports nothing of the trust core, so that
help, completion and a mistyped command stay quick. Its commands name the module whose `run` does the work.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, cast

_USUAL_COLUMNS = 80

Commands = argparse._SubParsersAction  # argparse has no public name for it


class _Help(argparse.HelpFormatter):
    """The library's help as wide as the terminal, which it would load half of the standard library to know."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


class Level(argparse.ArgumentParser):
    """A level of the tree. `otherwise` reads words that begin with no command of it, where they mean something."""

    otherwise: argparse.ArgumentParser | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Help, **options)

    def parse_known_args(  # type: ignore[override]  # the library's own overloads differ by the namespace's type only
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Read the words of this level, as the library does, or give them to `otherwise`."""
        if self.otherwise is not None and args is not None and self._names_no_command(args):
            return self.otherwise.parse_known_args(args, namespace)
        return super().parse_known_args(args, namespace)

    def commands(self) -> dict[str, argparse.ArgumentParser]:
        """Give the commands below by name; argparse has no public way to them."""
        groups = [action for action in self._actions if isinstance(action, argparse._SubParsersAction)]
        return {name: below for group in groups for name, below in group.choices.items()}

    def _names_no_command(self, words: Sequence[str]) -> bool:
        at = 0
        while at < len(words) and (option := self._option_string_actions.get(words[at].partition("=")[0])):
            at += 1 if option.nargs == 0 or "=" in words[at] else 2
        return at < len(words) and words[at] not in self.commands()


def _columns() -> int:
    wanted = os.environ.get("COLUMNS", "")
    if wanted.isdecimal() and int(wanted):
        return int(wanted)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS


class _Unneeded:
    """Stands for a command that is not asked for: whatever is said of it is not written down."""

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __getattr__(self, _: str) -> Self:
        return self


class Menu:
    """The commands of one level; with `only`, no other command than that, as building all takes long."""

    def __init__(self, level: Level, everywhere: Level, only: str | None = None) -> None:
        self._level = level
        self._only = only
        self._commands: Commands[Level] = level.add_subparsers(
            title="commands", metavar="COMMAND", required=True, parser_class=Level
        )
        self._everywhere = everywhere

    def command(self, name: str, module: str, help_: str, *, json: bool = True) -> argparse.ArgumentParser:
        """Add a command done by `run(session, arguments) -> Exit` in `signing.local_signer.<module>`.

        With `json` it takes `--json`; its errors then are JSON on stdout too.
        """
        if self._leaves_out(name):
            return cast(argparse.ArgumentParser, _Unneeded())
        return self._done_by(module, self._add(name, help_), json)

    def group(self, name: str, help_: str) -> Menu:
        """Add a level of commands below `name`."""
        if self._leaves_out(name):
            return cast(Menu, _Unneeded())
        return Menu(self._add(name, help_), self._everywhere)

    def otherwise(self, module: str, usage: str) -> argparse.ArgumentParser:
        """Add what is done where no command of this level is named; `usage` tells people how that is written."""
        self._level.epilog = f"{self._level.prog} {usage}"
        self._level.otherwise = Level(prog=self._level.prog, parents=[self._everywhere])
        return self._done_by(module, self._level.otherwise, json=True)

    def _leaves_out(self, name: str) -> bool:
        return self._only is not None and name != self._only

    def _done_by(self, module: str, parser: argparse.ArgumentParser, json: bool) -> argparse.ArgumentParser:
        parser.set_defaults(module=module, parser=parser)
        if json:
            parser.add_argument("--json", action="store_true", help="print JSON for programs")
        return parser

    def _add(self, name: str, help_: str) -> Level:
        sentence = help_[0].upper() + help_[1:]
        return self._commands.add_parser(name, help=help_, description=sentence, parents=[self._everywhere])


def options_that_stand_anywhere() -> Level:
    """Make the options taken before and after the command; suppressed, so that the inner default hides no value."""
    options = Level(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("options of every command")
    group.add_argument("--server", metavar="URL", help="trust server (else DOCKER_CONTENT_TRUST_SERVER, else docker's)")
    group.add_argument("--ca", metavar="FILE", type=Path, help="PEM file of the trust server's authority")
    group.add_argument("--trust-dir", metavar="DIR", type=Path, help="keys and trust data (else ~/.docker/trust)")
    group.add_argument("--config", metavar="FILE", type=Path, help="pins of root keys (else config.json there)")
    return options

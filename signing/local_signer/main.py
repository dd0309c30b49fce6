"""`trustctl`: keys, signers, signing and looking, by docker's folders and environment variables.

Exit codes: 0 done and verified, 1 refused or failed, 2 the command line is wrong, 3 nothing to change, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from signing.local_signer.arguments import FAMILIES
from signing.local_signer.exit_codes import Exit
from signing.local_signer.menu import Level, Menu, options_that_stand_anywhere
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, error_as_json, say_json, speak_utf8
from signing.trust.errors import TrustError

ADVICE = {
    PermissionError: "Check who may read and write it.",
    FileNotFoundError: "Check the path.",
    OSError: "Check the disk and the path, then try again.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; whatever happens, people see sentences."""
    speak_utf8()
    words = sys.argv[1:] if argv is None else list(argv)
    arguments = _parser_for(words).parse_args(words)
    if hasattr(arguments, "check"):
        arguments.check(arguments)
    return perform(arguments)


def perform(arguments: argparse.Namespace) -> int:
    """Run what the arguments name as their module and give its exit code."""
    try:
        with Session(arguments, os.environ) as session:
            command = importlib.import_module(f"signing.local_signer.{arguments.module}")
            return Exit(command.run(session, arguments))
    except TrustError as error:
        _fail(error, arguments)
    except BrokenPipeError:  # the reader of our output left; say nothing, and let Python's exit find no pipe to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _fail(_in_words(error), arguments)
    except KeyboardInterrupt:
        complain("Interrupted.")
        return Exit.INTERRUPTED
    except Exception as error:  # a fault of this program: people get a sentence, never a traceback
        complain(f"trustctl has a fault ({type(error).__name__}). Please report it with the command you ran.")
    return Exit.FAILED


def _parser_for(words: Sequence[str]) -> Level:
    """Build what reads these words: one command's part of the tree if they begin with its name."""
    if words and not words[0].startswith("-"):
        parser = command_line(only=words[0])
        if parser.commands():
            return parser
    return command_line()


def command_line(only: str | None = None) -> Level:
    """Build the whole tree of commands, or that of one command."""
    everywhere = options_that_stand_anywhere()
    parser = Level(
        prog="trustctl",
        description="Sign image tags and see who signed them (Docker Content Trust, Notary v1).",
        parents=[everywhere],
        epilog="Exit codes: 0 done and verified, 1 refused or failed, 2 wrong command line, 3 nothing to change.",
    )
    menu = Menu(parser, everywhere, only)
    for register in FAMILIES:
        register(menu)
    return parser


def _fail(error: TrustError, arguments: argparse.Namespace) -> None:
    complain_of(error)
    if getattr(arguments, "json", False):
        say_json(error_as_json(error))


def _in_words(error: OSError) -> TrustError:
    where = f"{error.filename}: " if error.filename else ""
    advice = next(step for kind, step in ADVICE.items() if isinstance(error, kind))
    return TrustError(f"{where}{error.strerror or error}.", next_step=advice)


if __name__ == "__main__":
    sys.exit(main())

"""`trustctl`: keys, signers, signing and looking, by docker's folders and environment variables.

Exit codes: 0 done and verified, 1 refused or failed, 2 the command line is wrong, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, speak_utf8
from signing.trust.errors import TrustError

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
ADVICE = {
    PermissionError: "Check who may read and write it.",
    FileNotFoundError: "Check the path.",
    OSError: "Check the disk and the path, then try again.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code; whatever happens, people see sentences."""
    speak_utf8()
    arguments = _parser().parse_args(argv)
    if arguments.module == "sign" and (arguments.digest is None) != (arguments.size is None):
        arguments.parser.error("--digest and --size go together")
    try:
        with Session(arguments, os.environ) as session:
            command = importlib.import_module(f"signing.local_signer.commands.{arguments.module}")
            return DONE if command.run(session, arguments) else FAILED
    except TrustError as error:
        complain_of(error)
    except BrokenPipeError:  # the reader of our output left; say nothing, and let Python's exit find no pipe to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        complain_of(_in_words(error))
    except KeyboardInterrupt:
        complain("Interrupted.")
        return INTERRUPTED
    except Exception as error:  # a fault of this program: people get a sentence, never a traceback
        complain(f"trustctl has a fault ({type(error).__name__}). Please report it with the command you ran.")
    return FAILED


def _in_words(error: OSError) -> TrustError:
    where = f"{error.filename}: " if error.filename else ""
    advice = next(step for kind, step in ADVICE.items() if isinstance(error, kind))
    return TrustError(f"{where}{error.strerror or error}.", next_step=advice)


def _parser() -> argparse.ArgumentParser:
    everywhere = _options_that_stand_anywhere()
    parser = argparse.ArgumentParser(
        prog="trustctl",
        description="Sign image tags and see who signed them (Docker Content Trust, Notary v1).",
        parents=[everywhere],
        epilog="Exit codes: 0 done and verified, 1 refused or failed, 2 the command line is wrong.",
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_key_commands(commands, everywhere)
    _add_signer_commands(commands, everywhere)
    _add_sign(commands, everywhere)
    _add_inspect(commands, everywhere)
    _add_verify(commands, everywhere)
    return parser


def _options_that_stand_anywhere() -> argparse.ArgumentParser:
    """Make the options taken before and after the command; suppressed, so that the inner default hides no value."""
    options = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    group = options.add_argument_group("options of every command")
    group.add_argument("--server", metavar="URL", help="trust server (else DOCKER_CONTENT_TRUST_SERVER, else docker's)")
    group.add_argument("--ca", metavar="FILE", type=Path, help="PEM file of the trust server's authority")
    group.add_argument("--trust-dir", metavar="DIR", type=Path, help="keys and trust data (else ~/.docker/trust)")
    return options


Commands = argparse._SubParsersAction  # argparse has no public name for it


def _add(
    commands: Commands[argparse.ArgumentParser], name: str, module: str, help_: str, everywhere: argparse.ArgumentParser
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:], parents=[everywhere])
    parser.set_defaults(module=module, parser=parser)
    return parser


def _add_group(
    commands: Commands[argparse.ArgumentParser], name: str, help_: str, everywhere: argparse.ArgumentParser
) -> Commands[argparse.ArgumentParser]:
    parser = commands.add_parser(name, help=help_, description=help_[0].upper() + help_[1:], parents=[everywhere])
    return parser.add_subparsers(title="commands", metavar="COMMAND", required=True)


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def _add_key_commands(commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
    group = _add_group(commands, "key", "make, load and list signing keys", everywhere)
    generate = _add(group, "generate", "key_generate", "make a signer's key and its NAME.pub", everywhere)
    generate.add_argument("name", metavar="NAME")
    generate.add_argument("--dir", metavar="DIR", type=Path, default=Path(), help="folder for NAME.pub (else this one)")
    _add_json(generate)
    load = _add(group, "load", "key_load", "take an existing private key into the trust folder", everywhere)
    load.add_argument("file", metavar="KEYFILE", type=Path)
    load.add_argument("--name", default="signer", help="the signer's name, unless the file tells it")
    _add_json(load)
    _add_json(_add(group, "list", "key_list", "list the private keys of the trust folder", everywhere))


def _add_signer_commands(commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
    group = _add_group(commands, "signer", "manage who may sign", everywhere)
    add = _add(group, "add", "signer_add", "let a signer sign repositories; initialises new ones", everywhere)
    add.add_argument("name", metavar="NAME")
    add.add_argument("repositories", metavar="REPOSITORY", nargs="+")
    add.add_argument("--key", metavar="FILE", type=Path, action="append", required=True, help="public key; repeatable")
    _add_json(add)


def _add_sign(commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
    sign = _add(commands, "sign", "sign", "sign tags; those of one repository in one publish", everywhere)
    sign.add_argument("images", metavar="IMAGE:TAG", nargs="+")
    sign.add_argument("--digest", metavar="sha256:HEX", help="sign this digest instead of asking the registry")
    sign.add_argument("--size", metavar="BYTES", type=_size, help="size of the manifest with that digest")
    _add_json(sign)


def _add_inspect(commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
    inspect = _add(commands, "inspect", "inspect", "show tags, signers and keys as docker trust inspect", everywhere)
    inspect.add_argument("images", metavar="IMAGE[:TAG]", nargs="+")
    inspect.add_argument("--pretty", action="store_true", help="print tables for people instead of JSON")


def _add_verify(commands: Commands[argparse.ArgumentParser], everywhere: argparse.ArgumentParser) -> None:
    verify = _add(commands, "verify", "verify", "print the digest that docker pull would take", everywhere)
    verify.add_argument("image", metavar="IMAGE:TAG")
    verify.add_argument("--digest", metavar="sha256:HEX", help="fail unless the tag is signed with this digest")
    _add_json(verify)


def _size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:16]) < 2**53):
        raise argparse.ArgumentTypeError("the size is a number of bytes, 1 or more")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

"""What docker starts for `docker trust ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from signing.local_signer.completion import candidates
from signing.local_signer.exit_codes import Exit
from signing.local_signer.main import main, perform
from signing.local_signer.plugin.dialect import Call, parser
from signing.local_signer.terminal import speak_utf8

COMPLETION = ("__complete", "__completeNoDesc")


def run(argv: Sequence[str]) -> int:
    """Do one command in docker's syntax; like docker, end with 0 too where everything was true already."""
    speak_utf8()
    call = Call.of(argv)
    if call.name in COMPLETION:
        return _complete(call.rest)
    if folder := call.option("--config"):
        os.environ["DOCKER_CONFIG"] = folder
    arguments = parser(call.name).parse_args(call.rest)
    if hasattr(arguments, "words"):
        code = main(arguments.words(arguments))
    elif hasattr(arguments, "module"):
        arguments.docker_options = call.options
        code = perform(arguments)
    else:
        arguments.help_of.print_help(sys.stderr)
        code = Exit.DONE
    return Exit.DONE if code == Exit.NOTHING_TO_CHANGE else code


def _complete(words: Sequence[str]) -> int:
    """Answer docker's shell completion in cobra's form; 4 keeps the shell from offering files beside the words."""
    name, *typed = words or ("trust",)
    found = candidates(parser(name), typed)
    sys.stdout.write("".join(f"{word}\n" for word in [*found, ":4" if found else ":0"]))
    return Exit.DONE


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

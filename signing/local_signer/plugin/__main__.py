"""What docker starts for `docker trust ...`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

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
        sys.stdout.write(":0\n")
        return Exit.DONE
    if folder := call.option("--config"):
        os.environ["DOCKER_CONFIG"] = folder
    arguments = parser(call.name).parse_args(call.rest)
    if hasattr(arguments, "words"):
        code = main(arguments.words(arguments))
    else:
        arguments.docker_options = call.options
        code = perform(arguments)
    return Exit.DONE if code == Exit.NOTHING_TO_CHANGE else code


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))

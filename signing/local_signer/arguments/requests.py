"""`trustctl requests` and `trustctl sign-request`."""

from __future__ import annotations

import argparse
from pathlib import Path

from signing.local_signer.arguments.common import add_yes
from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands with which a holder gives the signatures that TrustUI asks for."""
    requests = menu.command("requests", "commands.requests", "list what waits in TrustUI for your signature")
    _add_dashboard(requests)
    sign = menu.command("sign-request", "commands.sign_request", "look at what TrustUI asks you to sign, and sign it")
    sign.add_argument("request", metavar="ID|FILE", help="its number, or the file of a request or of a signature")
    _add_dashboard(sign)
    how = sign.add_mutually_exclusive_group()
    how.add_argument("--save", metavar="FILE", type=Path, help="with an ID: only fetch it, to be signed offline")
    how.add_argument("-o", "--output", metavar="FILE", type=Path, help="with a FILE: write the signature there")
    how.add_argument("--upload", action="store_true", help="the FILE is a signature that was made offline: send it")
    how.add_argument("--refuse", metavar="WHY", help="with an ID: say no, which ends the work")
    key = sign.add_argument_group("the key (else the one of the trust folder that is asked for)")
    key.add_argument("--key-file", metavar="FILE", type=Path, help="a private key as docker or openssl writes it")
    key.add_argument("--pkcs11-module", metavar="FILE", type=Path, help="the module of a token that has the key")
    key.add_argument("--token", metavar="LABEL", help="the token's label (PIN in TRUSTCTL_PIN, else asked for)")
    add_yes(sign)
    sign.set_defaults(check=_check_sign)


def _add_dashboard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--dashboard", metavar="URL", help="address of TrustUI (else TRUSTUI_URL); the API token is in TRUSTUI_TOKEN"
    )


def _check_sign(arguments: argparse.Namespace) -> None:
    is_number = arguments.request.isascii() and arguments.request.isdecimal()
    if (arguments.save or arguments.refuse is not None) and not is_number:
        arguments.parser.error("--save and --refuse take the number of a request")
    if (arguments.output or arguments.upload) and is_number:
        arguments.parser.error("--output and --upload take a file")
    if bool(arguments.pkcs11_module) != bool(arguments.token):
        arguments.parser.error("--pkcs11-module and --token belong together")
    if arguments.key_file and arguments.pkcs11_module:
        arguments.parser.error("the key is in a file or on a token, not in both")

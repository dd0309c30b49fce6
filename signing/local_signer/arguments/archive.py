"""The command line of `trustctl archive`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from signing.local_signer.menu import Menu

DEFAULT_FILE = Path("trust.archive")


def register(menu: Menu) -> None:
    """Add the commands."""
    group = menu.group("archive", "keep a repository's whole history in one file, and prove it offline")
    _at_once(group)
    _take(group)
    _verify(group)
    _serve(group)
    _restore(group)


def _file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", type=Path, help="the archive")
    _mix(parser)


def _mix(parser: argparse.ArgumentParser) -> None:
    """Let options stand between FILE and the names: argparse itself takes an empty list of names before an option."""
    plain = parser.parse_known_args

    def mixed(*arguments: Any) -> tuple[argparse.Namespace, list[str]]:
        parser.parse_known_args = plain  # type: ignore[method-assign]  # the library calls it from within
        try:
            return parser.parse_known_intermixed_args(*arguments)
        finally:
            parser.parse_known_args = mixed  # type: ignore[method-assign,assignment]

    parser.parse_known_args = mixed  # type: ignore[method-assign,assignment]


def _at_once(group: Menu) -> None:
    take = group.otherwise("archive.take", "REPOSITORY... [-o FILE] is short for take FILE REPOSITORY...")
    take.add_argument(
        "-o", "--output", dest="file", metavar="FILE", type=Path, default=DEFAULT_FILE, help=f"else {DEFAULT_FILE}"
    )
    _mix(take)
    _sources(take)


def _take(group: Menu) -> None:
    take = group.command("take", "archive.take", "archive every stored version; a second run adds what is new")
    _file(take)
    _sources(take)


def _sources(take: argparse.ArgumentParser) -> None:
    take.add_argument("repositories", metavar="REPOSITORY", nargs="*", help="none: those the archive has already")
    take.add_argument(
        "--from-account",
        metavar="ACCOUNT",
        help="also every repository of HOST/NAMESPACE, or of Docker Hub's NAMESPACE, that has trust data",
    )
    take.add_argument(
        "--dashboard", metavar="URL", help="ask this TrustUI for its account of that name (token in TRUSTUI_TOKEN)"
    )
    take.add_argument(
        "--from-trust-dir",
        metavar="DIR",
        type=Path,
        help="also what a folder like ~/.docker/trust remembers, read-only",
    )
    take.add_argument("--offline", action="store_true", help="with --from-trust-dir: ask no server")
    take.add_argument("--rate", metavar="N", type=_rate, default=20.0, help="most requests per second (20)")


def _verify(group: Menu) -> None:
    verify = group.command("verify", "archive.verify", "prove offline who signed what, from when to when")
    _file(verify)
    verify.add_argument("names", metavar="REPOSITORY[:TAG]", nargs="*", help="none: everything in the archive")
    verify.add_argument(
        "--root-key-id", metavar="ID", action="append", default=[], help="trust only from this root key on; repeatable"
    )
    verify.add_argument(
        "--root-fingerprint", metavar="SHA256", action="append", default=[], help="the same by the root's certificate"
    )
    verify.add_argument("--digest", metavar="sha256:HEX", help="fail unless the tag meant this digest")
    verify.add_argument("--signer", metavar="NAME", help="fail unless this signer stood behind it")
    verify.add_argument("--events", action="store_true", help="tell everything that happened, not only tags")


def _serve(group: Menu) -> None:
    serve = group.command("serve", "archive.serve", "serve an archive read-only on this machine")
    _file(serve)
    serve.add_argument("--port", metavar="N", type=int, default=4443, help="port on 127.0.0.1 (4443)")
    serve.add_argument("--write-ca", metavar="FILE", type=Path, help="where to write its certificate (FILE.crt)")


def _restore(group: Menu) -> None:
    restore = group.command("restore", "archive.restore", "publish the newest state to another trust server")
    _file(restore)
    restore.add_argument("repositories", metavar="REPOSITORY", nargs="*", help="none: everything in the archive")


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 10_000:
        raise argparse.ArgumentTypeError("the rate is a number of requests per second, such as 5 or 0.5")
    return rate

"""Options that several commands have."""

from __future__ import annotations

import argparse


def add_stage(parser: argparse.ArgumentParser) -> None:
    """Let a command only stage what it would publish."""
    parser.add_argument("--stage", action="store_true", help="keep it for `trustctl publish` or `notary publish`")


def add_force(parser: argparse.ArgumentParser) -> None:
    """Let a command break what works now."""
    parser.add_argument("-f", "--force", action="store_true", help="even if tags stop verifying or nobody can sign")


def add_yes(parser: argparse.ArgumentParser) -> None:
    """Let a command do without asking."""
    parser.add_argument("-y", "--yes", action="store_true", help="do not ask whether it is meant")


def add_repository(parser: argparse.ArgumentParser) -> None:
    """Take one repository."""
    parser.add_argument("repository", metavar="REPOSITORY")


def size(text: str) -> int:
    """Read a number of bytes."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:16]) < 2**53):
        raise argparse.ArgumentTypeError("the size is a number of bytes, 1 or more")
    return int(text)


def count(text: str) -> int:
    """Read a number of keys."""
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:4]) < 1000):
        raise argparse.ArgumentTypeError("this is a number from 1 to 999")
    return int(text)


def number(text: str) -> int:
    """Read a place in a list, counted from 0."""
    if not (text.isascii() and text.isdecimal() and len(text) < 8):
        raise argparse.ArgumentTypeError("this is a number as `trustctl status` prints it")
    return int(text)

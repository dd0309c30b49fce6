"""The command line of `trustctl audit`."""

from __future__ import annotations

from pathlib import Path

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the commands."""
    group = menu.group("audit", "check the dashboard's audit log offline")
    verify = group.command("verify", "commands.audit_verify", "tell whether a log is as it was written")
    verify.add_argument("file", metavar="FILE", type=Path, help="what the audit page exported")
    verify.add_argument("--key", metavar="PEM", type=Path, help="the log's public key, got from its keeper")
    verify.add_argument("--head", metavar="FILE", type=Path, help="a head kept from an earlier check")
    verify.add_argument("--save-head", metavar="FILE", type=Path, help="keep the newest head for the next check")

"""`trustctl requests`: what waits for the signature of whoever the token belongs to."""

from __future__ import annotations

from argparse import Namespace

from signing.local_signer.dashboard import Dashboard
from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json

FIELDS = ("id", "repository", "role", "version", "sha256", "key_id", "expires_at", "operation")


def run(session: Session, arguments: Namespace) -> Exit:
    """List them, the first to run out first."""
    with Dashboard(arguments.dashboard, session.environ, session.dashboard_ca()) as dashboard:
        rows = [{name: row.get(name) for name in FIELDS} for row in dashboard.waiting()]
    if arguments.json:
        say_json(rows)
    elif not rows:
        say("Nothing waits for your signature.")
    for row in () if arguments.json else rows:
        text = {name: plain_line(str(value)) for name, value in row.items()}
        say(f"{text['id']}  {text['repository']}  {text['role']} {text['version']}  key {text['key_id'][:12]}")
        say(f"    sha256 {text['sha256']}, until {text['expires_at'][:16].replace('T', ' ')} UTC")
    return Exit.DONE

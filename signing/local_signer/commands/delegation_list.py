"""`trustctl delegation list REPOSITORY` (reference 6)."""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.notary.delegating import canonical_id
from signing.trust.notary.gun import Gun
from signing.trust.notary.trusted import TrustedRepository


def run(session: Session, arguments: Namespace) -> Exit:
    """List every delegation, also those that do not count now, with the reason."""
    rows = _rows(session.refresh(Gun.parse(arguments.repository)))
    if arguments.json:
        say_json(rows)
    elif not rows:
        say(f"No delegations present in {arguments.repository}: the repository key signs.")
    else:
        say(f"{'ROLE':<24} {'THRESHOLD':<10} {'PATHS':<20} KEY IDS")
        for row in rows:
            _print(row)
    return Exit.DONE


def _rows(trusted: TrustedRepository) -> list[dict[str, Any]]:
    files = [trusted.targets, *trusted.delegations.values()]
    return [
        {
            "role": item.name,
            "paths": list(item.paths),
            "key_ids": [canonical_id(file, keyid) for keyid in item.keyids],
            "threshold": item.threshold,
            "expires": _expiry(trusted, item.name),
            "problem": trusted.left_out[item.name].message if item.name in trusted.left_out else None,
        }
        for file in files
        for item in file.delegations
    ]


def _expiry(trusted: TrustedRepository, name: str) -> str | None:
    file = trusted.delegations.get(name)
    return file.expires.isoformat() if file else None


def _print(row: dict[str, Any]) -> None:
    paths = "every tag" if "" in row["paths"] else ",".join(row["paths"]) or "no tag"
    ids = row["key_ids"] or ["nobody"]
    say(plain_line(f"{row['role']:<24} {row['threshold']:<10} {paths:<20} {ids[0]}"))
    for key_id in ids[1:]:
        say(plain_line(f"{'':<57}{key_id}"))
    if row["problem"]:
        say(plain_line(f"{'':<4}does not count now: {row['problem']}"))

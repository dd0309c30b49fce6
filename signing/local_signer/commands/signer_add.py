"""`trustctl signer add --key FILE NAME REPOSITORY...` (reference 5.1)."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, say, say_json
from signing.trust.errors import InvalidInput, InvalidKey, TrustError
from signing.trust.notary.gun import Gun
from signing.trust.notary.repository import Published
from signing.trust.tuf.keys import LARGEST_PEM, PublicKey
from signing.trust.tuf.roles import ROOT, check_signer_name


def run(session: Session, arguments: Namespace) -> Exit:
    """Add the signer to each repository; those that fail are named at the end, the others are done."""
    name = check_signer_name(arguments.name)
    keys = [_read(path) for path in arguments.key]
    guns = [Gun.parse(text) for text in arguments.repositories]
    keystore = session.keystore()
    done: list[dict[str, Any]] = []
    for gun in dict.fromkeys(guns):
        if not arguments.json:
            say(f'Adding signer "{name}" to {gun}...')
        try:
            with session.repository(gun, keystore) as repository:
                published = repository.add_signer(name, keys)
        except TrustError as error:
            complain_of(error, str(gun))
            continue
        done.append({"repository": str(gun), "signer": name, "published": dict(published.versions)})
        if not arguments.json:
            _report(name, gun, published)
    if arguments.json:
        say_json(done)
    failed = [gun for gun in dict.fromkeys(guns) if gun not in {item["repository"] for item in done}]
    if failed:
        complain(f"failed to add signer to: {', '.join(failed)}")
    return Exit.FAILED if failed else Exit.DONE


def _report(name: str, gun: Gun, published: Published) -> None:
    if ROOT in published.versions:
        say(f'Successfully initialized "{gun}"')
    if published.versions:
        say(f"Successfully added signer: {name} to {gun}\n")
    else:
        say(f"{name} is a signer of {gun} with these keys already.\n")


def _read(path: Path) -> PublicKey:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name a signer's public key after --key.")
    with path.open("rb") as file:
        data = file.read(LARGEST_PEM)
    try:
        key = PublicKey.from_pem(data)
        key.require_current(datetime.now(UTC))
    except InvalidKey as error:
        raise InvalidKey(f"{path}: {error.message}", next_step=error.next_step) from None
    return key

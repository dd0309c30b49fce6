"""`trustctl key import FILE...`: what `notary key import` does, with every key of files that `key export` wrote."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_reading import open_key, owner_of, read_key_file
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.keystore.encrypted_files import FileKeyStore
from signing.trust.keystore.pem import KeyFile

_ID = re.compile(r"[0-9a-f]{64}", re.ASCII)


def run(session: Session, arguments: Namespace) -> Exit:
    """Keep each key; one exported with its id and still encrypted keeps its passphrase."""
    files = [file for path in arguments.files for file in KeyFile.parse_all(read_key_file(path))]
    store = session.keystore()
    rows = [_import(session, store, file, arguments.name) for file in files]
    if arguments.json:
        say_json(rows)
    for row in [] if arguments.json else rows:
        how = "Imported" if row["changed"] else "Nothing to change, held already:"
        say(plain_line(f"{how} {row['role']} key {row['key_id']}"))
    return Exit.DONE if any(row["changed"] for row in rows) else Exit.NOTHING_TO_CHANGE


def _import(session: Session, store: FileKeyStore, file: KeyFile, name: str) -> dict[str, Any]:
    role, gun = owner_of(file, name)
    key_id = file.headers.get("path", "").rpartition("/")[2].removesuffix(".key")
    if file.is_encrypted and _ID.fullmatch(key_id) and file.kind == "ENCRYPTED PRIVATE KEY":
        is_new = not store.holds(key_id)
        if is_new:
            store.write(key_id, file.without_header("path").to_text(role=role))
        return {"key_id": key_id, "role": role, "gun": gun, "changed": is_new}
    key = open_key(file, role, session.passphrases)
    is_new = not store.holds(key.key_id)
    if is_new:
        store.add(key, role, gun)
    return {"key_id": key.key_id, "role": role, "gun": gun, "changed": is_new}

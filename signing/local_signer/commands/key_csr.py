"""`trustctl key csr KEY`: what a certificate authority needs to certify a key that stays here."""

from __future__ import annotations

import sys
from argparse import Namespace

from signing.local_signer.exit_codes import Exit
from signing.local_signer.key_choice import choose_key
from signing.local_signer.new_files import place_for, write_new
from signing.local_signer.session import Session
from signing.local_signer.terminal import say, say_json
from signing.trust.keystore.certificates import certificate_request


def run(session: Session, arguments: Namespace) -> Exit:
    """Write the request to stdout or to a new file."""
    store = session.keystore()
    info = choose_key(store, arguments.key)
    output = arguments.output
    path = place_for(output.absolute().parent, output.name) if output else None
    request = certificate_request(store.open(info.key_id), arguments.common_name or info.role)
    if path:
        write_new(path, request)
    if arguments.json:
        say_json({"key_id": info.key_id, "csr": request, "file": str(path) if path else None})
    elif path:
        say(f"Wrote the request to {path}.")
        say(f"Keep the authority's answer with `trustctl key certificate {info.key_id[:12]} FILE`.")
    else:
        sys.stdout.write(request)
    return Exit.DONE

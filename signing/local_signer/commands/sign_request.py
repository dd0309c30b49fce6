"""`trustctl sign-request`: see what signing does, worked out here from the bytes; then sign, and send that alone."""

from __future__ import annotations

import base64
from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from signing.local_signer.dashboard import Dashboard
from signing.local_signer.exit_codes import Exit
from signing.local_signer.holder_keys import opened_key
from signing.local_signer.session import Session
from signing.local_signer.terminal import plain_line, say, say_json
from signing.trust.errors import InvalidInput, WrongSignature
from signing.trust.keystore.base import PrivateKey
from signing.trust.keystore.encrypted_files import write_private_file
from signing.trust.notary.signature_files import LARGEST_SIGNATURE_FILE, read_signature_file, write_signature
from signing.trust.notary.signature_request import Looked, SignatureRequest, require_own

LARGEST_REQUEST_FILE = 96 * 1024 * 1024


def run(session: Session, arguments: Namespace) -> Exit:
    """Do what the options say with one request."""
    if arguments.upload:
        return _upload(session, arguments)
    if arguments.refuse is not None:
        return _refuse(session, arguments)
    if arguments.save:
        return _save(session, arguments)
    if arguments.request.isdecimal():
        return _sign_online(session, arguments)
    return _sign_offline(session, arguments)


def _sign_online(session: Session, arguments: Namespace) -> Exit:
    with _dashboard(session, arguments) as dashboard:
        request = SignatureRequest.read(dashboard.request(int(arguments.request)))
        if str(request.id) != str(int(arguments.request)):
            raise InvalidInput(f"{dashboard.host} gave another request than number {arguments.request}.")
        signature = _signed(session, arguments, request)
        dashboard.give(request.id, base64.b64encode(signature).decode(), request.sha256)
        left = len(dashboard.waiting())
    _report(arguments, request, sent=True)
    if not arguments.json:
        say("The signature is sent; the key stayed here.")
        if left:
            say(f"{left} more of your signatures {'is' if left == 1 else 'are'} asked for: trustctl requests")
    return Exit.DONE


def _sign_offline(session: Session, arguments: Namespace) -> Exit:
    path = Path(arguments.request)
    request = SignatureRequest.read(_content(path, LARGEST_REQUEST_FILE))
    signature = _signed(session, arguments, request)
    output = arguments.output or path.with_suffix(".signature")
    _write(output, write_signature(request.id, request.sha256, request.key_id, signature))
    _report(arguments, request, output=str(output))
    if not arguments.json:
        say(f"The signature is in {output}. Send it with trustctl sign-request {output} --upload, or on its page.")
    return Exit.DONE


def _save(session: Session, arguments: Namespace) -> Exit:
    with _dashboard(session, arguments) as dashboard:
        data = dashboard.request(int(arguments.request))
    request = SignatureRequest.read(data)
    _write(arguments.save, dict(request.raw))
    _report(arguments, request, output=str(arguments.save))
    if not arguments.json:
        say(f"Request {request.id} is in {arguments.save}; sign it offline: trustctl sign-request {arguments.save}")
    return Exit.DONE


def _upload(session: Session, arguments: Namespace) -> Exit:
    text = _content(Path(arguments.request), LARGEST_SIGNATURE_FILE).decode(errors="replace")
    number, sha256, signature = read_signature_file(text)
    if number is None or sha256 is None:
        raise InvalidInput(
            f"{arguments.request} does not say which request it is for.", next_step="Upload it on the request's page."
        )
    with _dashboard(session, arguments) as dashboard:
        dashboard.give(number, base64.b64encode(signature).decode(), sha256)
    if arguments.json:
        say_json({"id": number, "sha256": sha256, "sent": True})
    else:
        say(f"The signature of request {number} is sent.")
    return Exit.DONE


def _refuse(session: Session, arguments: Namespace) -> Exit:
    session.require_consent("Refuse it? That ends the work.", given=arguments.yes)
    with _dashboard(session, arguments) as dashboard:
        dashboard.refuse(int(arguments.request), arguments.refuse)
    if arguments.json:
        say_json({"id": int(arguments.request), "refused": True})
    else:
        say(f"Request {arguments.request} is refused; nothing of it is published.")
    return Exit.DONE


def _signed(session: Session, arguments: Namespace, request: SignatureRequest) -> bytes:
    """Look, show, ask and sign, in this order: no key is opened for what nobody has seen."""
    looked = request.look(session.remembered(request.gun), session.pinning, datetime.now(UTC))
    if not arguments.json:
        _show(request, looked)
    session.require_consent("Sign this?", given=arguments.yes)
    key = opened_key(session, arguments, request.key_id)
    require_own(request, key.key_id)
    return _checked_signature(key, request.payload)


def _checked_signature(key: PrivateKey, payload: bytes) -> bytes:
    method, signature = key.sign(payload)
    if not key.public.verifies(method, signature, payload):  # a token may sign with another key than it says
        raise WrongSignature("What the key signed does not verify with its public half.")
    return signature


def _show(request: SignatureRequest, looked: Looked) -> None:
    asked = f", asked for by {plain_line(request.asked_by)}" if request.asked_by else ""
    say(f"Request {request.id}: {request.gun}{asked}")
    say(f"  file     {request.role}, version {request.version}, holds until {looked.file.content.expires:%Y-%m-%d}")
    say(f"  key      {request.key_id}")
    say(f"  sha256   {looked.file.payload_hash}  (of these bytes, worked out here)")
    say(f"  follows  {_follows(request, looked)}")
    say("What changes:")
    for line in looked.lines:
        say(f"  {plain_line(line)}")


def _follows(request: SignatureRequest, looked: Looked) -> str:
    if looked.before is None:
        return "nothing: the repository begins with it"
    return f"{request.role} {request.version - 1}, root {looked.before.root.version}, verified here"


def _report(arguments: Namespace, request: SignatureRequest, **more: object) -> None:
    if arguments.json:
        facts = {"id": request.id, "repository": str(request.gun), "role": request.role, "version": request.version}
        say_json({**facts, "sha256": request.sha256, "key_id": request.key_id, "lines": list(request.lines), **more})


def _dashboard(session: Session, arguments: Namespace) -> Dashboard:
    return Dashboard(arguments.dashboard, session.environ, session.dashboard_ca())


def _content(path: Path, limit: int) -> bytes:
    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.", next_step="Name a request by its number or by its file.")
    if path.stat().st_size > limit:
        raise InvalidInput(f"{path} is too large for what it should be.")
    return path.read_bytes()


def _write(path: Path, content: dict[str, object]) -> None:
    import json

    if path.exists():
        raise InvalidInput(f"{path} is there already.", next_step="Name another file.")
    write_private_file(path, json.dumps(content, indent=4) + "\n")

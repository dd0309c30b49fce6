"""What waits for its holders, as both sides see it: which files, whose signatures, and whether they suffice.

The signing worker prepares files and publishes them; the dashboard takes the signatures in between.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet

from signing.models import Operation, PreparedFile, SignatureTask
from signing.trust.notary.prepared import PreparedFile as Prepared
from signing.trust.policy.foreign_signature import read_signature
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Signature

State = SignatureTask.State


def files_of(operation: Operation) -> QuerySet[PreparedFile]:
    """List what is prepared for an operation now."""
    return operation.prepared_files.filter(is_current=True)


def is_complete(operation: Operation) -> bool:
    """Tell whether something is prepared and every file of it has as many signatures as it needs."""
    files = list(files_of(operation).prefetch_related("tasks__key"))
    return bool(files) and all(has_enough(file) for file in files)


def has_enough(file: PreparedFile) -> bool:
    """Tell whether a file has as many signatures as each role that has to sign it asks for."""
    given = {str(entry["key"]) for entry in file.signatures}
    given |= {task.key.key_id for task in file.tasks.all() if task.state == State.GIVEN}
    return all(len(given & set(need["keys"])) >= need["threshold"] for need in file.needs)


def signed_files(operation: Operation) -> list[Prepared]:
    """Give what was prepared with all its signatures, to be published."""
    return [_signed(file) for file in files_of(operation).prefetch_related("tasks__key")]


def set_aside(operation: Operation) -> None:
    """Let nothing that was prepared so far count any more, and ask nobody for it any more."""
    void_tasks(operation)
    files_of(operation).update(is_current=False)


def void_tasks(operation: Operation) -> None:
    """Ask nobody any more for what is prepared."""
    SignatureTask.objects.filter(file__operation=operation, state=State.WAITING).update(state=State.VOID)


def summary_lines(file: PreparedFile) -> Sequence[str]:
    """Give the lines of metadata that go and come with one file."""
    return [str(line) for line in file.summary]


def _signed(file: PreparedFile) -> Prepared:
    payload = bytes(file.payload)
    signatures = [
        Signature.from_json({name: entry[name] for name in ("keyid", "method", "sig")}) for entry in file.signatures
    ]
    for task in file.tasks.all():
        if task.state == State.GIVEN:
            key = PublicKey.from_pem(task.key.public_pem)
            method, form = read_signature(key, payload, bytes(task.signature))
            signatures.append(Signature(task.tuf_key_id, method, form))
    return Prepared.read(file.role, payload, signatures)

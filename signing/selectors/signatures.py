"""Signatures that holders are asked for: whose turn it is, and what exactly is to be signed."""

from __future__ import annotations

import base64
import shlex
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from signing.models import Key, Operation, PreparedFile, SignatureTask, User
from signing.permissions import acting_token, may
from signing.roles import named_repositories
from signing.selectors.reach import Reach
from signing.trust.notary.signature_files import REQUEST_FORMAT

State = SignatureTask.State


def visible_tasks(user: User) -> QuerySet[SignatureTask]:
    """List what holders are or were asked for, in the operations this person may see and with their own keys."""
    tasks = SignatureTask.objects.select_related(
        "file__operation__repository__account",
        "file__operation__requested_by",
        "file__operation__signer",
        "key__owner",
        "key__account",
        "answered_by",
    ).defer("key__envelope", "file__payload")
    if user.is_machine:
        return tasks.none()
    reach = Reach(user)
    if reach.is_everything:
        return tasks.order_by("-pk")
    operations = Operation.objects.filter(reach.operations()).values("pk")
    own = Q(key__in=Key.objects.filter(reach.in_accounts(), owner=user).values("pk"))
    if named := named_repositories(acting_token(user)):
        own &= Q(file__operation__repository__in=named)
    return tasks.filter(Q(file__operation__in=operations) | own).order_by("-pk")


def tasks_waiting_for(user: User) -> QuerySet[SignatureTask]:
    """List the signatures that this person is asked for now, the first to run out first."""
    open_ones = visible_tasks(user).filter(
        state=State.WAITING,
        key__owner=user,
        expires_at__gt=timezone.now(),
        file__operation__state=Operation.State.NEEDS_SIGNATURE,
    )
    return open_ones.order_by("expires_at", "pk")


def is_open(task: SignatureTask) -> bool:
    """Tell whether a signature is still asked for."""
    return (
        task.state == State.WAITING
        and task.expires_at > timezone.now()
        and task.file.operation.state == Operation.State.NEEDS_SIGNATURE
    )


def may_answer(user: User, task: SignatureTask) -> bool:
    """Tell whether this person may give or refuse a signature: the key's owner alone."""
    return is_open(task) and may(user, "give_signature", task.key, at=task.file.operation.repository)


def tasks_of(operation: Operation) -> list[SignatureTask]:
    """List what holders are asked for, for what is prepared for an operation now."""
    tasks = SignatureTask.objects.filter(file__operation=operation, file__is_current=True)
    return list(tasks.select_related("file", "key__owner", "answered_by").defer("key__envelope", "file__payload"))


def request_file(task: SignatureTask) -> dict[str, Any]:
    """Give all that a holder needs to sign without any network: the bytes, and the files they follow.

    Nothing of it is to be believed: `trustctl` works out hash and lines from the bytes, and verifies the files.
    """
    file, operation = PreparedFile.objects.get(pk=task.file_id), task.file.operation
    repository = operation.repository
    known = repository.metadata.values_list("role", "data") if repository else ()
    return {
        "format": REQUEST_FORMAT,
        "id": task.pk,
        "state": task.state,
        "repository": repository.gun if repository else "",
        "role": file.role,
        "version": file.version,
        "key_id": task.key.key_id,
        "keyid": task.tuf_key_id,
        "sha256": file.payload_hash,
        "payload": base64.b64encode(bytes(file.payload)).decode(),
        "lines": list(file.summary),
        "files": {role: base64.b64encode(bytes(data)).decode() for role, data in known},
        "together": {
            one.role: base64.b64encode(bytes(one.payload)).decode()
            for one in operation.prepared_files.filter(is_current=file.is_current)
        },
        "operation": operation.pk,
        "kind": operation.kind,
        "asked_by": operation.requested_by.username if operation.requested_by else "",
        "expires_at": task.expires_at.isoformat(),
    }


def sign_command(task: SignatureTask, dashboard: str) -> str:
    """Give the command with which the holder looks at it and signs."""
    return f"trustctl sign-request {task.pk} --dashboard {shlex.quote(dashboard)}"

"""Operations a person may see."""

from __future__ import annotations

from django.db.models import QuerySet

from signing.locations import asks_pin
from signing.models import Operation, User
from signing.selectors.reach import Reach
from signing.selectors.requests import passphrases_of_operation

REQUESTED = (Operation.Kind.ADD_SIGNER, Operation.Kind.REMOVE_SIGNER, Operation.Kind.REVOKE, Operation.Kind.ROTATE)


def visible_operations(user: User) -> QuerySet[Operation]:
    """List the operations of what the person has a role in, and their own, newest first."""
    operations = Operation.objects.select_related("account", "repository", "key", "signer", "requested_by").defer(
        "key__envelope"
    )
    return operations.filter(Reach(user).operations()).order_by("-created_at", "-pk")


def is_retryable(operation: Operation) -> bool:
    """Tell whether a failed operation can be tried again; an import cannot, what came with it was used up."""
    return operation.state == Operation.State.FAILED and operation.kind not in Operation.ONCE


def passphrases_needed(operation: Operation) -> list[str]:
    """List the passphrases that trying a failed operation again takes."""
    kind = Operation.Kind(operation.kind)
    if kind == Operation.Kind.PUBLISH and operation.is_signature_stored:
        return []
    if kind in (Operation.Kind.PUBLISH, Operation.Kind.SIGN, Operation.Kind.MAKE_CSR):
        return ["signer"] if operation.key and operation.key.asks_passphrase else []
    if kind == Operation.Kind.ENROL_KEY:
        return ["signer"] if asks_pin(operation.parameters.get("location", "")) else []
    if kind == Operation.Kind.GENERATE_KEY:
        return ["signer"]
    if kind in REQUESTED:
        return passphrases_of_operation(operation)
    return []

"""Say in a few words what a request asks for."""

from __future__ import annotations

from signing.models import ChangeRequest

Kind = ChangeRequest.Kind
KEYS = {"root": "root key", "targets": "repository key", "snapshot": "snapshot key"}


def title_of(request: ChangeRequest) -> str:
    """Say what is asked, in one short sentence without its full stop."""
    guns = [item.repository.gun for item in request.items.all()]
    where = guns[0] if len(guns) == 1 else f"{len(guns)} repositories"
    signer, given = request.signer.name if request.signer else "?", request.parameters
    if request.kind == Kind.ADD_SIGNER:
        return f"Let {signer} sign {where}"
    if request.kind == Kind.REMOVE_SIGNER:
        return f"Take the signer {signer} out of {where}"
    if request.kind == Kind.SIGN:
        return f"Sign {where}:{given['tag']} as {signer}"
    if request.kind == Kind.REVOKE:
        return f"Revoke {where}:{given['tag']}"
    if request.kind == Kind.ROTATE:
        return f"Replace the {KEYS.get(given['role'], given['role'])} of {where}"
    if request.kind == Kind.REPLACE_KEY:
        return f"Replace the key {given['name']} {given['old'][:12]} in {where}"
    return f"Change the policy of {where if guns else request.account}"

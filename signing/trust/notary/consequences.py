"""What taking keys away does to what they signed: sign it anew where that can be done, else say what breaks.

Reference 4.7.
"""

from __future__ import annotations

from collections.abc import Iterator

from signing.trust.errors import MetadataError, NotConfirmed
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.changelist import Change
from signing.trust.notary.draft import Draft
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.notary.update import role_of
from signing.trust.tuf import roles
from signing.trust.tuf.roles import Role

MOST_NAMED = 20


def settle(draft: Draft, before: TrustedRepository, held: KeysAtHand, *, force: bool) -> None:
    """Put files into the draft that a key's removal would leave under-signed; docker and notary leave them so.

    Raises:
        NotConfirmed: tags would stop verifying, or nobody could sign a role any more, and `force` is not set.
    """
    stopping, unsignable = [], []
    for was, now in _changed_roles(draft, before):
        if len(now.keys) < now.threshold and len(was.keys) >= was.threshold:
            unsignable.append(now.name)
        if now.name in draft.changed or now.name not in before.delegations or not _loses_signatures(was, now, before):
            continue
        if held.can_sign(now):
            draft.apply(Change.witness(now.name))
        elif not _counts(now, before):
            stopping.append(now.name)
    if (stopping or unsignable) and not force:
        raise _objection(before, stopping, unsignable)


def _changed_roles(draft: Draft, before: TrustedRepository) -> Iterator[tuple[Role, Role]]:
    """Give the delegations whose keys or threshold the draft changes, before and after; removed ones are meant."""
    parents = {roles.TARGETS: before.targets, **before.delegations}
    for name, file in draft.changed.items():
        for item in parents[name].delegations if name in parents else ():
            was, now = parents[name].role(item.name), file.role(item.name)
            if was is not None and now is not None and was != now:
                yield was, role_of(item.name, draft, before.root)


def _loses_signatures(was: Role, now: Role, before: TrustedRepository) -> bool:
    lost = was.keys.keys() - now.keys.keys()
    signers = {signature.keyid for signature in before.envelopes[now.name].signatures}
    return bool(lost & signers) or not _counts(now, before)


def _counts(role: Role, before: TrustedRepository) -> bool:
    try:
        role.require_threshold(before.envelopes[role.name])
    except MetadataError:
        return False
    return True


def _objection(before: TrustedRepository, stopping: list[str], unsignable: list[str]) -> NotConfirmed:
    tags = _tags_of(before, stopping)
    said = [f"Nobody could sign {name} of {before.gun} any more." for name in unsignable]
    if tags:
        more = f" and {len(tags) - MOST_NAMED} more" if len(tags) > MOST_NAMED else ""
        said.append(f"These tags would stop verifying: {', '.join(tags[:MOST_NAMED])}{more}.")
    elif stopping:
        said.append(f"What {', '.join(stopping)} signed would not count any more.")
    return NotConfirmed(
        " ".join(said),
        next_step="Add another signer first, or say with force that this is meant.",
        tags=tags,
        roles=sorted({*stopping, *unsignable}),
    )


def _tags_of(before: TrustedRepository, stopping: list[str]) -> list[str]:
    """Give the tags that only `releases` releases, if that stops counting."""
    if roles.RELEASES not in stopping:
        return []
    return [tag.tag for tag in before.released() if tag.tag not in before.targets.targets]

"""What a request does to one repository, from the files that were trusted last."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from signing.approvals.custody import require_custody
from signing.approvals.keys import held_ids, keys_for, keys_replacing, keys_used
from signing.approvals.policies import FIELDS, policy_of
from signing.models import Account, ChangeRequest, Key, Policy, Repository, Signer
from signing.trust.errors import CannotSign, InvalidInput, KeyNotHeld, NoTrustData, TrustError
from signing.trust.notary import delegations, tags
from signing.trust.notary.at_hand import KeysAtHand
from signing.trust.notary.changelist import Change
from signing.trust.notary.effects import (
    Effect,
    effect_of_changes,
    effect_of_first,
    effect_of_replacement,
    effect_of_rotation,
)
from signing.trust.notary.gun import Gun
from signing.trust.notary.lines import COME, GONE
from signing.trust.notary.stored import stored_state
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from signing.trust.tuf.keys import PublicKey
from signing.trust.tuf.metadata import Target

Kind = ChangeRequest.Kind
ROTATED = (roles.ROOT, roles.TARGETS, roles.SNAPSHOT)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something cannot be done, and what to do about it."""

    error: TrustError

    @property
    def sentence(self) -> str:
        return self.error.message

    @property
    def next_step(self) -> str:
        return self.error.next_step


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of each repository."""

    kind: str
    signer: Signer | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def by(cls, request: ChangeRequest) -> Asked:
        """Read it from a request."""
        return cls(request.kind, request.signer, request.parameters)


@dataclass(frozen=True, slots=True)
class ItemPreview:
    """What a request does to one repository (None: to the account): the lines, what breaks, or why it cannot be."""

    repository: Repository | None
    lines: tuple[str, ...] = ()
    affected_tags: tuple[str, ...] = ()
    problem: Problem | None = None
    unsignable: tuple[str, ...] = ()
    initialises: bool = False

    @property
    def is_true_already(self) -> bool:
        """Whether there is nothing left to do."""
        return self.problem is None and not self.lines


def preview(asked: Asked, repository: Repository) -> ItemPreview:
    """Work out what carrying it out would sign now."""
    if asked.kind == Kind.CHANGE_POLICY:
        return policy_preview(asked.parameters, repository)
    try:
        state = state_of(repository)
        effect = _EFFECTS[asked.kind](asked, repository, state)
        require_custody(repository, keys_used(asked.kind, repository, asked.signer, effect.lines))
    except TrustError as error:
        return ItemPreview(repository, problem=Problem(error))
    stopping = (asked.parameters["tag"],) if asked.kind == Kind.REVOKE and effect.lines else effect.stopping
    return ItemPreview(repository, effect.lines, stopping, None, effect.unsignable, initialises=state is None)


def policy_preview(parameters: dict[str, Any], thing: Account | Repository) -> ItemPreview:
    """Compare the policy asked for with the one that counts now."""
    lines = policy_lines(policy_values(policy_of(thing)), parameters["policy"])
    return ItemPreview(thing if isinstance(thing, Repository) else None, lines)


def policy_lines(was: dict[str, Any], will: dict[str, Any]) -> tuple[str, ...]:
    """Write what of a policy changes, as lines like those of metadata; what was asked before a field came leaves it."""
    was, will = {**will, **was}, {**was, **will}
    return tuple(
        f"{sign} policy {name} {_word(values[name])}"
        for name in FIELDS
        if was[name] != will[name]
        for sign, values in ((GONE, was), (COME, will))
    )


def policy_values(policy: Policy) -> dict[str, Any]:
    """Give a policy as plain values."""
    return {name: getattr(policy, name) for name in FIELDS}


def state_of(repository: Repository) -> TrustedRepository | None:
    """Open what was trusted last; None where it never had trust data."""
    files = {role: bytes(data) for role, data in repository.metadata.values_list("role", "data")}
    state = stored_state(Gun.parse(repository.gun), files)
    if state is None and repository.administrative_keys:
        raise NoTrustData(
            f"What is trusted of {repository.gun} is not stored here.", next_step="Check the repository now, then ask."
        )
    return state


def public_key_of(signer: Signer) -> PublicKey:
    """Give the key a signer is delegated to with: with its certificate, where it has one."""
    return public_key(signer.key)


def public_key(key: Key) -> PublicKey:
    """Give a key as it is delegated to."""
    return PublicKey.from_pem(key.certificate_pem or key.public_pem)


def _add(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    signer = _signer(asked)
    changes = delegations.adding_signer(signer.name, [public_key_of(signer)])
    if state is not None:
        return _delegating(asked, repository, state, changes)
    root = next((key for key in keys_for(asked.kind, repository, None) if key.purpose == Key.Purpose.ROOT), None)
    if root is None:
        raise KeyNotHeld(
            f"{repository.account} has no root key yet, so {repository.gun} cannot be initialised.",
            next_step="Generate a root key for the account first.",
        )
    return effect_of_first(PublicKey.from_pem(root.public_pem), changes, timezone.now())


def _remove(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    trusted = _existing(repository, state)
    changes = delegations.removing_signer(trusted, _signer(asked).name)
    return _delegating(asked, repository, trusted, changes)


def _delegating(asked: Asked, repository: Repository, state: TrustedRepository, changes: list[Change]) -> Effect:
    held = _held(asked, repository)
    if not held.can_sign(state.root.role(roles.TARGETS)):
        raise KeyNotHeld(
            f"The repository key of {repository.gun} is not on this server, and no holder enrolled it.",
            next_step="Import the repository key of the one who initialised it, or have them enrol its public half.",
        )
    return effect_of_changes(state, changes, held, timezone.now())


def _sign(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    trusted, given = _existing(repository, state), asked.parameters
    held = _held(asked, repository)
    target = Target.from_digest(given["tag"], given["digest"], given["length"])
    try:
        changes = tags.signing(trusted, held, [target])
    except CannotSign as error:
        raise CannotSign(
            f"{_signer(asked).name} may not sign {repository.gun}: its trust data does not list this key.",
            next_step="Request the signer for this repository first; a lead approves it.",
        ) from error
    return effect_of_changes(trusted, changes, held, timezone.now())


def _revoke(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    trusted, held = _existing(repository, state), _held(asked, repository)
    return effect_of_changes(trusted, tags.revoking(trusted, held, [asked.parameters["tag"]]), held, timezone.now())


def _rotate(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    trusted, role = _existing(repository, state), asked.parameters["role"]
    if role not in ROTATED:
        raise InvalidInput(f"{str(role)[:40]!r} cannot be rotated here.", next_step="Choose root, targets or snapshot.")
    _held(asked, repository).require(trusted.root.role(roles.ROOT))
    return effect_of_rotation(trusted, role, timezone.now(), len(asked.parameters.get("keys", ())))


def _replace(asked: Asked, repository: Repository, state: TrustedRepository | None) -> Effect:
    trusted, given = _existing(repository, state), asked.parameters
    keys = keys_replacing(repository, given)
    new = next((key for key in keys if key.key_id == given["new"]), None)
    if new is None:
        raise KeyNotHeld("The key that should come was removed.", next_step="Plan the replacement with another key.")
    held = KeysAtHand(repository.gun, held_ids(keys).__contains__)
    effect = effect_of_replacement(trusted, given["old"], public_key(new), held, timezone.now())
    if effect.lines:
        require_custody(repository, [new])
    return effect


_EFFECTS: dict[str, Callable[[Asked, Repository, TrustedRepository | None], Effect]] = {
    Kind.ADD_SIGNER: _add,
    Kind.REMOVE_SIGNER: _remove,
    Kind.SIGN: _sign,
    Kind.REVOKE: _revoke,
    Kind.ROTATE: _rotate,
    Kind.REPLACE_KEY: _replace,
}


def _held(asked: Asked, repository: Repository) -> KeysAtHand:
    ids = held_ids(keys_for(asked.kind, repository, asked.signer))
    return KeysAtHand(repository.gun, ids.__contains__)


def _existing(repository: Repository, state: TrustedRepository | None) -> TrustedRepository:
    if state is None:
        raise NoTrustData(f"{repository.gun} has no trust data yet.")
    return state


def _signer(asked: Asked) -> Signer:
    if asked.signer is None:
        raise InvalidInput("A signer is needed for this.")
    return asked.signer


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)

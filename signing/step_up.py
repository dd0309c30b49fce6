"""A passkey's word for one decision: this person, this request or thing, exactly this content, once, within minutes.

The challenge is the hash of all of that and a number used once, so an answer cannot be carried over to another
request, to another content of the same one, or to another person's decision. Taking the challenge out of the shared
cache is what makes it count once, whichever web process takes it. The passkeys are allauth's.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth as passkeys
from django.core.cache import cache
from fido2.utils import websafe_encode
from fido2.webauthn import AuthenticationResponse, UserVerificationRequirement

from signing.errors import StepUpRefused
from signing.models import Account, ChangeRequest, Key, User

Thing = ChangeRequest | Key | Account | User
LIFETIME = 120  # seconds: long enough to fetch a key from a drawer
LARGEST_ANSWER = 20_000


@dataclass(frozen=True, slots=True)
class StepUp:
    """What a passkey confirmed."""

    user_pk: int
    place: int | str
    content_hash: str
    passkey: str

    def proves(self, user: User, thing: Thing, content_hash: str) -> bool:
        """Tell whether it was given for exactly this decision."""
        return (self.user_pk, self.place, self.content_hash) == (user.pk, place_of(thing), content_hash)


def place_of(thing: Thing) -> int | str:
    """Name what is decided about: a request by its number, anything else by its kind and number."""
    return thing.pk if isinstance(thing, ChangeRequest) else f"{thing._meta.model_name} {thing.pk}"


def has_passkey(user: User) -> bool:
    """Tell whether a person can confirm anything."""
    return bool(Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN).exists())


def begin(user: User, thing: Thing, content_hash: str) -> dict[str, Any]:
    """Make what the browser gives to the passkey (PublicKeyCredentialRequestOptions), for one answer.

    Raises:
        StepUpRefused: the person has no passkey.
    """
    known = passkeys.get_credentials(user)
    if not known:
        raise StepUpRefused("You have no passkey yet.", next_step="Add one under My sign-in, then confirm again.")
    number = secrets.token_hex(32)
    challenge = _challenge(user.pk, place_of(thing), content_hash, number)
    options, state = passkeys.get_server().authenticate_begin(
        known, user_verification=UserVerificationRequirement.REQUIRED, challenge=challenge
    )
    waiting = {"number": number, "request": place_of(thing), "content": content_hash, "state": state}
    cache.set(_place(user, challenge), waiting, LIFETIME)
    made: dict[str, Any] = dict(options)
    return made


def verify(user: User, thing: Thing, content_hash: str, answer: Mapping[str, Any]) -> StepUp:
    """Check what the passkey answered. Whatever comes of it, its challenge is used up.

    Raises:
        StepUpRefused: it is unreadable, late, answered before, for something else, or no passkey of this person's.
    """
    try:
        read = AuthenticationResponse.from_dict(answer)
    except (TypeError, ValueError, KeyError, AttributeError):
        raise StepUpRefused("The passkey's answer cannot be read.") from None
    challenge = bytes(read.response.client_data.challenge)
    place = _place(user, challenge)
    waiting = cache.get(place)
    if waiting is None or not cache.delete(place):  # of two at the same moment one deletes it
        raise StepUpRefused("That confirmation is too old, or it was used before.")
    if challenge != _challenge(user.pk, place_of(thing), content_hash, waiting["number"]):
        raise StepUpRefused("That confirmation was given for something else.")
    try:
        used = passkeys.get_server().authenticate_complete(waiting["state"], passkeys.get_credentials(user), read)
    except ValueError:
        raise StepUpRefused("That is not the answer of one of your passkeys.") from None
    passkey = passkeys.get_authenticator_by_credential_id(user, used.credential_id)
    if passkey is None:
        raise StepUpRefused("That passkey was removed meanwhile.")
    passkey.record_usage()
    return StepUp(user.pk, place_of(thing), content_hash, str(passkey))


def read_answer(text: str) -> Mapping[str, Any]:
    """Read what a form or a program sent of a passkey's answer.

    Raises:
        StepUpRefused: it is no such thing.
    """
    try:
        answer = json.loads(text) if 0 < len(text) <= LARGEST_ANSWER else None
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise StepUpRefused("The passkey's answer cannot be read.")
    return answer


def _challenge(user_pk: int, place: int | str, content_hash: str, number: str) -> bytes:
    parts = ["trustui step-up 1", str(user_pk), str(place), content_hash, number]
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _place(user: User, challenge: bytes) -> str:
    return f"trustui:step-up:{user.pk}:{websafe_encode(challenge)}"

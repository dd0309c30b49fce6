"""Everything the trust core can refuse, as one tree.

    TrustError
    ├── InvalidInput            what was asked for can never be right
    │   ├── InvalidName             a repository, tag, signer or role name the format forbids
    │   ├── InvalidKey              key material that is malformed, weak or of an unknown kind
    │   ├── WrongSignature          made over other bytes, or with another key
    │   └── NoTag                   the command needs a tag and got none
    ├── MetadataError           what a server or a cache gave does not hold
    │   ├── MalformedMetadata       not the document its role should be
    │   ├── UnmetThreshold          too few of the role's keys signed it
    │   ├── KeyIdMismatch           a key is listed under an id that is not its own
    │   ├── HashMismatch            other bytes than its parent file promised
    │   ├── LengthMismatch          shorter or longer than its parent file promised
    │   ├── ExpiredMetadata         its time is over
    │   ├── Rollback                older than what was seen before
    │   ├── UntrustedRoot           the root of trust does not fit the pinned or remembered one
    │   ├── UnknownDelegation       a role its parent does not list
    │   ├── AlteredRequest          a request to sign that does not say what its bytes do
    │   ├── DamagedArchive          an archive, or a file in it, that is not as it was written
    │   └── MissingVersion          a file that its archive should have and does not
    ├── NotConfirmed            it would break what works now, and nobody said that this is meant
    ├── NotFound                there is nothing under that name
    │   ├── NoTrustData             the repository was never initialised on that server
    │   ├── NoSuchTarget            the tag is not signed
    │   └── NoSuchSigner            no delegation of that name
    ├── KeyStoreError           a private key cannot be used
    │   ├── KeyNotHeld              it is not in this store
    │   ├── WrongPassphrase         it does not open
    │   ├── UnsafeKeyFile           its file may be read by others
    │   ├── TokenUnavailable        the token that holds it does not let us use it
    │   │   ├── WrongPin                it does not take its PIN
    │   │   ├── PinLocked               it takes no PIN any more
    │   │   ├── LastTry                 one more wrong PIN would lock it
    │   │   ├── TokenGone               it is not there, or was pulled
    │   │   └── TokenTooSlow            it did not answer in time
    │   ├── TokenMismatch           what it holds does not belong together
    │   ├── FalseSignature          what came back from where it is held is no signature by it
    │   ├── BoundToToken            it is on a token, which never gives it away
    │   └── CannotSign              no held key may sign the role
    └── ServerError             the trust server did not do what was asked
        ├── ServerUnreachable       no answer, or no TLS connection
        ├── NotAuthorised           it wants other credentials
        ├── BadResponse             an answer that is not Notary's
        │   └── TooLarge                more than was promised, or than this client reads
        ├── VersionConflict         somebody published in between
        └── PublishRejected         it refused the update and says why

Each class has a stable `code` for programs and a default `next_step` for people.
"""

from typing import Self


class TrustError(Exception):
    """Base of the tree: one plain sentence, a stable code and what to do next.

    `message` is text for people and may quote outside text; `detail` holds the same facts for programs.
    """

    code = "trust_error"
    next_step = "Look at the operation's log for the cause, then try again."

    def __init__(self, message: str, *, next_step: str | None = None, **detail: object) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        if next_step is not None:
            self.next_step = next_step

    def advising(self, next_step: str) -> Self:
        """Give the same error with another next step; this one may be shared."""
        fresh = self.__class__.__new__(self.__class__, *self.args)
        fresh.__dict__.update(self.__dict__, next_step=next_step)
        return fresh


class InvalidInput(TrustError):
    """What was asked for can never be right."""

    code = "invalid_input"
    next_step = "Correct the value and send it again."


class InvalidName(InvalidInput):
    """A repository, tag, signer or role name the format forbids."""

    code = "invalid_name"


class InvalidKey(InvalidInput):
    """Key material that is malformed, weak or of an unknown kind."""

    code = "invalid_key"
    next_step = "Use an ECDSA P-256 or RSA (2048 bits or more) key in PEM form."


class WrongSignature(InvalidInput):
    """Made over other bytes, or with another key."""

    code = "wrong_signature"
    next_step = "Fetch the request anew, look at what it signs, and sign those bytes with the key it names."


class NoTag(InvalidInput):
    """The command needs a tag and got none."""

    code = "no_tag"
    next_step = "Name the tag after a colon, for example team/app:1.4.0."


class MetadataError(TrustError):
    """What a server or a cache gave does not hold."""

    code = "metadata_error"
    next_step = "Do not use the image; ask the trust server's administrator what changed."


class MalformedMetadata(MetadataError):
    """Not the document its role should be."""

    code = "malformed_metadata"


class UnmetThreshold(MetadataError):
    """Too few of the role's keys signed it."""

    code = "unmet_threshold"

    def __init__(self, role: str, needed: int, valid: int) -> None:
        super().__init__(
            f"Valid signatures did not meet the threshold for {role}: {valid} of {needed}.",
            role=role,
            needed=needed,
            valid=valid,
        )


class KeyIdMismatch(MetadataError):
    """A key is listed under an id that is not its own."""

    code = "key_id_mismatch"


class HashMismatch(MetadataError):
    """Other bytes than its parent file promised."""

    code = "hash_mismatch"


class LengthMismatch(MetadataError):
    """Shorter or longer than its parent file promised."""

    code = "length_mismatch"


class ExpiredMetadata(MetadataError):
    """Its time is over."""

    code = "expired_metadata"
    next_step = "Ask a key holder of the role to sign it again."


class Rollback(MetadataError):
    """Older than what was seen before."""

    code = "rollback"
    next_step = "Do not use the image: the server shows older data than before. Ask its administrator why."


class UntrustedRoot(MetadataError):
    """The root of trust does not fit the pinned or remembered one."""

    code = "untrusted_root"
    next_step = "Compare the root key's fingerprint with its owner before you trust it again."


class UnknownDelegation(MetadataError):
    """A role its parent does not list."""

    code = "unknown_delegation"


class AlteredRequest(MetadataError):
    """A request to sign that does not say what its bytes do, or does not follow what is trusted."""

    code = "altered_request"
    next_step = "Do not sign it. Fetch it anew; if it stays so, tell an administrator of the dashboard."


class DamagedArchive(MetadataError):
    """An archive, or a file in it, that is not as it was written."""

    code = "damaged_archive"
    next_step = "Take the archive from another copy; what is named here cannot be relied on."


class MissingVersion(MetadataError):
    """A file that its archive should have and does not."""

    code = "missing_version"
    next_step = "Take the archive from another copy, or run `trustctl archive take` again while the server is there."


class NotConfirmed(TrustError):
    """It would break what works now, and nobody said that this is meant."""

    code = "not_confirmed"
    next_step = "Say explicitly that this is meant, or change something else first."


class NotFound(TrustError):
    """There is nothing under that name."""

    code = "not_found"


class NoTrustData(NotFound):
    """The repository was never initialised on that server."""

    code = "no_trust_data"
    next_step = "Add a first signer: that initialises the repository."


class NoSuchTarget(NotFound):
    """The tag is not signed."""

    code = "no_such_target"
    next_step = "Sign the tag, or choose one that is signed."


class NoSuchSigner(NotFound):
    """No delegation of that name."""

    code = "no_such_signer"
    next_step = "Request the signer first; a lead approves it."


class KeyStoreError(TrustError):
    """A private key cannot be used."""

    code = "key_store_error"


class KeyNotHeld(KeyStoreError):
    """It is not in this store."""

    code = "key_not_held"
    next_step = "Import the key, or ask its holder to do this step."


class WrongPassphrase(KeyStoreError):
    """It does not open."""

    code = "wrong_passphrase"
    next_step = "Type the key's passphrase again."


class UnsafeKeyFile(KeyStoreError):
    """Its file may be read by others."""

    code = "unsafe_key_file"
    next_step = "Make the file readable by you alone (chmod 600), then try again."


class TokenUnavailable(KeyStoreError):
    """The token that holds it does not let us use it."""

    code = "token_unavailable"
    next_step = "Check the token, the path of its module, its label and its PIN, then try again."


class WrongPin(TokenUnavailable):
    """It does not take its PIN."""

    code = "wrong_pin"
    next_step = "Type the PIN again, with care: it is tried once each time, and tokens lock themselves after a few."


class PinLocked(TokenUnavailable):
    """It takes no PIN any more."""

    code = "pin_locked"
    next_step = "Unlock it with its maker's program and the PIN of its security officer (SO PIN), then try again."


class LastTry(TokenUnavailable):
    """One more wrong PIN would lock it."""

    code = "last_try"
    next_step = "Check the PIN with its maker's program first; or try again and say that it is meant."


class TokenGone(TokenUnavailable):
    """It is not there, or was pulled."""

    code = "token_gone"
    next_step = "Put the token back where the signing worker runs, then try again."


class TokenTooSlow(TokenUnavailable):
    """It did not answer in time."""

    code = "token_too_slow"
    next_step = "Check the token and its connection, then try again; nothing was signed with it."


class TokenMismatch(KeyStoreError):
    """What it holds does not belong together."""

    code = "token_mismatch"
    next_step = "Look at the objects on the token with its maker's program, and enrol the key that is meant."


class FalseSignature(KeyStoreError):
    """What came back from where it is held is no signature by it."""

    code = "false_signature"
    next_step = "Nothing was published. Check that the place still holds this very key, then try again."


class BoundToToken(KeyStoreError):
    """It is on a token, which never gives it away."""

    code = "bound_to_token"
    next_step = "Make a new key where it is needed, and rotate to it."


class CannotSign(KeyStoreError):
    """No held key may sign the role."""

    code = "cannot_sign"
    next_step = "Ask for the signer to be added to this repository; a lead approves it."


class ServerError(TrustError):
    """The trust server did not do what was asked."""

    code = "server_error"


class ServerUnreachable(ServerError):
    """No answer, or no TLS connection."""

    code = "server_unreachable"
    next_step = "Check the trust server's address, its certificate and that it runs, then try again."


class NotAuthorised(ServerError):
    """It wants other credentials."""

    code = "not_authorised"
    next_step = "Check the user name and password stored for this trust server."


class BadResponse(ServerError):
    """An answer that is not Notary's."""

    code = "bad_response"
    next_step = "Check that the address is a Notary v1 trust server."


class TooLarge(BadResponse):
    """More than was promised, or than this client reads."""

    code = "too_large"


class VersionConflict(ServerError):
    """Somebody published in between."""

    code = "version_conflict"
    next_step = "Somebody published at the same time; try again."


class PublishRejected(ServerError):
    """It refused the update and says why."""

    code = "publish_rejected"

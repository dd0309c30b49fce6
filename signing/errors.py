"""What the dashboard and its workers can refuse, as one more branch of the trust core's tree.

    TrustError                  see signing.trust.errors
    ├── NotAllowed              this person may not do that
    │   └── StepUpRefused           a passkey has to confirm it, and did not
    ├── Conflict                it does not fit what is already there
    │   ├── TooLate                 the time for it has passed: decided, finished or expired
    │   ├── StaleApproval           it would do something else now than what was shown
    │   ├── CustodyRefused          the policy refuses keys of that custody class
    │   └── WouldLockOut            nobody could sign a role any more
    ├── NotAsApproved           what would be signed, or was, is not what was approved
    ├── Frozen                  a key, an account or a person is frozen, so nothing is signed
    ├── SecretError             a sealed secret cannot be used
    │   ├── SecretGone              it expired or was used up
    │   └── CannotUnseal            it was sealed to another key, or moved
    ├── KeyStoreError               see signing.trust.errors; of sealed keys:
    │   ├── UnknownMasterKey        it is under a master key this worker does not have
    │   ├── MisplacedEnvelope       it was changed, or belongs to another row
    │   ├── OldEnvelope             an envelope that had been replaced was put back
    │   ├── WeakEnvelope            its passphrase could be tried out too cheaply
    │   └── KeyServiceError         a key service did not do what was asked
    │       ├── KeyServiceUnreachable   no answer, no TLS connection, or no credentials for it
    │       ├── KeyServiceDenied        it says no
    │       ├── BadKeyServiceAnswer     an answer that is not its own
    │       ├── KeyIsExportable         the key could be taken out of it
    │       └── KeyNotForRepository     the key's own list has not this repository
    ├── WebhookRefused          a webhook's address does not take it, or may not be used
    ├── EngineError             the Docker Engine did not do what was asked
    │   ├── NoEngine                it does not answer on its socket
    │   ├── UnknownImage            no image of that name, here or in the registry
    │   ├── TransferFailed          a pull, push or import broke off
    │   └── RegistryUnreachable, RegistryLoginNeeded, RegistryDenied, DiskFull    (see below)
    └── RegistryError           the registry did not do what was asked
        ├── RegistryUnreachable     no answer, no TLS connection or no such host      (also an EngineError)
        ├── RegistryLoginNeeded     it wants a user name and password, or better ones (also an EngineError)
        ├── RegistryDenied          it knows us and still says no                     (also an EngineError)
        ├── DiskFull                no space left where it, or the Engine, keeps images (also an EngineError)
        ├── RegistryRefused         it refused what was sent and says why
        └── BadRegistryAnswer       an answer that is not a registry's, or other bytes than were asked for

A registry's refusal is the same fact whether it arrives through the Engine or directly, so it is one class
and belongs to both branches.
"""

from signing.trust.errors import KeyStoreError, TrustError


class NotAllowed(TrustError):
    code = "not_allowed"
    next_step = "Ask a lead of the account, or an administrator, to do this or to give you the right."


class StepUpRefused(NotAllowed):
    code = "step_up_refused"
    next_step = "Confirm it anew with a passkey of yours."


class Conflict(TrustError):
    code = "conflict"
    next_step = "Reload the page to see what is there now, then decide again."


class TooLate(Conflict):
    code = "too_late"
    next_step = "Reload the page to see how it ended; start anew if it is still needed."


class StaleApproval(Conflict):
    code = "stale_approval"
    next_step = "Read what it would do now, then decide again."


class CustodyRefused(Conflict):
    code = "custody_refused"
    next_step = "Sign with a key of another custody class, or ask for another policy; another lead decides."


class WouldLockOut(Conflict):
    code = "would_lock_out"
    next_step = "Let another signer in first, then ask again."


class NotAsApproved(TrustError):
    code = "not_as_approved"
    next_step = "Renew the request: it then shows what would be signed now, and is approved anew."


class Frozen(TrustError):
    code = "frozen"
    next_step = "Ask an administrator why. It goes on once the freeze is lifted or the key is replaced."


class SecretError(TrustError):
    code = "secret_error"


class SecretGone(SecretError):
    code = "secret_gone"
    next_step = "Try again and type the passphrase anew; it is kept for 15 minutes and used once."


class CannotUnseal(SecretError):
    code = "cannot_unseal"
    next_step = "Check that the worker has the key it had when the secret was stored, then store the secret again."


class UnknownMasterKey(KeyStoreError):
    code = "unknown_master_key"
    next_step = "Give the signing worker the master key it had when the key was stored (PREVIOUS_MASTER_KEYS)."


class MisplacedEnvelope(KeyStoreError):
    code = "misplaced_envelope"
    next_step = "Somebody may have changed the database: compare it with a backup, and check the audit log."


class OldEnvelope(KeyStoreError):
    code = "old_envelope"
    next_step = "Somebody may have changed the database: check the audit log before anybody uses this key."


class WeakEnvelope(KeyStoreError):
    code = "weak_envelope"
    next_step = "Store the key anew from its file; if nobody here did this, check the audit log first."


class KeyServiceError(KeyStoreError):
    code = "key_service_error"


class KeyServiceUnreachable(KeyServiceError):
    code = "key_service_unreachable"
    next_step = "Check the key service and the signing worker's settings for it, then try again; nothing was signed."


class KeyServiceDenied(KeyServiceError):
    code = "key_service_denied"
    next_step = "Let the signing worker's identity there read this key's public half and sign with it, then try again."


class BadKeyServiceAnswer(KeyServiceError):
    code = "bad_key_service_answer"
    next_step = "Check that the address is the key service's and that no proxy changes its answers; nothing was signed."


class KeyIsExportable(KeyServiceError):
    code = "key_is_exportable"
    next_step = "Make a key that cannot be exported or backed up in the clear, and enrol that one."


class KeyNotForRepository(KeyServiceError):
    code = "key_not_for_repository"
    next_step = "Ask a lead of the account to change what the key may sign, or use another key."


class WebhookRefused(TrustError):
    code = "webhook_refused"
    next_step = "Check the webhook's address and its receiver."


class EngineError(TrustError):
    code = "engine_error"
    next_step = "Look at the Docker Engine's own log for the cause, then try again."


class NoEngine(EngineError):
    code = "no_engine"
    next_step = "Start the Docker Engine, or set DOCKER_HOST to the one to use, then try again."


class UnknownImage(EngineError):
    code = "unknown_image"
    next_step = "Check the image's name and tag, and that your login may see it."


class TransferFailed(EngineError):
    code = "transfer_failed"
    next_step = "Try again; layers that arrived are not sent twice."


class RegistryError(TrustError):
    code = "registry_error"
    next_step = "Look at the registry's own log for the cause, then try again."


class RegistryUnreachable(RegistryError, EngineError):
    code = "registry_unreachable"
    next_step = "Check the registry's address and that it runs, then try again."


class RegistryLoginNeeded(RegistryError, EngineError):
    code = "registry_login_needed"
    next_step = "Check the registry user name and password stored for the account."


class RegistryDenied(RegistryError, EngineError):
    code = "registry_denied"
    next_step = "Ask the registry's administrator for the right to use this repository."


class DiskFull(RegistryError, EngineError):
    code = "disk_full"
    next_step = "Free some space (docker image prune removes unused images), then try again."


class RegistryRefused(RegistryError):
    code = "registry_refused"


class BadRegistryAnswer(RegistryError):
    code = "bad_registry_answer"
    next_step = "Check that the address is a registry (API version 2) and that no proxy changes its answers."

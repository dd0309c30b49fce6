"""Copy repositories into the built-in trust server and out of it, in the signing worker.

That worker has what this takes: logins of trust servers, sealed root keys, and the trust server's master secret. No
other worker has the trust server's tables, so its code is imported when there is work for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from django.conf import settings

from signing import queue, wiring
from signing.adapters.held_keys import held_keys
from signing.adapters.unsealing import take_secrets
from signing.errors import SecretGone
from signing.jobs.run import Run, perform
from signing.models import TrustServer
from signing.trust.errors import InvalidInput, KeyStoreError, TrustError
from signing.trust.keystore.base import PrivateKey

if TYPE_CHECKING:
    from signing.server.importing import Imported, Keys
    from signing.server.signer_database import SignerDatabase


def import_trust(operation_id: int) -> None:
    """Copy repositories from another trust server."""
    perform(queue.IMPORT_TRUST, operation_id, _import)


def export_trust(operation_id: int) -> None:
    """Write repositories into a notary-server's databases."""
    perform(queue.EXPORT_TRUST, operation_id, _export)


def _import(run: Run) -> None:
    from signing.server.importing import NoKeys, import_repository, take_over

    secrets, parameters = _secrets(run), run.operation.parameters
    keys: Keys = _signer(secrets) if parameters["way"] == "signer" else NoKeys()
    root_key = _root_key(run, secrets) if parameters["way"] == "root" else None
    with wiring.transport_for(_source(parameters["source"])) as source:

        def copy(gun: str) -> str:
            imported = import_repository(gun, source, keys, _progress(run, gun))
            if root_key is not None and imported.is_mirror:
                take_over(gun, root_key)
                return f"{imported.versions} new versions; a new root names this server's keys."
            return f"{imported.versions} new versions; {_outcome(imported)}"

        _each(run, copy)


def _export(run: Run) -> None:
    from signing.server.exporting import export_repository

    secrets = _secrets(run)
    signer = _signer(secrets, run.operation.parameters["alias"])

    def copy(gun: str) -> str:
        run.keep_alive()
        count = export_repository(gun, secrets["server_database"], signer)
        return f"{count} versions. Publish there only from now on."

    _each(run, copy)


def _each(run: Run, copy: Callable[[str], str]) -> None:
    """Do it for each repository; one that fails holds up no other.

    Raises:
        InvalidInput: some failed; the log says which and why.
    """
    failed: list[str] = []
    guns: Sequence[str] = run.operation.parameters["guns"]
    for gun in guns:
        try:
            run.say(f"{gun}: {copy(gun)}")
        except TrustError as error:
            failed.append(gun)
            run.say(f"{gun}: {error.message} {error.next_step}".strip())
    run.result["failed"] = failed
    if failed:
        raise InvalidInput(
            f"{len(failed)} of {len(guns)} repositories were not copied: {', '.join(failed[:5])}.",
            next_step="The log says why. What was copied stays; start anew for the others.",
        )


def _progress(run: Run, gun: str) -> Callable[[str, int, int], None]:
    """Show each role of a repository as one transfer, by the repository's number in the list."""
    number = run.operation.parameters["guns"].index(gun) + 1

    def note(role: str, done: int, total: int) -> None:
        run.progress(f"{number}: {role}", queue.VERSIONS, done, total)

    return note


def _outcome(imported: Imported) -> str:
    if imported.is_mirror:
        return "a mirror: readable until the copied timestamp expires, closed for publishing."
    return f"this server signs {' and '.join(imported.signs)} from now on. Publish here only."


def _secrets(run: Run) -> dict[str, str]:
    """Take what came sealed along.

    Raises:
        KeyStoreError: this worker cannot keep the keys of the trust server.
    """
    if not settings.TRUST_SERVER_MASTER_KEY:
        raise KeyStoreError(
            "This worker was not given the trust server's master secret.",
            next_step="Set TRUST_SERVER_MASTER_KEY_FILE for the signing worker, or run manage.py importnotary.",
        )
    return take_secrets(run.operation)


def _signer(secrets: dict[str, str], alias: str = "") -> SignerDatabase:
    from signing.server.signer_database import SignerDatabase

    if not {"signer_database", "passphrase"} <= secrets.keys():
        raise SecretGone("The signer's database and passphrase are not here any more.", next_step="Start it anew.")
    return SignerDatabase(secrets["signer_database"], secrets["passphrase"], alias)


def _root_key(run: Run, secrets: dict[str, str]) -> PrivateKey:
    key = run.operation.key
    if key is None:
        raise InvalidInput("The root key was removed meanwhile.", next_step="Start it anew with another way.")
    return held_keys(key.account, [key], secrets).open(key.key_id)


def _source(name: str) -> TrustServer:
    source = TrustServer.objects.filter(name=name).first()
    if source is None:
        raise InvalidInput(f"The trust server {name} was removed meanwhile.", next_step="Start it anew.")
    return source

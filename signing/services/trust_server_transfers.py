"""Bring repositories from another trust server into the built-in one, and give them back, by the signing worker.

What opens keys or databases passes through sealed. The work itself is `signing.jobs.transfers`.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.db import transaction

from signing.errors import Conflict
from signing.models import Key, Operation, TrustServer, User
from signing.permissions import require
from signing.selectors.trust_server_contents import is_readable
from signing.services import audit
from signing.services.work import start_operation
from signing.trust.errors import InvalidInput
from signing.trust.notary.gun import Gun

MOST_GUNS = 200
MIRROR, SIGNER, ROOT = "mirror", "signer", "root"
WAYS = (MIRROR, SIGNER, ROOT)


@transaction.atomic
def import_repositories(
    *,
    actor: User,
    source: TrustServer,
    guns: Sequence[str],
    way: str = MIRROR,
    signer_database: str = "",
    signer_passphrase: str = "",
    root_key: Key | None = None,
    root_passphrase: str = "",
) -> Operation:
    """Have every version of these repositories copied, byte for byte.

    `way` says how this server comes to sign for them: not at all ("mirror"), with the keys of the other's signer
    ("signer": its database and what they open with), or with keys that a new root names ("root": a root key that is
    sealed here). Running it again copies what came since.

    Raises:
        InvalidInput: a name that is none, or something the way needs is missing.
        Conflict: the built-in server's data lie in another database.
    """
    _authorise(actor)
    guns = _checked(guns)
    if source.is_builtin:
        raise InvalidInput("This is the built-in server itself.", next_step="Choose the server to copy from.")
    secrets: dict[str, str] = {}
    if way == SIGNER:
        secrets = {"signer_database": _database(signer_database), "passphrase": _given(signer_passphrase)}
    elif way == ROOT:
        secrets = _root_secret(root_key, root_passphrase)
    elif way != MIRROR:
        raise InvalidInput(f"{way[:20]!r} is no way to import.", next_step=f"Choose among {', '.join(WAYS)}.")
    operation = start_operation(
        Operation.Kind.IMPORT_TRUST,
        actor=actor,
        account=None,
        key=root_key if way == ROOT else None,
        parameters={"source": source.name, "guns": guns, "way": way},
        secrets=secrets,
    )
    _record(actor, "import_repositories", operation, guns, source=source.name, way=way)
    return operation


@transaction.atomic
def export_repositories(
    *,
    actor: User,
    guns: Sequence[str],
    server_database: str,
    signer_database: str,
    signer_alias: str,
    signer_passphrase: str,
) -> Operation:
    """Have these repositories written into the two databases of a notary-server that is stopped, keys included.

    Raises:
        InvalidInput: a name that is none, or an address that is no PostgreSQL database's.
        Conflict: the built-in server's data lie in another database.
    """
    _authorise(actor)
    guns = _checked(guns)
    if not signer_alias.strip():
        raise InvalidInput("The signer's default alias is needed.", next_step="It is in notary-signer's configuration.")
    secrets = {
        "server_database": _database(server_database),
        "signer_database": _database(signer_database),
        "passphrase": _given(signer_passphrase),
    }
    parameters = {"guns": guns, "alias": signer_alias.strip()}
    operation = start_operation(
        Operation.Kind.EXPORT_TRUST, actor=actor, account=None, parameters=parameters, secrets=secrets
    )
    _record(actor, "export_repositories", operation, guns)
    return operation


def _authorise(actor: User) -> None:
    require(actor, "manage_trust_servers")
    if not is_readable():
        raise Conflict(
            "The built-in server keeps its data in another database than the dashboard.",
            next_step="Run manage.py importnotary or exportnotary where that server runs.",
        )


def _checked(guns: Sequence[str]) -> list[str]:
    found = list(dict.fromkeys(str(Gun.parse(gun.strip())) for gun in guns if gun.strip()))
    if not 0 < len(found) <= MOST_GUNS:
        raise InvalidInput(
            f"Between 1 and {MOST_GUNS} repositories go at a time.", next_step="Name them one a line, with their host."
        )
    return found


def _database(url: str) -> str:
    """Take PostgreSQL only: what MySQL's signer holds, no program here reads."""
    url = url.strip()
    if urlsplit(url).scheme not in ("postgres", "postgresql"):
        raise InvalidInput(
            "A database of notary's is named as postgres://USER:PASSWORD@HOST/NAME.",
            next_step="For a signer on MySQL, import with a root key: it needs no signer's database.",
        )
    return url


def _given(passphrase: str) -> str:
    if not passphrase:
        raise InvalidInput("The passphrase of the signer's keys is needed.", next_step="It is NOTARY_SIGNER_<ALIAS>.")
    return passphrase


def _root_secret(key: Key | None, passphrase: str) -> dict[str, str]:
    if key is None or key.purpose != Key.Purpose.ROOT or key.custody != Key.Custody.SEALED:
        raise InvalidInput(
            "A root key that is sealed on this server is needed.",
            next_step="Import the repositories' root key first, or choose another way.",
        )
    if not key.asks_passphrase:
        return {}
    if not passphrase:
        raise InvalidInput(f"The passphrase of the key {key.name} is needed.", next_step="Type the key's passphrase.")
    return {"root": passphrase}


def _record(actor: User, action: str, operation: Operation, guns: Sequence[str], **detail: str) -> None:
    subject = guns[0] if len(guns) == 1 else f"{len(guns)} repositories"
    audit.record(actor, action, account=None, subject=subject, guns=list(guns), operation=operation.pk, **detail)

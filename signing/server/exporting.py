"""Give repositories back to a notary-server: every version we have, and the keys that sign for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg

from signing.server import reading
from signing.server.models import MetadataFile
from signing.server.online_keys import OnlineKeys
from signing.server.signer_database import SignerDatabase
from signing.trust.errors import InvalidInput, NoTrustData
from signing.trust.tuf import roles
from signing.trust.tuf.metadata import Envelope, Root


def export_repository(gun: str, server_database: str, signer: SignerDatabase) -> int:
    """Write one repository into the two databases of notary's, and give how many versions there are.

    Raises:
        InvalidInput: it is there already, or a database does not answer.
        NoTrustData: it is not here.
    """
    root = reading.current(gun, roles.ROOT)
    if root is None:
        raise NoTrustData(f"There is no trust data for {gun} here.", gun=gun)
    named = Root.from_signed(Envelope.parse(root.data).signed).roles
    for role in (roles.SNAPSHOT, roles.TIMESTAMP):
        signer.add(gun, role, OnlineKeys(gun).open(role, named[role].keyids))
    places = list(MetadataFile.objects.filter(gun=gun).order_by("role", "version").values_list("role", "version"))
    try:
        with psycopg.connect(server_database) as connection:
            _copy(connection, gun, places)
    except psycopg.Error as error:
        raise InvalidInput(f"notary-server's database does not take {gun}: {error}") from None
    return len(places)


def _copy(connection: psycopg.Connection[Any], gun: str, places: Iterable[tuple[str, int]]) -> None:
    if connection.execute("SELECT 1 FROM tuf_files WHERE gun = %s LIMIT 1", (gun,)).fetchone():
        raise InvalidInput(f"{gun} is there already.", next_step="Delete it there first: notary delete GUN --remote.")
    for role, version in places:
        file = reading.by_version(gun, role, version)
        if file is None:
            continue  # its time of retention ended just now
        connection.execute(
            "INSERT INTO tuf_files (created_at, updated_at, gun, role, version, data, sha256)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (file.created_at, file.created_at, gun, role, version, file.data, file.sha256),
        )
        if role == roles.TIMESTAMP:
            connection.execute(
                "INSERT INTO changefeed (created_at, gun, version, sha256, category) VALUES (%s, %s, %s, %s, 'update')",
                (file.created_at, gun, version, file.sha256),
            )

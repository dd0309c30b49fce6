"""The newest files of one GUN as an update finds them, and the transaction that puts the next ones in their place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from signing.server import forms, reading, writing
from signing.server.current_files import CurrentSet, StoredFile, memory
from signing.server.models import Change, new_state
from signing.server.online_keys import OnlineKeys
from signing.trust.notary.known_files import KnownFile
from signing.trust.notary.server_made import AcceptedFile
from signing.trust.tuf import roles


class LostRace(Exception):
    """Somebody else changed the GUN since it was read."""


class NewestFiles:
    """The newest files of one GUN in one state of it, for acceptance.

    Unless it `is_asking` the database, what is remembered counts as the newest; `store` finds out whether it was.
    """

    def __init__(self, gun: str, *, is_asking: bool = True) -> None:
        self._gun = gun
        remembered = None if is_asking else memory.get(gun)
        self.is_asked = remembered is None
        newest = remembered or reading.newest_set(gun)
        self.state = newest.state if newest else None
        self.stored: dict[str, StoredFile | None] = dict(newest.files) if newest else {}

    def file(self, role: str) -> KnownFile | None:
        """Give a role's file.

        Raises:
            LostRace: the GUN is in another state by now.
        """
        found = self.find(role)
        return found.known if found else None

    def version(self, role: str) -> int:
        """Give a role's version, 0 where nothing is stored; raises as `file` does."""
        found = self.find(role)
        return found.version if found else 0

    def find(self, role: str) -> StoredFile | None:
        """Give all that is stored of a role's newest version; raises as `file` does."""
        if self.state is None:
            return None
        if role not in self.stored:
            state, found = reading.load(self._gun, role)
            if state is None:  # there was no row to tell it
                state = reading.state_of(self._gun)
            if state != self.state:
                raise LostRace
            self.stored[role] = found
        return self.stored[role]

    def store(self, files: Sequence[AcceptedFile], keys: OnlineKeys, now: datetime) -> None:
        """Add the files that were made on this state, or change nothing.

        Raises:
            LostRace: the GUN is in another state by now.
        """
        rows = [self._row(file, now) for file in files]
        newest = {role: found for role, found in self.stored.items() if found}
        newest |= {row.role: _stored(row, file, newest.get(row.role)) for row, file in zip(rows, files, strict=True)}
        state = new_state()
        timestamp = newest[roles.TIMESTAMP]
        change = writing.ChangeRow(self._gun, timestamp.version, timestamp.sha256, Change.Category.UPDATE.value, now)
        step = writing.Step(self._gun, self.state, state, _renewal(newest), rows, change)
        try:
            if not keys.are_used_for_the_first_time and writing.is_one_statement(step):
                if not writing.move_on_at_once(step):
                    raise LostRace
            else:
                with transaction.atomic():
                    if not writing.move_on(step):
                        raise LostRace
                    keys.mark_used(now)
        except IntegrityError:
            raise LostRace from None
        memory.put(self._gun, CurrentSet(state, newest))

    def _row(self, file: AcceptedFile, now: datetime) -> writing.Row:
        before = self.stored.get(file.role)
        written = forms.write(file.data, file.version, before.base if before else None)
        return writing.Row(
            gun=self._gun,
            role=file.role,
            version=file.version,
            sha256=hashlib.sha256(file.data).hexdigest(),
            form=int(written.form),
            base_version=written.base_version,
            data=written.data,
            renew_at=file.renew_at,
            created_at=now,
        )


def _stored(row: writing.Row, file: AcceptedFile, before: StoredFile | None) -> StoredFile:
    """Give a row just written as it would be read."""
    if row.form == forms.Form.DELTA:
        base = before.base if before else None
    else:
        base = forms.Base(row.version, file.data, len(row.data))
    known = KnownFile.of(file)
    return StoredFile(row.role, row.version, row.sha256, file.data, row.created_at, row.renew_at, base, known)


def _renewal(newest: Mapping[str, StoredFile]) -> datetime | None:
    """Tell when the first of the server's own files has to be renewed."""
    moments = [newest[role].renew_at for role in (roles.SNAPSHOT, roles.TIMESTAMP) if role in newest]
    return min((moment for moment in moments if moment is not None), default=None)

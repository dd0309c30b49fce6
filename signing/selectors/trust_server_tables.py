"""The trust server's tables as the dashboard reads them, where both use one database.

The models of the trust server are code of the key side. These stand in for them: the same tables, only the columns a
page shows, in a registry of their own, so that Django makes no migrations for them. A test compares them with the
originals. Nothing here writes.
"""

from __future__ import annotations

from typing import ClassVar

from django.apps.registry import Apps
from django.db import connection, models

_apart = Apps()


class StoredRepository(models.Model):
    """One GUN that has trust data."""

    gun = models.CharField(max_length=255)

    objects: ClassVar[models.Manager[StoredRepository]] = models.Manager()

    class Meta:
        apps = _apart
        app_label = "trust_server"
        db_table = "trust_server_collection"
        managed = False

    def __str__(self) -> str:
        return self.gun


class StoredVersion(models.Model):
    """One version of one role's file, without the keys' side of it."""

    gun = models.CharField(max_length=255)
    role = models.CharField(max_length=255)
    version = models.BigIntegerField()
    data = models.BinaryField()
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager[StoredVersion]] = models.Manager()

    class Meta:
        apps = _apart
        app_label = "trust_server"
        db_table = "trust_server_metadatafile"
        managed = False

    def __str__(self) -> str:
        return f"{self.gun} {self.role} {self.version}"


class StoredChange(models.Model):
    """One row of the changefeed."""

    gun = models.CharField(max_length=255)
    version = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    category = models.CharField(max_length=16)
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager[StoredChange]] = models.Manager()

    class Meta:
        apps = _apart
        app_label = "trust_server"
        db_table = "trust_server_change"
        managed = False

    def __str__(self) -> str:
        return f"{self.category} of {self.gun}"


def are_here() -> bool:
    """Tell whether the built-in trust server keeps its tables in this database."""
    names = set(connection.introspection.table_names())
    return {model._meta.db_table for model in (StoredRepository, StoredVersion, StoredChange)} <= names

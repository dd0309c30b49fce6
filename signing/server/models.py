"""What the trust server stores. Rows of metadata are never changed, only added and deleted."""

from __future__ import annotations

import secrets

from django.db import models

LONGEST_NAME = 255


def new_state() -> int:
    """Name a state that never was before.

    At random, because a counter goes back when a backup is restored, and processes that run on would take what they
    remember for what is stored.
    """
    return secrets.randbits(62)


class Collection(models.Model):
    """One GUN that has trust data. `state` is another with every change: a lost race shows, and what is out of date."""

    gun = models.CharField(max_length=LONGEST_NAME, unique=True)
    state = models.BigIntegerField(default=new_state)
    renew_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return self.gun


class MetadataFile(models.Model):
    """One version of one role's file. `data` is written in one of three forms: `signing.server.forms` reads it."""

    class Form(models.IntegerChoices):
        PLAIN = 0
        PACKED = 1
        DELTA = 2

    gun = models.CharField(max_length=LONGEST_NAME)
    role = models.CharField(max_length=LONGEST_NAME)
    version = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    form = models.SmallIntegerField(choices=Form.choices, default=Form.PLAIN, db_default=Form.PLAIN)
    base_version = models.BigIntegerField(null=True)
    data = models.BinaryField()
    renew_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("gun", "role", "version"), name="one_file_per_version"),)
        indexes = (models.Index(fields=("gun", "role", "sha256"), name="file_by_hash"),)

    def __str__(self) -> str:
        return f"{self.gun} {self.role} {self.version}"


class OnlineKey(models.Model):
    """A private key of the server for one GUN and role, sealed; unused ones wait for a root that names them.

    Keys stay when their GUN is deleted: a client may publish its old root again.
    """

    gun = models.CharField(max_length=LONGEST_NAME)
    role = models.CharField(max_length=LONGEST_NAME)
    key_id = models.CharField(max_length=64, unique=True)
    keytype = models.CharField(max_length=16)
    public = models.BinaryField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField()
    first_used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("gun", "role"), name="key_by_role"),)

    def __str__(self) -> str:
        return f"{self.gun} {self.role} {self.key_id[:12]}"


class Change(models.Model):
    """One row of the changefeed: a publish, a renewed timestamp or a deletion."""

    class Category(models.TextChoices):
        UPDATE = "update"
        DELETION = "deletion"

    gun = models.CharField(max_length=LONGEST_NAME, db_index=True)
    version = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, blank=True)
    category = models.CharField(max_length=16, choices=Category.choices)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.category} of {self.gun}"

"""What the trust server stores. Rows of metadata are never changed, only added and, with the whole GUN, deleted."""

from __future__ import annotations

from django.db import models

LONGEST_NAME = 255


class Collection(models.Model):
    """One GUN that has trust data; `generation` rises with every change, so that a lost race shows."""

    gun = models.CharField(max_length=LONGEST_NAME, unique=True)
    generation = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return self.gun


class MetadataFile(models.Model):
    """One version of one role's file: the bytes as they were uploaded or made."""

    gun = models.CharField(max_length=LONGEST_NAME)
    role = models.CharField(max_length=LONGEST_NAME)
    version = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
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

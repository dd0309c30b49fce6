"""Repositories and what their trust data said when it last verified."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone

from signing.models.accounts import Account


class Repository(models.Model):
    """One GUN and the newest state of its trust data that verified.

    `verdict` and the columns under it are written by the signing worker only; pages read them and never
    a network.
    """

    class Verdict(models.TextChoices):
        UNCHECKED = "unchecked", "Not checked yet"
        VERIFIED = "verified", "Verified"
        UNSIGNED = "unsigned", "Unsigned"
        EXPIRED = "expired", "Expired"
        UNKNOWN_KEY = "unknown_key", "Unknown key"
        UNREACHABLE = "unreachable", "Trust server not reached"
        BROKEN = "broken", "Does not verify"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="repositories")
    gun = models.CharField(max_length=255, unique=True)
    description = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    verdict = models.CharField(max_length=16, choices=Verdict.choices, default=Verdict.UNCHECKED)
    reason = models.TextField(blank=True, help_text="why it is not verified, one sentence")
    reason_code = models.CharField(
        db_default="", default="", max_length=64, blank=True, help_text="the stable code of the reason"
    )
    next_step = models.TextField(blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="last attempt")
    verified_at = models.DateTimeField(null=True, blank=True, help_text="last attempt that verified")
    signers = models.JSONField(default=list, help_text='[{"name", "keys": [canonical id]}] in delegation order')
    administrative_keys = models.JSONField(default=dict, help_text='{"root": [TUF id], "repository": [TUF id]}')
    roles = models.JSONField(default=list, help_text='[{"role", "version", "expires", "threshold", "keys"}]')
    left_out = models.JSONField(default=dict, help_text="{delegation: why it was left out}")
    registry_checked_at = models.DateTimeField(null=True, blank=True, help_text="when its registry last answered")
    registry_reason = models.TextField(
        db_default="", default="", blank=True, help_text="why the registry's digests are not known, one sentence"
    )
    state_version = models.PositiveBigIntegerField(
        db_default=0, default=0, help_text="counts every change of what pages show of it: the heart of their ETag"
    )
    next_check_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="when its trust server is asked again; none: at once"
    )
    next_registry_check_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="when its registry is asked again; none: at once"
    )
    accepted = models.JSONField(
        null=True,
        blank=True,
        help_text='{"root", "repository": [TUF id], "signers": {name: [canonical id]}} that nobody wonders about; '
        "none: whatever is found first",
    )
    timestamp_version = models.PositiveBigIntegerField(
        db_default=0, default=0, help_text="version of the timestamp that verified last"
    )
    next_history_at = models.DateTimeField(
        null=True, blank=True, help_text="when its history is told on, if there is more to tell; none: at once"
    )
    history_feed = models.CharField(
        db_default="", default="", max_length=20, blank=True, help_text="number of the last change read of its server"
    )
    history_version = models.PositiveBigIntegerField(
        db_default=0, default=0, help_text="version of the newest timestamp whose state the history tells"
    )
    lease = models.ForeignKey(
        "signing.Operation",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="who may publish now",
    )

    class Meta:
        ordering = ("gun",)
        verbose_name_plural = "repositories"

    def __str__(self) -> str:
        return self.gun

    def get_absolute_url(self) -> str:
        return reverse("repository", args=[self.gun])


class TagVerdict(models.TextChoices):
    """The five words for one tag."""

    VERIFIED = "verified", "Verified"
    UNKNOWN_KEY = "unknown_key", "Unknown key"
    EXPIRED = "expired", "Expired"
    DRIFTED = "drifted", "Drifted"
    UNSIGNED = "unsigned", "Unsigned"


class SignedTag(models.Model):
    """One released tag as last verified."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="tags")
    tag = models.CharField(max_length=255)
    digest = models.CharField(max_length=64, help_text="sha256, lower-case hex, without its prefix")
    length = models.BigIntegerField(help_text="bytes of the manifest")
    signers = models.JSONField(default=list, help_text="names in delegation order; empty: the repository key alone")
    sort_key = models.CharField(max_length=600, db_index=True, help_text="natural order of the tag")
    first_seen = models.DateTimeField(default=timezone.now)
    signed_at = models.DateTimeField(null=True, blank=True, help_text="when its signature came to be, where known")
    key_ids = models.JSONField(
        db_default=[], default=list, help_text="canonical ids of the keys whose signatures count for it"
    )
    expires_at = models.DateTimeField(null=True, blank=True, help_text="the earliest end of the roles it rests on")
    verdict = models.CharField(
        db_default="verified", max_length=16, choices=TagVerdict.choices, default=TagVerdict.VERIFIED, db_index=True
    )
    reason_code = models.CharField(db_default="", default="", max_length=64, blank=True)
    registry_digest = models.CharField(
        db_default="",
        default="",
        max_length=64,
        blank=True,
        help_text="what the registry showed when it last answered; none: not known",
    )
    registry_checked_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="when the registry last answered for this tag"
    )
    is_counted = models.BooleanField(
        db_default=True, default=True, help_text="whether clients take its signature: not out of a file that fell out"
    )
    platforms = models.JSONField(
        db_default=[],
        default=list,
        help_text='[{"platform": "linux/amd64", "digest", "signed": bool}] of a manifest list',
    )

    class Meta:
        ordering = ("sort_key", "digest")
        constraints = (
            models.UniqueConstraint(fields=("repository", "tag", "digest"), name="one_row_per_signed_digest"),
        )

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class TrustedMetadata(models.Model):
    """The bytes of one role's file as last trusted: the anchor against rollback and replaced roots."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="metadata")
    role = models.CharField(max_length=255)
    data = models.BinaryField()
    stored_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("repository", "role"), name="one_trusted_file_per_role"),)

    def __str__(self) -> str:
        return f"{self.role} of {self.repository}"


class UnsignedTag(models.Model):
    """A tag that the registry shows and nobody signed."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="unsigned_tags")
    tag = models.CharField(max_length=255)
    digest = models.CharField(
        max_length=64, blank=True, help_text="sha256, lower-case hex, without its prefix; none: not asked for yet"
    )
    first_seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("tag",)
        constraints = (models.UniqueConstraint(fields=("repository", "tag"), name="one_row_per_unsigned_tag"),)

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"

"""What watching repositories over time left: alerts, kept versions, and what happened."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone

from signing.models.accounts import Account, TrustServer
from signing.models.people import User
from signing.models.repositories import Repository


class Alert(models.Model):
    """Something is not as it should be; it clears by itself when the world is right again."""

    class Kind(models.TextChoices):
        DRIFTED = "drifted", "The registry shows another digest than was signed"
        UNSIGNED = "unsigned", "A signature vanished"
        EXPIRED = "expired", "Signatures expired"
        UNKNOWN_KEY = "unknown_key", "Signed by an unknown key"
        SIGNERS = "signers", "A signer changed unexpectedly"
        ROOT = "root", "The root key changed unexpectedly"
        ROLLBACK = "rollback", "The trust server gave older metadata"
        BROKEN = "broken", "Does not verify"
        UNREACHABLE = "unreachable", "The server does not answer"
        WATCHED = "watched", "A watched key signed something nobody asked for here"

    kind = models.CharField(max_length=16, choices=Kind.choices)
    repository = models.ForeignKey(Repository, null=True, blank=True, on_delete=models.CASCADE, related_name="alerts")
    trust_server = models.ForeignKey(
        TrustServer,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alerts",
        help_text="of a server alone",
    )
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="alerts",
        help_text="of an account's registry alone",
    )
    tag = models.CharField(max_length=255, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.TextField(help_text="one sentence")
    next_step = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, help_text="digests, versions and key ids that show it")
    raised_at = models.DateTimeField(auto_now_add=True)
    cleared_at = models.DateTimeField(null=True, blank=True)
    cleared_because = models.CharField(db_default="", default="", max_length=300, blank=True)

    class Meta:
        ordering = ("-raised_at", "-pk")
        constraints = (
            models.UniqueConstraint(
                fields=("repository", "tag", "kind"),
                condition=models.Q(cleared_at=None, repository__isnull=False),
                name="one_open_alert_per_tag",
            ),
            models.UniqueConstraint(
                fields=("trust_server", "kind"),
                condition=models.Q(cleared_at=None, repository=None),
                name="one_open_alert_per_server",
            ),
            models.UniqueConstraint(
                fields=("account", "kind"),
                condition=models.Q(cleared_at=None, repository=None),
                name="one_open_alert_per_registry",
            ),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"

    def get_absolute_url(self) -> str:
        return reverse("alert", args=[self.pk])

    @property
    def subject(self) -> str:
        """Name what it is about."""
        if self.repository:
            return f"{self.repository.gun}:{self.tag}" if self.tag else self.repository.gun
        return str(self.trust_server or (self.account and self.account.registry) or "")

    @property
    def is_open(self) -> bool:
        return self.cleared_at is None


class WatchedKey(models.Model):
    """A key whose signatures a person wants to hear of when nobody asked for them here."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="watched_keys")
    key_id = models.CharField(max_length=64, db_index=True, help_text="canonical id, 64 hex digits")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("key_id",)
        constraints = (models.UniqueConstraint(fields=("user", "key_id"), name="one_row_per_watched_key"),)

    def __str__(self) -> str:
        return f"{self.user} watches {self.key_id[:12]}"


class KeptVersion(models.Model):
    """The bytes of one version of one role's file, as a server gave them."""

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="versions")
    role = models.CharField(max_length=255)
    version = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64, help_text="of the bytes, hex")
    data = models.BinaryField()
    published_at = models.DateTimeField(null=True, blank=True, help_text="as the server's changefeed says")
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("role", "-version")
        constraints = (
            models.UniqueConstraint(
                fields=("repository", "role", "version", "sha256"), name="one_row_per_kept_version"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} version {self.version} of {self.repository}"


class HistoryEntry(models.Model):
    """One thing that happened to a repository's trust data, rebuilt from two following versions or seen by watching."""

    class Kind(models.TextChoices):
        INITIALISED = "initialised", "Trust data begins"
        SIGNED = "signed", "Signed"
        RENEWED = "renewed", "Signed anew, unchanged"
        REPLACED = "replaced", "Signed anew with another digest"
        REVOKED = "revoked", "Revoked"
        SIGNER_ADDED = "signer_added", "Signer added"
        SIGNER_REMOVED = "signer_removed", "Signer removed"
        KEY_REPLACED = "key_replaced", "Key replaced"
        EXPIRED = "expired", "Expired"
        STOPPED = "stopped", "A signer's file stopped counting"
        RESUMED = "resumed", "A signer's file counts again"
        UNPROVEN = "unproven", "Not proven from here on"
        PROVEN = "proven", "Proven again"

    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="history")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    role = models.CharField(max_length=255, help_text="the file it happened in")
    version = models.PositiveBigIntegerField(help_text="of that file")
    tag = models.CharField(max_length=255, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    was = models.CharField(max_length=64, blank=True, help_text="the digest before")
    detail = models.JSONField(default=dict, help_text="signers, key ids")
    at = models.DateTimeField(help_text="not later than this")
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="not earlier than this, where the moment is unsure"
    )

    class Meta:
        ordering = ("-at", "-version", "-pk")
        indexes = (models.Index(fields=("repository", "tag"), name="history_of_a_tag"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.repository}:{self.tag}"

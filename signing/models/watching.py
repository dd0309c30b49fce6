"""What watching repositories over time left: alerts, kept versions, and what happened."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from signing.models.accounts import TrustServer
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
    tag = models.CharField(max_length=255, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.TextField(help_text="one sentence")
    next_step = models.TextField(blank=True)
    evidence = models.JSONField(default=dict, help_text="digests, versions and key ids that show it")
    raised_at = models.DateTimeField(auto_now_add=True)
    cleared_at = models.DateTimeField(null=True, blank=True)

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
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.repository or self.trust_server}"


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
        SIGNED = "signed", "Signed"
        REPLACED = "replaced", "Signed anew with another digest"
        REVOKED = "revoked", "Revoked"
        SIGNER_ADDED = "signer_added", "Signer added"
        SIGNER_REMOVED = "signer_removed", "Signer removed"
        KEY_REPLACED = "key_replaced", "Key replaced"

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

"""Accounts, who may do what in them, and what a change has to pass."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils import timezone

from signing.models.people import User


class TrustServer(models.Model):
    """One Notary v1 server: the built-in one or any other."""

    name = models.SlugField(unique=True)
    url = models.URLField(help_text="https://host[:port]")
    ca_pem = models.TextField(blank=True, help_text="CA certificates in PEM form; empty: the system's own")
    username = models.CharField(max_length=255, blank=True)
    password = models.BinaryField(default=b"", help_text="sealed to the signing worker")
    is_builtin = models.BooleanField(default=False)
    failures = models.PositiveIntegerField(
        db_default=0, default=0, help_text="how often in a row it did not answer the scheduled check"
    )
    failed_at = models.DateTimeField(null=True, blank=True, help_text="when that was counted last")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """A namespace of repositories on one registry, with its people, its trust server and its root key."""

    name = models.SlugField(unique=True)
    registry = models.CharField(max_length=255, help_text="host[:port] as in image names; docker.io for Docker Hub")
    namespace = models.CharField(max_length=200, blank=True, help_text="first part of every repository's path")
    trust_server = models.ForeignKey(TrustServer, on_delete=models.PROTECT, related_name="accounts")
    registry_username = models.CharField(max_length=255, blank=True)
    registry_password = models.BinaryField(default=b"", help_text="sealed to the docker worker")
    enforces_trust = models.BooleanField(
        default=True, help_text="refuse to push unsigned tags and to pull unsigned ones of this account"
    )
    registry_failures = models.PositiveIntegerField(
        db_default=0, default=0, help_text="how often in a row the registry did not answer the scheduled check"
    )
    registry_failed_at = models.DateTimeField(null=True, blank=True, help_text="when that was counted last")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("account", args=[self.name])


class Membership(models.Model):
    """What one person may do in one account, or in one of its repositories, perhaps until a day."""

    class Role(models.TextChoices):
        ADMIN = "admin", "Admin"
        LEAD = "lead", "Lead"
        SIGNER = "signer", "Signer"
        DEVELOPER = "developer", "Developer"
        AUDITOR = "auditor", "Auditor"

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    repository = models.ForeignKey(
        "signing.Repository",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="memberships",
        help_text="none: the whole account",
    )
    role = models.CharField(max_length=16, choices=Role.choices)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="counts no more from then on")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "user"), condition=models.Q(repository=None), name="one_role_per_account"
            ),
            models.UniqueConstraint(
                fields=("repository", "user"),
                condition=models.Q(repository__isnull=False),
                name="one_role_per_repository",
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.repository or self.account}"

    @property
    def has_ended(self) -> bool:
        """Tell whether it counts no more."""
        return self.ends_at is not None and self.ends_at <= timezone.now()


class Policy(models.Model):
    """What a change has to pass in an account; a repository may have one of its own, which then counts instead."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="policies")
    repository = models.OneToOneField(
        "signing.Repository", null=True, blank=True, on_delete=models.CASCADE, related_name="policy"
    )
    needed_approvals = models.PositiveSmallIntegerField(default=1, help_text="for signers, rotations and policies")
    needed_to_sign = models.PositiveSmallIntegerField(
        default=0, help_text="approvals for signing and revoking; 0: whoever holds a signer's role does it directly"
    )
    request_days = models.PositiveSmallIntegerField(default=14, help_text="how long a request may wait")
    requires_possession = models.BooleanField(
        default=True, help_text="a signer proves to hold the key before anybody approves it"
    )
    requires_step_up = models.BooleanField(default=False, help_text="an approval is confirmed by passkey")
    refused_custodies = models.JSONField(
        db_default=[], default=list, help_text="custody classes whose keys may not sign here"
    )
    most_signer_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="a signer has to end within so many days"
    )

    class Meta:
        verbose_name_plural = "policies"
        constraints = (
            models.UniqueConstraint(
                fields=("account",), condition=models.Q(repository=None), name="one_policy_per_account"
            ),
        )

    def __str__(self) -> str:
        return f"policy of {self.repository or self.account}"

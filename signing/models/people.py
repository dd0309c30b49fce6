"""Who signs in: people, machine accounts, and the tokens that speak for them."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse
from django.utils import timezone


class User(AbstractUser):
    """A person who signs in, or a machine account that only has tokens."""

    must_change_password = models.BooleanField(default=False)
    is_machine = models.BooleanField(default=False, help_text="has tokens and no password; asks, and decides nothing")
    language = models.CharField(
        db_default="",
        default="",
        max_length=16,
        blank=True,
        help_text="chosen for the pages; none: as the browser asks",
    )
    reads_everything = models.BooleanField(default=False, help_text="auditor of the whole installation")

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    def get_absolute_url(self) -> str:
        return reverse("machine" if self.is_machine else "person", args=[self.pk])


class ApiToken(models.Model):
    """What a program signs in with. Only a hash of it is kept; it can do no more than its user and its scopes allow."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        REQUEST = "request", "Ask for changes"
        PUBLISH = "publish", "Publish and sign"
        APPROVE = "approve", "Decide about requests"
        MANAGE = "manage", "Manage accounts, keys and people"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="where it is used")
    prefix = models.CharField(max_length=16, help_text="the first characters, to recognise it by")
    token_hash = models.CharField(max_length=64, unique=True, help_text="sha256 of the whole token, hex")
    scopes = models.JSONField(default=list, help_text="names of Scope")
    repositories = models.ManyToManyField(
        "signing.Repository", blank=True, related_name="api_tokens", help_text="none: all its user may see"
    )
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_usable(self) -> bool:
        """Tell whether it still opens anything."""
        return self.revoked_at is None and self.expires_at > timezone.now() and self.user.is_active


class Identity(models.Model):
    """Where a person signs in outside this installation; what is said there decides whether they still belong here."""

    class Source(models.TextChoices):
        OIDC = "oidc", "Single sign-on (OpenID Connect)"
        LDAP = "ldap", "Directory (LDAP)"

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="identity")
    source = models.CharField(max_length=8, choices=Source.choices)
    subject = models.CharField(
        max_length=255, help_text="who they are there: the sub of a token, the name in a directory"
    )
    locked_token = models.TextField(blank=True, help_text="the refresh token, locked (signing.at_rest); empty: none")
    linked_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="when their source last vouched for them")
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="since when their source does not know them any more"
    )

    class Meta:
        verbose_name_plural = "identities"
        constraints = (models.UniqueConstraint(fields=("source", "subject"), name="one_person_per_identity"),)

    def __str__(self) -> str:
        return f"{self.user} at {self.get_source_display()}"

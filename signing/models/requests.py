"""Requests: what somebody asks for, who decided, and the proof that a signer holds the key."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from signing.models.accounts import Account
from signing.models.keys import Signer
from signing.models.people import ApiToken, User
from signing.models.repositories import Repository


class ChangeRequest(models.Model):
    """Somebody asks for a change of one or more repositories of an account; others decide.

    An approval counts for `content_hash` only: the hash of exactly what will be signed. An edit changes it.
    """

    class Kind(models.TextChoices):
        ADD_SIGNER = "add_signer", "Add a signer"
        REMOVE_SIGNER = "remove_signer", "Remove a signer"
        SIGN = "sign", "Sign a tag"
        REVOKE = "revoke", "Revoke a tag"
        ROTATE = "rotate", "Rotate a key"
        CHANGE_POLICY = "change_policy", "Change the policy"
        REPLACE_KEY = "replace_key", "Replace a key everywhere"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for approval"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        WITHDRAWN = "withdrawn", "Withdrawn"

    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.ADD_SIGNER)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="requests")
    signer = models.ForeignKey(Signer, null=True, blank=True, on_delete=models.CASCADE, related_name="requests")
    parameters = models.JSONField(
        default=dict, help_text="what is asked besides: tag, digest, length, role, policy; never a secret"
    )
    reason = models.CharField(max_length=500, blank=True)
    signer_ends_at = models.DateTimeField(null=True, blank=True, help_text="a time-boxed signer is removed then")
    requested_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="requests", help_text="none: TrustUI itself"
    )
    asked_through = models.ForeignKey(
        ApiToken,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="whose maker never counts",
    )
    follows = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="followed_by",
        help_text="the request it renews, or whose signer's time is over",
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    needed_approvals = models.PositiveSmallIntegerField(default=1)
    content_hash = models.CharField(max_length=64, blank=True, help_text="sha256, hex, of exactly what will be signed")
    challenge = models.CharField(max_length=200, blank=True, help_text="what the signer signs to prove possession")
    proved_at = models.DateTimeField(null=True, blank=True, help_text="when the signature of the challenge verified")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: request {self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("request", args=[self.pk])


class ChangeRequestItem(models.Model):
    """One repository of a request, what the change does to it, and the work that its approval caused."""

    request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="items")
    repository = models.ForeignKey(Repository, on_delete=models.CASCADE, related_name="request_items")
    diff = models.JSONField(default=list, help_text="lines of the metadata that go and come")
    affected_tags = models.JSONField(default=list, help_text="tags that stop verifying")
    operation = models.ForeignKey(
        "signing.Operation", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=("request", "repository"), name="one_item_per_repository"),)

    def __str__(self) -> str:
        return f"{self.request_id}: {self.repository}"


class Decision(models.Model):
    """One person's yes or no to a request, and to which content of it."""

    request = models.ForeignKey(ChangeRequest, on_delete=models.CASCADE, related_name="decisions")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    approves = models.BooleanField()
    comment = models.CharField(max_length=500, blank=True)
    content_hash = models.CharField(max_length=64, blank=True, help_text="the request's when it was given")
    stepped_up = models.BooleanField(default=False, help_text="confirmed by a passkey bound to the content hash")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("at",)
        constraints = (models.UniqueConstraint(fields=("request", "by"), name="one_decision_per_person"),)

    def __str__(self) -> str:
        return f"{self.by} {'approves' if self.approves else 'rejects'} {self.request_id}"

"""What happened, told to those who should know: in the inbox, by mail and by webhook."""

from __future__ import annotations

import uuid

from django.db import models

from signing.models.accounts import Account
from signing.models.people import User
from signing.models.repositories import Repository
from signing.models.requests import ChangeRequest


class Event(models.TextChoices):
    """What people and programs are told about."""

    REQUESTED = "requested", "A change is asked for"
    APPROVED = "approved", "A request is approved"
    REJECTED = "rejected", "A request is rejected"
    SIGNED = "signed", "A tag is signed"
    REVOKED = "revoked", "A tag is revoked"
    FAILED = "failed", "Work failed"
    DRIFT = "drift", "Trust data changed unexpectedly"
    CLEARED = "cleared", "An alert cleared"
    WATCHED = "watched", "A watched key signed something"
    EXPIRING = "expiring", "Something expires soon"
    NEEDS_SIGNATURE = "needs_signature", "A signature of yours is needed"
    FROZEN = "frozen", "A key, an account or a person is frozen"


class Happening(models.Model):
    """One event as it happened: notices and deliveries are made from it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True)
    event = models.CharField(max_length=16, choices=Event.choices)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="happenings")
    repository = models.ForeignKey(
        Repository, null=True, blank=True, on_delete=models.CASCADE, related_name="happenings"
    )
    request = models.ForeignKey(
        ChangeRequest, null=True, blank=True, on_delete=models.CASCADE, related_name="happenings"
    )
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    subject = models.CharField(max_length=300, help_text="one plain sentence")
    path = models.CharField(max_length=300, help_text="where the dashboard shows it")
    detail = models.JSONField(default=dict, help_text="plain values for programs; never a secret")
    at = models.DateTimeField(auto_now_add=True)
    spread_at = models.DateTimeField(null=True, blank=True, help_text="when notices and deliveries were made from it")

    class Meta:
        ordering = ("-at", "-pk")
        indexes = (models.Index(fields=("spread_at",), name="happening_to_spread"),)

    def __str__(self) -> str:
        return f"{self.event}: {self.subject}"


class Notice(models.Model):
    """One happening in one person's inbox, and what became of its mail."""

    class Mail(models.TextChoices):
        NONE = "none", "No mail"
        DUE = "due", "To be sent"
        DIGEST = "digest", "In the next digest"
        SENT = "sent", "Sent"
        FAILED = "failed", "Not sent"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notices")
    happening = models.ForeignKey(Happening, on_delete=models.CASCADE, related_name="notices")
    read_at = models.DateTimeField(null=True, blank=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NONE)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-happening__at", "-pk")
        constraints = (models.UniqueConstraint(fields=("user", "happening"), name="one_notice_per_person"),)

    def __str__(self) -> str:
        return f"{self.happening} for {self.user}"


class NoticeChoice(models.Model):
    """How one person wants to hear of one kind of event."""

    class Way(models.TextChoices):
        NOW = "now", "Mail at once"
        DIGEST = "digest", "Daily digest"
        INBOX = "inbox", "Inbox only"
        OFF = "off", "Not at all"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notice_choices")
    event = models.CharField(max_length=16, choices=Event.choices)
    way = models.CharField(max_length=8, choices=Way.choices)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "event"), name="one_choice_per_event"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.event} {self.way}"


class Webhook(models.Model):
    """An address that is told of an account's events, each body signed with the webhook's secret."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list, help_text="names of Event")
    secret = models.BinaryField(help_text="sealed to the notices worker")
    is_active = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("account__name", "url")

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One happening on its way to one webhook."""

    class State(models.TextChoices):
        DUE = "due", "To be sent"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Given up"

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    happening = models.ForeignKey(Happening, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=10, choices=State.choices, default=State.DUE)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True, help_text="HTTP status of the last attempt")
    error = models.CharField(max_length=300, blank=True)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "webhook deliveries"
        constraints = (models.UniqueConstraint(fields=("webhook", "happening"), name="one_delivery_per_happening"),)

    def __str__(self) -> str:
        return f"{self.happening} to {self.webhook}"

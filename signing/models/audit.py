"""The record of who did what: a chain of events, each naming the hash of the one before, and signed heads of it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from signing.models.accounts import Account
from signing.models.people import User


class AuditEvent(models.Model):
    """Who did what, when. Rows are only ever added, by `signing.services.audit` and `signing.recording`."""

    number = models.PositiveBigIntegerField(unique=True, help_text="1, 2, 3 ... without a gap")
    at = models.DateTimeField(default=timezone.now)
    actor = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    actor_name = models.CharField(max_length=150, blank=True, help_text="the user name then; empty: the product")
    action = models.CharField(max_length=64, help_text="verb and noun: approve_signer, publish_image ...")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    account_name = models.CharField(max_length=50, blank=True)
    subject = models.CharField(max_length=300, help_text="what it was done to, readable")
    reason = models.CharField(max_length=500, blank=True)
    detail = models.JSONField(default=dict, help_text="approvers, before, after and what else belongs to the act")
    correlation = models.CharField(max_length=64, blank=True, help_text="id of the HTTP request or operation")
    previous_hash = models.CharField(max_length=64)
    event_hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-number",)
        indexes = (models.Index(fields=("action", "at"), name="audit_by_action"),)

    def __str__(self) -> str:
        return f"{self.action}: {self.subject}"


class AuditHead(models.Model):
    """The end of the chain at one moment, signed by the signing worker."""

    number = models.PositiveBigIntegerField(unique=True, help_text="of the newest event it covers")
    event_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=64)
    signature = models.TextField(help_text="base64 of the signature over the head")

    class Meta:
        ordering = ("-number",)

    def __str__(self) -> str:
        return f"head at event {self.number}"


class AuditLock(models.Model):
    """One row, locked while an event is added, so that the chain never forks."""

    def __str__(self) -> str:
        return "the end of the chain"

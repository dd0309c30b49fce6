"""Queued work, its log, and the secrets on their way to it."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from signing.models.accounts import Account
from signing.models.keys import Key, Signer
from signing.models.people import User
from signing.models.repositories import Repository


class Operation(models.Model):
    """One piece of queued work, step by step, and what became of it."""

    class Kind(models.TextChoices):
        GENERATE_KEY = "generate_key", _("Generate a key")
        IMPORT_KEY = "import_key", _("Import a key")
        ENROL_KEY = "enrol_key", _("Enrol a key")
        MAKE_CSR = "make_csr", _("Make a certificate request")
        ADD_SIGNER = "add_signer", _("Add a signer")
        REMOVE_SIGNER = "remove_signer", _("Remove a signer")
        REVOKE = "revoke", _("Revoke a tag")
        ROTATE = "rotate", _("Rotate a key")
        PUBLISH = "publish", _("Publish an image")
        SIGN = "sign", _("Sign a digest")
        PULL = "pull", _("Pull a verified image")
        REFRESH = "refresh", _("Check a repository")
        IMPORT_TRUST = "import_trust", _("Import repositories")
        EXPORT_TRUST = "export_trust", _("Export repositories")
        REPLACE_KEY = "replace_key", _("Replace a key")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Running")
        NEEDS_SIGNATURE = "needs_signature", _("Needs a signature")
        PAUSED = "paused", _("Paused")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")
        CANCELLED = "cancelled", _("Cancelled")

    ONCE = (Kind.IMPORT_KEY, Kind.IMPORT_TRUST, Kind.EXPORT_TRUST)  # what came sealed with it is used up
    FINISHED = (State.DONE, State.FAILED, State.CANCELLED)
    STAGING_TAG = "trustui-staging"  # where an image waits in the registry until it is signed

    kind = models.CharField(max_length=16, choices=Kind.choices)
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="operations")
    repository = models.ForeignKey(
        Repository, null=True, blank=True, on_delete=models.CASCADE, related_name="operations"
    )
    key = models.ForeignKey(Key, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    signer = models.ForeignKey(Signer, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    requested_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="operations")
    parameters = models.JSONField(default=dict, help_text="what was asked; never a secret")
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    step = models.CharField(max_length=16, help_text="the step that is queued or running now")
    done_steps = models.JSONField(default=list)
    layers = models.JSONField(default=dict, help_text='{layer: {"status", "current", "total"}} of the running transfer')
    result = models.JSONField(default=dict, help_text="digest, length, versions and whatever the steps found out")
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    next_step = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="when the running step was taken")
    alive_at = models.DateTimeField(null=True, blank=True, help_text="last sign of life of the running step")
    run_after = models.DateTimeField(null=True, blank=True, help_text="a repeated step waits until then")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often the current step broke off")
    cancel_requested = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")
        indexes = (models.Index(fields=("state", "created_at"), name="operation_open"),)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} #{self.pk}"

    def get_absolute_url(self) -> str:
        return reverse("operation", args=[self.pk])

    @property
    def is_finished(self) -> bool:
        return self.state in self.FINISHED

    @property
    def insists(self) -> bool:
        """Tell whether a token's PIN is tried even where one more wrong one would lock it."""
        return bool(self.parameters.get("insists"))

    @property
    def is_signature_stored(self) -> bool:
        """Tell whether the trust server holds the signature, read back and verified."""
        return bool(self.result.get("signature_stored"))

    @property
    def staging_tag(self) -> str:
        """Where its image waits until it is signed; a tag of its own where that may take days."""
        return str(self.parameters.get("staging_tag") or self.STAGING_TAG)

    @property
    def outcome(self) -> str:
        """Say in a few words what became of it; while it works, what it is doing."""
        if self.state == self.State.FAILED and self.kind == self.Kind.PUBLISH:
            return (
                "failed, signature stored, tag not moved" if self.is_signature_stored else "failed, nothing published"
            )
        if self.state == self.State.DONE and self.kind == self.Kind.PUBLISH:
            return "published"
        if self.state in (self.State.QUEUED, self.State.RUNNING):
            return f"{self.get_state_display().lower()}: {self.step}"
        return self.get_state_display().lower()


class OperationLine(models.Model):
    """One line of an operation's log, for people."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="lines")
    at = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.text


class SealedSecret(models.Model):
    """A passphrase or an uploaded key on its way to the signing worker: sealed, used once, short-lived."""

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="secrets")
    purpose = models.CharField(max_length=16, help_text="root, repository, signer or import")
    box = models.BinaryField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("operation", "purpose"), name="one_secret_per_purpose"),)

    def __str__(self) -> str:
        return f"{self.purpose} for operation {self.operation_id}"


class EngineStatus(models.Model):
    """What the docker worker last saw of its Engine. One row."""

    checked_at = models.DateTimeField(auto_now=True)
    is_available = models.BooleanField(default=False)
    version = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True, help_text="why it is off, one sentence")
    images = models.JSONField(default=list, help_text="names of the Engine's local images")

    def __str__(self) -> str:
        return self.version or self.reason

"""Signatures that holders give on their own machines: the exact bytes that wait, and what came back."""

from __future__ import annotations

from django.db import models

from signing.models.keys import Key
from signing.models.operations import Operation
from signing.models.people import User


class PreparedFile(models.Model):
    """One metadata file of an operation as it will be published: its bytes are fixed, signatures are missing.

    Whatever changes it makes another row; a signature counts for `payload` only.
    """

    operation = models.ForeignKey(Operation, on_delete=models.CASCADE, related_name="prepared_files")
    role = models.CharField(max_length=255)
    version = models.PositiveBigIntegerField()
    payload = models.BinaryField(help_text="the canonical bytes that are signed")
    payload_hash = models.CharField(max_length=64, help_text="sha256 of the payload, hex")
    signatures = models.JSONField(
        default=list, help_text="those that keys here gave already, as the file lists them: keyid, method, sig"
    )
    needs = models.JSONField(
        db_default=[],
        default=list,
        help_text="whose signatures it takes, for each role that has to sign it: threshold, keys by canonical id",
    )
    is_current = models.BooleanField(
        db_default=True, default=True, help_text="no longer once it was prepared anew or is not needed any more"
    )
    summary = models.JSONField(default=list, help_text="lines of metadata that go and come, as the approval shows them")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=("operation", "role"), condition=models.Q(is_current=True), name="one_current_file_per_role"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role} version {self.version} of operation {self.operation_id}"


class SignatureTask(models.Model):
    """One signature that one key's holder is asked for."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a signature"
        GIVEN = "given", "Signed"
        REFUSED = "refused", "Refused by the holder"
        VOID = "void", "Not needed any more"

    file = models.ForeignKey(PreparedFile, on_delete=models.CASCADE, related_name="tasks")
    key = models.ForeignKey(Key, on_delete=models.CASCADE, related_name="signature_tasks")
    tuf_key_id = models.CharField(max_length=64, help_text="the id the file names the key by")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    signature = models.BinaryField(default=b"")
    answered_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    answered_at = models.DateTimeField(null=True, blank=True)
    comment = models.CharField(max_length=500, blank=True)
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("pk",)
        constraints = (models.UniqueConstraint(fields=("file", "key"), name="one_task_per_key_and_file"),)

    def __str__(self) -> str:
        return f"{self.file} by {self.key}"

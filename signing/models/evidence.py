"""Evidence packs and the filters people keep."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from signing.models.operations import Operation
from signing.models.people import User


class EvidencePack(models.Model):
    """One signed file of proof, made by an operation."""

    operation = models.OneToOneField(Operation, on_delete=models.CASCADE, related_name="evidence_pack")
    data = models.BinaryField(help_text="the whole file")
    sha256 = models.CharField(max_length=64, help_text="of the file, hex")
    rows = models.PositiveIntegerField()
    exceptions = models.PositiveIntegerField()
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"evidence pack of operation {self.operation_id}"

    def get_absolute_url(self) -> str:
        return reverse("evidence_pack", args=[self.operation_id])


class SavedFilter(models.Model):
    """A view of a list that a person keeps under a name."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=100)
    path = models.CharField(max_length=1000, help_text="address of the list with its filters, without the host")
    is_shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="one_saved_filter_per_name"),)

    def __str__(self) -> str:
        return self.name

"""Keys that are stopped and replaced."""

from __future__ import annotations

from django.db import models
from django.urls import reverse

from signing.models.accounts import Account
from signing.models.keys import Key
from signing.models.operations import Operation
from signing.models.people import User
from signing.models.repositories import Repository
from signing.models.requests import ChangeRequest


class Freeze(models.Model):
    """Nothing new is signed with this key, in this account or by this person until it is lifted.

    Exactly one of `key`, `account` and `person` is set.
    """

    key = models.ForeignKey(Key, null=True, blank=True, on_delete=models.CASCADE, related_name="freezes")
    account = models.ForeignKey(Account, null=True, blank=True, on_delete=models.CASCADE, related_name="freezes")
    person = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="freezes")
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    lifted_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    lifted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-at", "-pk")
        constraints = (
            models.CheckConstraint(
                condition=(
                    models.Q(key__isnull=False, account=None, person=None)
                    | models.Q(key=None, account__isnull=False, person=None)
                    | models.Q(key=None, account=None, person__isnull=False)
                ),
                name="one_thing_is_frozen",
            ),
        )

    def __str__(self) -> str:
        return f"freeze of {self.key or self.account or self.person}"


class Rotation(models.Model):
    """The plan that replaces one key wherever it counts, and how far it came."""

    class Reason(models.TextChoices):
        PLANNED = "planned", "Planned"
        LOST = "lost", "Lost"
        COMPROMISED = "compromised", "Compromised"

    class State(models.TextChoices):
        DRAFT = "draft", "Being planned"
        WAITING = "waiting", "Waiting for approval"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        DONE = "done", "Done"
        FAILED = "failed", "Some steps failed"
        DROPPED = "dropped", "Dropped"

    key = models.ForeignKey(Key, on_delete=models.PROTECT, related_name="rotations")
    replacement = models.ForeignKey(
        Key, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="none yet, or made on the way"
    )
    reason = models.CharField(max_length=16, choices=Reason.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.DRAFT)
    request = models.OneToOneField(
        ChangeRequest, null=True, blank=True, on_delete=models.SET_NULL, related_name="rotation"
    )
    asked_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    radius = models.JSONField(default=dict, help_text="what names the key, as counted when the plan was made")
    proof = models.JSONField(default=dict, help_text="what a fresh client saw at the end: what the old key verifies")
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-pk")

    def __str__(self) -> str:
        return f"rotation of {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("rotation", args=[self.pk])


class RotationStep(models.Model):
    """One step of a plan, in its order."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    rotation = models.ForeignKey(Rotation, on_delete=models.CASCADE, related_name="steps")
    position = models.PositiveIntegerField()
    repository = models.ForeignKey(Repository, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=255, blank=True)
    tags = models.JSONField(default=list, help_text="names that are signed anew in this step")
    command = models.TextField(help_text="the same by trustctl")
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    operation = models.ForeignKey(Operation, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("rotation", "position"), name="one_step_per_position"),)

    def __str__(self) -> str:
        return f"step {self.position} of {self.rotation}"

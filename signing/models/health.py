"""How the parts of the installation were when somebody last looked."""

from __future__ import annotations

from django.db import models


class PartHealth(models.Model):
    """One part: a trust server, a registry, the Engine, a queue, a worker. Written by who can reach it, read by pages.

    A row tells what was seen at `checked_at`; what it is worth now, `signing.health` says.
    """

    class State(models.TextChoices):
        GOOD = "good", "Works"
        WARNING = "warning", "Needs care"
        BROKEN = "broken", "Broken"

    name = models.CharField(max_length=200, unique=True, help_text="kind and which one: trust-server:builtin, engine")
    kind = models.CharField(max_length=32, db_index=True)
    title = models.CharField(max_length=300, help_text="what people call it")
    state = models.CharField(max_length=16, choices=State.choices)
    sentence = models.TextField(blank=True, help_text="what was seen, one sentence")
    next_step = models.TextField(blank=True, help_text="how it is put right")
    facts = models.JSONField(default=dict, help_text="version, latency, dates: whatever was measured; never a secret")
    reporter = models.CharField(max_length=64, help_text="the part that looks: worker:signing, scheduler ...")
    every = models.PositiveIntegerField(help_text="seconds between two looks")
    checked_at = models.DateTimeField()
    since = models.DateTimeField(help_text="in this state since")

    class Meta:
        ordering = ("kind", "name")
        verbose_name_plural = "part health"

    def __str__(self) -> str:
        return f"{self.title}: {self.state}"

"""What was answered to requests that may be repeated."""

from __future__ import annotations

from django.db import models

from signing.models.people import User


class KeptAnswer(models.Model):
    """The answer to one request that came with an idempotency key, for who repeats it. Never a secret."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64, help_text="HMAC of method, address, body and token")
    status = models.PositiveSmallIntegerField(default=0)
    location = models.CharField(max_length=300, blank=True)
    body = models.TextField(blank=True)
    holds_secret = models.BooleanField(default=False, help_text="then the body was not kept")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("user", "key"), name="one_answer_per_key"),)

    def __str__(self) -> str:
        return f"answer {self.status} to {self.key} of {self.user}"

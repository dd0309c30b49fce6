"""Asks for publishes through the API as a patient program does: an unanswered request is repeated under its key."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.parts.cluster import Cluster

ANSWER_SECONDS = 60
POLL_SECONDS = 1.0  # well under the limit of requests one token has


class NoAnswer(Exception):
    """The product did not answer in time, however often it was asked."""


@dataclass
class Publisher:
    """Publishes into one repository; `acknowledged` are the operations the product promised to do."""

    cluster: Cluster
    token: str
    gun: str
    signer: str
    acknowledged: list[int] = field(default_factory=list)

    def publish(self, source: str, tag: str) -> int:
        """Ask until there is an answer; give the operation's number."""
        body = {"source": source, "tag": tag, "signer": self.signer, "from_local": True}
        key = uuid.uuid4().hex
        answer = self._asked("POST", f"/repositories/{self.gun}/-/publish", json=body, headers={"Idempotency-Key": key})
        self.acknowledged.append(int(answer["id"]))
        return int(answer["id"])

    def state(self, operation: int) -> str:
        """Ask how far it is."""
        return str(self._asked("GET", f"/operations/{operation}")["state"])

    def wait(self, operation: int, seconds: float) -> str:
        """Wait for its end; gives the state at the end of the time."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state(operation)
            if state in ("done", "failed", "cancelled") or time.monotonic() > deadline:
                return state
            time.sleep(POLL_SECONDS)

    def _asked(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        deadline = time.monotonic() + ANSWER_SECONDS
        said = ""
        while time.monotonic() < deadline:
            try:
                with self.cluster.api(self.token) as client:
                    answer = client.request(method, path, **request)
                if answer.is_success:
                    return dict(answer.json())
                said = f"{answer.status_code} {answer.text[:300]}"
                if answer.status_code < 500 and answer.status_code not in (409, 429):
                    break
            except httpx.TransportError as error:
                said = type(error).__name__
            time.sleep(POLL_SECONDS)
        raise NoAnswer(f"{method} {path}: {said}")

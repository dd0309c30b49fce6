"""`trustctl archive --from-account NAME --dashboard URL` reads the list that this API really gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from signing.local_signer.archive import dashboard
from signing.trust.errors import NotAuthorised
from signing.trust.evidence.polite import Politeness
from signing.trust.notary.http_answers import Answer
from tests import factories
from tests.unit.api.conftest import token_of


class ByTestClient:
    """The HTTP client of the trust core, answered by Django's own test client."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.client = Client()

    def request(self, method: str, url: str, *, limit: int, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(url)
        answer = self.client.generic(method, f"{parts.path}?{parts.query}", headers=dict(headers), secure=True)
        return Answer(answer.status_code, answer.headers, answer.content[:limit])  # type: ignore[arg-type]

    def close(self) -> None:
        pass


def test_every_page_of_an_account_is_read(cast: factories.Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "LimitedClient", ByTestClient)
    monkeypatch.setattr(dashboard, "PAGE_SIZE", 2)
    guns = {cast.repository.gun, *(factories.make_repository(cast.account, f"more-{n}").gun for n in range(4))}
    polite = Politeness(10_000)

    token = token_of(cast.lead, "read")
    assert set(dashboard.repositories_of("https://testserver", cast.account.name, token, polite)) == guns
    assert dashboard.repositories_of("https://testserver", "another", token, polite) == []
    with pytest.raises(NotAuthorised):
        dashboard.repositories_of("https://testserver", cast.account.name, "wrong", polite)

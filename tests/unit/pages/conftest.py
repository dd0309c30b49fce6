"""The cast in front of the pages: one signed-in client per person."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from signing.models import User
from tests.factories import Cast, make_cast

SignIn = Callable[[User], Client]


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


@pytest.fixture
def as_person(db: None) -> SignIn:
    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in

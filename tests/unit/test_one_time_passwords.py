from __future__ import annotations

from signing.one_time_passwords import one_time_password


def test_one_time_passwords_differ_and_are_long_enough() -> None:
    made = {one_time_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) == 23 for password in made)

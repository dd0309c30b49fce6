"""Give the first administrator a one-time password, as often as it takes until they chose one of their own.

Runs with the web process's settings: `docker-compose exec web trustui administrator`.
"""

from __future__ import annotations

import sys

import django

from signing.one_time_passwords import one_time_password
from trustui.embedded.first_start import show_password


def main() -> int:
    """Set and print it; 1 where that would take somebody's password away."""
    django.setup()
    from signing.models import User

    administrator = User.objects.filter(is_superuser=True, is_active=True).earliest("pk")
    if not administrator.must_change_password:
        sys.stderr.write(
            f"{administrator.username} has a password of their own. Another administrator gives them a new one on the "
            f"page People; where there is none, `manage changepassword {administrator.username}` does.\n"
        )
        return 1
    password = one_time_password()
    administrator.set_password(password)
    administrator.save(update_fields=["password"])
    show_password(administrator.username, password, "the first administrator")
    return 0


if __name__ == "__main__":
    sys.exit(main())

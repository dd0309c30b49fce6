#!/usr/bin/env python
"""Django's commands, with the settings of the process they belong to unless DJANGO_SETTINGS_MODULE says otherwise."""

import os
import sys

OF_THE_TRUST_SERVER = {"trustserver", "importnotary", "exportnotary", "resealkeys"}


def main() -> None:
    process = "notary" if OF_THE_TRUST_SERVER.intersection(sys.argv[1:2]) else "web"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", f"trustui.settings.{process}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

"""Check the whole audit log as its page does, under the web process's settings; prints JSON."""

from __future__ import annotations

import json

import django


def main() -> None:
    """Print what is wrong with the chain."""
    django.setup()
    from signing.selectors.audit import check_chain

    print(json.dumps({"problems": [str(finding) for finding in check_chain().findings]}))


if __name__ == "__main__":
    main()

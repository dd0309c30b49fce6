"""`trustctl possession ...`."""

from __future__ import annotations

from signing.local_signer.menu import Menu


def register(menu: Menu) -> None:
    """Add the command that shows to hold a key."""
    group = menu.group("possession", "show to hold a signer's key")
    sign = group.command("sign", "commands.possession_sign", "sign the challenge of a request in TrustUI")
    sign.add_argument("challenge", metavar="CHALLENGE", help="the text on the request's page, which begins trustui-")
    sign.add_argument("--key", metavar="KEY", help="id, beginning of it, or name (else the key the challenge names)")

"""The command line of each family of commands."""

from __future__ import annotations

from collections.abc import Callable

from signing.local_signer.arguments import archive, audit, keys, looking, plugin, possession, requests, signers, signing
from signing.local_signer.menu import Menu

FAMILIES: tuple[Callable[[Menu], None], ...] = (
    keys.register,
    signers.register,
    signing.register,
    possession.register,
    requests.register,
    looking.register,
    archive.register,
    audit.register,
    plugin.register,
)
"""In the order of the help."""

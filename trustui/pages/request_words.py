"""What the page of a request says: facts, the shell command that does the same, and what happens next."""

from __future__ import annotations

from django.utils.translation import gettext

from signing.approvals.words import KEYS
from signing.models import ChangeRequest
from trustui.pages import commands

Kind = ChangeRequest.Kind


def facts_of(asked: ChangeRequest) -> list[tuple[str, str]]:
    """List what is asked besides the signer, as words and values."""
    given = asked.parameters
    if asked.kind == Kind.SIGN:
        return [
            (gettext("Tag"), given["tag"]),
            (gettext("Digest"), given["digest"]),
            (gettext("Manifest"), gettext("%(length)s bytes") % {"length": given["length"]}),
        ]
    if asked.kind == Kind.REVOKE:
        return [(gettext("Tag"), given["tag"])]
    if asked.kind == Kind.ROTATE:
        return [(gettext("Replaced"), KEYS.get(given["role"], given["role"]))]
    if asked.kind == Kind.REPLACE_KEY:
        return [
            (gettext("Key that goes"), given["old"]),
            (gettext("Key that comes"), given["new"]),
            (gettext("Because it is"), given["reason"]),
        ]
    return []


def command_for(asked: ChangeRequest) -> str:
    """Give the command with which key holders do the same on their own machine; empty where there is none."""
    items, given = list(asked.items.all()), asked.parameters
    if not items:
        return ""
    repository = items[0].repository
    signer = asked.signer
    if asked.kind == Kind.ADD_SIGNER and signer:
        return commands.signer_add(signer, *(item.repository for item in items))
    if asked.kind == Kind.REMOVE_SIGNER and signer:
        return commands.signer_remove(signer, *(item.repository for item in items))
    if asked.kind == Kind.SIGN:
        return commands.sign(repository, given["tag"], given["digest"], given["length"])
    if asked.kind == Kind.REVOKE:
        return commands.revoke(repository, given["tag"])
    if asked.kind == Kind.ROTATE:
        return "\n".join(commands.key_rotate(item.repository, given["role"]) for item in items[:10])
    return ""


def happens_next(asked: ChangeRequest) -> str:
    """Say in one or two sentences what an approval leads to."""
    if asked.kind == Kind.CHANGE_POLICY:
        return gettext("With the last approval the policy counts at once, for requests that wait already too.")
    ends = {
        Kind.ADD_SIGNER: gettext("Then the signer may sign."),
        Kind.REMOVE_SIGNER: gettext("Then the signer's key signs nothing there any more."),
        Kind.SIGN: gettext("A signer whose key asks for its passphrase types it afterwards, on this page."),
        Kind.REVOKE: gettext("With content trust on, docker then refuses the tag."),
        Kind.ROTATE: gettext("Then the old key counts no more."),
        Kind.REPLACE_KEY: gettext("Then the old key verifies nothing, and a fresh client proves it."),
    }
    before = gettext(
        "With the last approval the signing worker reads the newest trust data, and signs only if that gives exactly "
        "these lines; then it reads back what the server shows."
    )
    return f"{before} {ends[Kind(asked.kind)]}"

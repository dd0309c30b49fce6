"""`trustctl archive verify FILE [REPOSITORY[:TAG]...]`: what an archive proves, without asking anybody."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from functools import partial

from signing.local_signer.archive.report import (
    MEANING,
    event_json,
    event_text,
    outline,
    period_json,
    periods_text,
    shown,
)
from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, plain_line, say, say_json
from signing.trust.errors import DamagedArchive, InvalidInput
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History, judge
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.timeline import Period
from signing.trust.notary.gun import Gun, ImageName, check_digest


def run(session: Session, arguments: Namespace) -> Exit:
    """Judge each repository; done only if nothing is wrong and every tag that was asked for is proven."""
    pins = RootPins.of(arguments.root_key_id, arguments.root_fingerprint)
    with Archive(arguments.file) as archive:
        wanted = _wanted(archive, arguments.names)
        records = archive.manifest.repositories
        histories = [judge(gun, records[gun], partial(archive.read, gun), pins) for gun in wanted]
        is_sealed = archive.is_sealed()
    asked = {history.gun: _asked(history, wanted[history.gun], arguments) for history in histories}
    is_claim = bool(arguments.digest or arguments.signer)
    unproven = [history.gun for history in histories if (is_claim or wanted[history.gun]) and not asked[history.gun]]
    if arguments.json:
        say_json(
            {
                "archive": str(arguments.file),
                "intact": is_sealed,
                "repositories": [_json(history, asked[history.gun], arguments.events) for history in histories],
            }
        )
    else:
        for history in histories:
            _print(history, asked[history.gun], arguments.events)
        say(MEANING)
    if not is_sealed:
        complain(f"{arguments.file} is not, byte for byte, as it was written. {DamagedArchive.next_step}")
    for gun in unproven:
        complain(f"The archive does not prove what was asked of {gun}.")
    whole = is_sealed and not unproven and all(history.is_proven for history in histories)
    return Exit.DONE if whole else Exit.FAILED


def _wanted(archive: Archive, names: Sequence[str]) -> dict[Gun, set[str]]:
    """Give the repositories to judge, each with the tags that were asked for; none means all."""
    if not names:
        return {gun: set() for gun in sorted(archive.manifest.repositories)}
    wanted: dict[Gun, set[str]] = {}
    for name in names:
        image = ImageName.parse(name)
        if image.gun not in archive.manifest.repositories:
            raise InvalidInput(
                f"The archive has nothing of {image.gun}.",
                next_step=f"It has {', '.join(sorted(archive.manifest.repositories)[:5]) or 'no repository'}.",
            )
        wanted.setdefault(image.gun, set()).update({image.tag} if image.tag else set())
    return wanted


def _asked(history: History, tags: set[str], arguments: Namespace) -> list[Period]:
    digest = check_digest(arguments.digest).removeprefix("sha256:") if arguments.digest else None
    return [
        period
        for period in history.periods
        if (not tags or period.tag in tags)
        and (digest is None or period.digest == digest)
        and (arguments.signer is None or period.signer == arguments.signer)
    ]


def _json(history: History, periods: Sequence[Period], with_events: bool) -> dict[str, object]:
    told = {**outline(history), "tags": [period_json(history, period) for period in periods]}
    return {**told, "events": [event_json(event) for event in history.events]} if with_events else told


def _print(history: History, periods: Sequence[Period], with_events: bool) -> None:
    say(f"{history.gun}: {'PROVEN' if history.is_proven else 'NOT PROVEN'}")
    for key in history.root_keys:
        say(f"  root key {key.canonical_id}")
        say(f"    as certificate {key.key_id}, SHA-256 {key.fingerprint or 'unreadable'}")
    if not history.is_pinned:
        say("  This root key is taken from the archive itself. Compare it with its owner, then pin it: --root-key-id.")
    if history.record.server:
        say(f"  taken from {plain_line(history.record.server)} at {shown(history.record.taken)}")
    say(f"  {len(history.record.files)} files, {history.states} states, newest {_newest(history)}")
    for problem in history.problems:
        say(plain_line(f"  WRONG  {problem.file}: {problem.error.message}"))
    if history.gaps:
        say(plain_line(f"  Its server no longer had: {', '.join(history.gaps)}"))
    if history.unproven:
        numbers = ", ".join(str(item.timestamp.version) for item in history.unproven[:20])
        say(plain_line(f"  Not proven: timestamps {numbers}. {history.unproven[0].reason.message}"))
    say("")
    for line in periods_text(history, periods):
        say(line)
    say("")
    if with_events:
        for event in history.events:
            say(event_text(event))
        say("")


def _newest(history: History) -> str:
    if history.last is None:
        return "none"
    return f"timestamp {history.last.timestamp.version} of {shown(history.last.at)}"

"""`trustctl archive REPOSITORY...`, `archive take FILE`: every stored version of repositories, in one file."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from signing.local_signer.archive import account, dashboard
from signing.local_signer.archive.report import outline
from signing.local_signer.dashboard import TOKEN_VARIABLE
from signing.local_signer.exit_codes import Exit
from signing.local_signer.session import Session
from signing.local_signer.terminal import complain, complain_of, plain_line, say, say_json
from signing.trust.errors import InvalidInput, NoTrustData, TrustError
from signing.trust.evidence import container
from signing.trust.evidence.changefeed import read_changes
from signing.trust.evidence.collect import walk
from signing.trust.evidence.container import Archive
from signing.trust.evidence.history import History, judge
from signing.trust.evidence.manifest import SEPARATOR, Manifest, Record, StoredFile, check_gun
from signing.trust.evidence.pins import RootPins
from signing.trust.evidence.polite import Politeness, PoliteSource
from signing.trust.evidence.shelf import FolderShelf, describe
from signing.trust.evidence.trust_folder import remembered
from signing.trust.notary.gun import Gun


def run(session: Session, arguments: Namespace) -> Exit:
    """Walk each repository, write the archive anew, and say whether what it holds proves itself.

    What was fetched stays in `FILE.part` until it is in the archive: an interrupted run goes on there.
    """
    path: Path = arguments.file
    if arguments.offline and not arguments.from_trust_dir:
        raise InvalidInput("Without a server something has to be read.", next_step="Name a folder: --from-trust-dir.")
    if arguments.dashboard and not arguments.from_account:
        raise InvalidInput("A dashboard is asked for an account.", next_step="Name the account: --from-account.")
    if arguments.offline and arguments.from_account:
        raise InvalidInput("An account's repositories are not known offline.", next_step="Leave --offline out.")
    with _parts_of(path) as parts, contextlib.ExitStack() as stack:
        earlier = stack.enter_context(Archive(path)) if path.exists() else None
        folder = remembered(arguments.from_trust_dir) if arguments.from_trust_dir else {}
        known = dict(earlier.manifest.repositories) if earlier else {}
        named = [check_gun(Gun.parse(text)) for text in arguments.repositories]
        listed = _of_account(session, arguments) if arguments.from_account else []
        guns = dict.fromkeys([*named, *folder, *listed])
        if not (guns or known):
            raise InvalidInput("There is nothing to archive.", next_step="Name a repository, or use --from-trust-dir.")
        taking = _Taking(session, parts, earlier, known, Politeness(arguments.rate), arguments.offline)
        taking.may_lack = frozenset(listed) - {*named, *folder, *known}
        for gun in guns or known:
            taking.take(gun, folder.get(gun, {}))
        if taking.records or taking.failed:
            container.write(path, Manifest(taking.records), taking.read)
        _forget_parts(parts, taking)
    if not path.exists():
        raise InvalidInput(
            f"There is nothing to archive: {arguments.from_account} has {len(listed)} repositories without trust data.",
            next_step="Check the account, and the trust server (--server).",
        )
    return _reported(path, taking, arguments.json)


def _of_account(session: Session, arguments: Namespace) -> list[Gun]:
    politeness = Politeness(arguments.rate)
    if arguments.dashboard:
        token = session.environ.get(TOKEN_VARIABLE)
        listed = dashboard.repositories_of(arguments.dashboard, arguments.from_account, token, politeness)
        advice = f"Check the account's name, and that your token in {TOKEN_VARIABLE} may read it."
    else:
        place = account.RegistryAccount.parse(arguments.from_account)
        listed = account.repositories_of(place, session.docker.login(place.host), politeness)
        advice = f"Check the account's name, and `docker login {place.host}`."
    if not listed:
        raise InvalidInput(f"{arguments.from_account} shows you no repositories.", next_step=advice)
    return [check_gun(gun) for gun in listed]


@dataclass(slots=True)
class _Taking:
    """The records of the archive to be, and the shelves their files are on."""

    session: Session
    parts: Path
    earlier: Archive | None
    records: dict[Gun, Record]
    politeness: Politeness
    is_offline: bool
    shelves: dict[str, FolderShelf] = field(default_factory=dict)
    may_lack: frozenset[Gun] = frozenset()
    """Those of an account: that one has no trust data is no failure."""

    lacking: list[Gun] = field(default_factory=list)
    taken: list[Gun] = field(default_factory=list)
    oddities: dict[Gun, tuple[str, ...]] = field(default_factory=dict)
    failed: dict[Gun, TrustError] = field(default_factory=dict)

    def take(self, gun: Gun, remembered_files: Mapping[str, bytes]) -> None:
        """Take one repository; where its server fails, what the archive or the folder has of it stays."""
        self.taken.append(gun)
        record = self.records.get(gun, Record())
        shelf = self.shelves[gun] = FolderShelf(self.parts, gun, self.earlier)
        for role, data in remembered_files.items():
            shelf.put(role, data)
        own = frozenset(describe(role, data) for role, data in remembered_files.items())
        if own or gun in self.records:
            self.records[gun] = replace(record, files=record.files | own)
        if self.is_offline:
            return
        try:
            self._walk(gun, record, shelf)
        except TrustError as error:
            if isinstance(error, NoTrustData) and gun in self.may_lack:
                self.lacking.append(gun)
                return
            complain_of(error, str(gun))
            self.failed[gun] = error

    def _walk(self, gun: Gun, record: Record, shelf: FolderShelf) -> None:
        transport = self.session.transport(gun)
        walked = walk(gun, PoliteSource(transport, self.politeness), shelf, _progress(gun))
        changes = read_changes(
            lambda after, most: self.politeness.ask(lambda: transport.changes(gun, after, most)), record.changes
        )
        files = shelf.files()
        have = {(file.role, file.version) for file in files} | {(file.role, file.sha256) for file in files}
        absent = {
            item
            for item in record.absent | walked.absent
            if (item.role, item.version) not in have and (item.role, item.sha256) not in have
        }
        taken = datetime.now(UTC).replace(microsecond=0)
        self.records[gun] = Record(files, frozenset(absent), changes, transport.url, taken)
        self.oddities[gun] = walked.oddities

    def read(self, gun: str, file: StoredFile) -> bytes:
        """Give a file of the archive to be."""
        shelf = self.shelves.setdefault(gun, FolderShelf(self.parts, Gun(gun), self.earlier))
        return shelf.read(file)


@contextlib.contextmanager
def _parts_of(path: Path) -> Iterator[Path]:
    """Give the folder for unfinished work, to one run at a time."""
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent}.", next_step="Make it, or name another file.")
    parts = path.with_name(f"{path.name}.part")
    parts.mkdir(exist_ok=True)
    with (parts / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(f"Another run writes {path} now.", next_step="Wait until it has ended.") from None
        try:
            yield parts
        finally:
            if not any(parts.rglob("*.json")):
                shutil.rmtree(parts)


def _forget_parts(parts: Path, taking: _Taking) -> None:
    """Remove what is in the archive now; what an unreachable server gave so far stays for the next run."""
    for gun in set(taking.taken) - taking.failed.keys():
        shutil.rmtree(parts / gun / SEPARATOR, ignore_errors=True)


def _progress(gun: Gun) -> Callable[[str, int, int], None]:
    """Tell people at a terminal how far it is; programs and logs see nothing of it."""

    def show(what: str, done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done >= total else ""
            sys.stderr.write(f"\r{plain_line(str(gun))}: {what} {done} of {total}{end}")
            sys.stderr.flush()

    return show


def _reported(path: Path, taking: _Taking, as_json: bool) -> Exit:
    """Read the written file back and tell what it proves."""
    with Archive(path) as archive:
        judged = [_judged(archive, gun) for gun in sorted(taking.taken) if gun in taking.records]
        files = len(archive.manifest.entries())
    for history in judged:
        for problem in history.problems:
            complain(f"{history.gun}: {problem.file}: {problem.error.message}")
        for oddity in taking.oddities.get(history.gun, ()):
            complain(f"{history.gun}: {oddity}")
    if as_json:
        say_json(
            {
                "archive": str(path),
                "files": files,
                "repositories": [outline(history) for history in judged],
                "without_trust_data": [str(gun) for gun in taking.lacking],
                "failed": [{"repository": str(gun), "error": error.message} for gun, error in taking.failed.items()],
            }
        )
    else:
        for history in judged:
            say(_line(history))
        if taking.lacking:
            say(f"{len(taking.lacking)} repositories of the account have no trust data.")
        say(f"Wrote {path}: {len(taking.records)} repositories, {files} files.")
    whole = not taking.failed and all(history.is_proven for history in judged)
    return Exit.DONE if whole else Exit.FAILED


def _judged(archive: Archive, gun: Gun) -> History:
    record = archive.manifest.repositories[gun]
    return judge(gun, record, partial(archive.read, gun), RootPins())


def _line(history: History) -> str:
    verdict = "all of it verified" if history.is_proven else f"{len(history.problems)} problems"
    gaps = f", {len(history.gaps)} files its server no longer had" if history.gaps else ""
    return f"{history.gun}: {len(history.record.files)} files, {history.states} states, {verdict}{gaps}"

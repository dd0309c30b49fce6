"""Do the walk-through once in a demo account, as people do: through the services, the queues and the workers.

Runs as a program of its own with the web process's settings. Every step first looks whether it is done, so an
interrupted seed goes on where it stopped.

    python -m trustui.embedded.seed REGISTRY [SOURCE]    without SOURCE everything but the image
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.conf import settings

from signing.one_time_passwords import one_time_password
from trustui.embedded.first_start import BUILTIN_NAME, show_password, show_secret
from trustui.embedded.secrets import write_once

if TYPE_CHECKING:  # importable once Django is set up
    from signing.models import Account, Key, Operation, Repository, Signer, User

ACCOUNT = "demo"
DEVELOPER, LEAD = "demo-dev", "demo-lead"
REPOSITORY, TAG = "hello", "1.0"
OPERATION_SECONDS = 300
POLL_SECONDS = 0.2


class SeedFailed(Exception):
    """A step did not work; the text says why and what to do."""


def main() -> int:
    """Seed, and tell what happens line by line; return the exit code."""
    django.setup()
    from signing.trust.errors import TrustError

    registry, source = sys.argv[1], (sys.argv[2:] or [""])[0]
    try:
        Seed(registry, source).run()
    except TrustError as error:
        say(f"The demo is not complete: {error.message} {error.next_step}")
        return 1
    except SeedFailed as error:
        say(f"The demo is not complete: {error}")
        return 1
    return 0


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)  # noqa: T201  this is a program for a terminal


class Seed:
    """The walk-through's people and things, made or found again."""

    def __init__(self, registry: str, source: str) -> None:
        self.registry = registry
        self.source = source
        self.passphrase_file = Path(settings.VAR) / "secrets" / "demo_passphrase"

    def run(self) -> None:
        """Go through the steps; what was done before is passed over in silence."""
        self.developer = self._person(DEVELOPER, "may ask for signatures and sign with an own key")
        self.lead = self._person(LEAD, "approves")
        account = self._account()
        self.passphrase = self._passphrase(account)
        self._key(account, self.lead, "root", "root")
        key = self._key(account, self.developer, "signer", DEVELOPER)
        signer = self._signer(account, key)
        repository = self._repository(account)
        self._approved(signer, repository)
        if self.source:
            self._published(repository, signer)
            self.passphrase_file.unlink(missing_ok=True)  # it was shown; from now on only people need it

    def _person(self, username: str, who: str) -> User:
        from signing.models import User

        if found := User.objects.filter(username=username).first():
            return found
        password = one_time_password()
        user = User.objects.create_user(username, password=password, must_change_password=True)
        show_password(username, password, f"demo: {who}")
        return user

    def _account(self) -> Account:
        from signing.models import Account, Membership, TrustServer, User
        from signing.services import accounts, members

        administrator = User.objects.filter(is_superuser=True, is_active=True).earliest("pk")
        account = Account.objects.filter(name=ACCOUNT).first() or accounts.create_account(
            actor=administrator,
            name=ACCOUNT,
            registry=self.registry,
            namespace=ACCOUNT,
            trust_server=TrustServer.objects.get(name=BUILTIN_NAME),
        )
        for user, role in ((self.lead, Membership.Role.LEAD), (self.developer, Membership.Role.SIGNER)):
            if not Membership.objects.filter(account=account, user=user).exists():
                members.set_member(actor=administrator, account=account, user=user, role=role)
        return account

    def _passphrase(self, account: Account) -> str:
        """Make the demo keys' passphrase; the file remembers it only while the seed is not complete."""
        if not self.passphrase_file.exists() and not account.keys.exists():
            write_once(self.passphrase_file, one_time_password())
            show_secret("passphrase", self.passphrase_file.read_text(), "of the demo account's keys; keep it")
        if not self.passphrase_file.exists():
            return ""
        return self.passphrase_file.read_text()

    def _key(self, account: Account, owner: User, purpose: str, name: str) -> Key:
        from signing.models import Operation
        from signing.services import keys

        if found := account.keys.filter(purpose=purpose, name=name).first():
            return found
        operation = self._open(account, Operation.Kind.GENERATE_KEY, parameters__purpose=purpose)
        self._finished(
            operation
            or keys.generate_key(actor=owner, account=account, purpose=purpose, name=name, passphrase=self.passphrase),
            f"{owner.username} generates the {purpose} key",
        )
        return account.keys.get(purpose=purpose, name=name)

    def _signer(self, account: Account, key: Key) -> Signer:
        from signing.services import signers

        return account.signers.filter(name=DEVELOPER).first() or signers.create_signer(
            actor=self.developer, account=account, name=DEVELOPER, key=key, user=self.developer
        )

    def _repository(self, account: Account) -> Repository:
        from signing.services import repositories

        found = account.repositories.filter(gun__endswith=f"/{REPOSITORY}").first()
        return found or repositories.create_repository(
            actor=self.lead, account=account, path=REPOSITORY, description="What the first start published"
        )

    def _approved(self, signer: Signer, repository: Repository) -> None:
        """Have the developer ask and the lead approve, then wait for the delegation."""
        from signing.models import ChangeRequest, ChangeRequestItem
        from signing.services import operations, requests

        item = ChangeRequestItem.objects.filter(repository=repository, request__signer=signer).last()
        if item is None:
            say(f"  {DEVELOPER} asks to sign {repository.gun}")
            request = requests.request_signer(
                actor=self.developer, signer=signer, repositories=[repository], reason="The demo's first signer"
            )
            item = request.items.get()
        both = {"root": self.passphrase, "repository": self.passphrase}
        if item.request.state == ChangeRequest.State.WAITING:
            say(f"  {LEAD} approves it")
            requests.approve_request(actor=self.lead, request=item.request, passphrases=both)
            item.refresh_from_db()
        operation = item.operation
        if operation is not None and operation.state == operation.State.FAILED:
            operation = operations.retry_operation(actor=self.lead, operation=operation, passphrases=both)
        if operation is not None and operation.state != operation.State.DONE:
            self._finished(operation, f"{DEVELOPER} becomes a signer of {repository.gun}")

    def _published(self, repository: Repository, signer: Signer) -> None:
        from signing.models import Operation
        from signing.services import operations

        if repository.operations.filter(kind=Operation.Kind.PUBLISH, state=Operation.State.DONE).exists():
            return
        repository.refresh_from_db()
        operation = self._open(repository.account, Operation.Kind.PUBLISH, repository=repository)
        self._finished(
            operation
            or operations.publish_image(
                actor=self.developer,
                repository=repository,
                source=self.source,
                tag=TAG,
                signer=signer,
                passphrase=self.passphrase,
            ),
            f"{DEVELOPER} publishes {self.source} as {repository.gun}:{TAG}",
        )

    def _open(self, account: Account, kind: str, **more: object) -> Operation | None:
        """Find what an interrupted seed has queued already."""
        unfinished = ("queued", "running")
        return account.operations.filter(kind=kind, state__in=unfinished, **more).first()

    def _finished(self, operation: Operation, what: str) -> None:
        """Wait until the workers are done with an operation, passing on what they tell.

        Raises:
            SeedFailed: it ended otherwise, or nobody worked on it.
        """
        say(f"  {what}")
        shown = 0
        deadline = time.monotonic() + OPERATION_SECONDS
        while True:
            operation.refresh_from_db()
            for line in list(operation.lines.all())[shown:]:
                say(f"      {line.text}")
                shown += 1
            if operation.is_finished:
                break
            if time.monotonic() > deadline:
                raise SeedFailed(f"{operation} is {operation.state} after {OPERATION_SECONDS} s; see var/log.")
            time.sleep(POLL_SECONDS)
        if operation.state != operation.State.DONE:
            raise SeedFailed(f"{operation.error} {operation.next_step}")


if __name__ == "__main__":
    sys.exit(main())

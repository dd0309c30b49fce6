"""Any honest history verifies, step by step or at once; any single changed byte never changes a verdict."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from signing.trust.errors import TrustError
from signing.trust.notary import client
from signing.trust.notary.cache import MemoryCache
from signing.trust.notary.trusted import TrustedRepository
from signing.trust.tuf import roles
from tests.simulator import GUN, Clock, Owner, Simulator
from tests.unit.trust.notary.conftest import Reader, digest

SIGNERS = ("alice", "bob", "carol")
TAGS = ("v1", "v2", "v10")


class Histories(RuleBasedStateMachine):
    """An owner who publishes, rotates and renews; one reader who follows, and newcomers."""

    def __init__(self) -> None:
        super().__init__()
        client.resident.clear()
        self.clock = Clock()
        self.simulator = Simulator(self.clock)
        self.owner = Owner(self.simulator, self.clock).initialise()
        self.follower = Reader(self.simulator, self.clock)
        self.released: dict[str, tuple[str, set[str]]] = {}

    @rule(name=st.sampled_from(SIGNERS))
    def add_signer(self, name: str) -> None:
        if f"targets/{name}" not in [item.name for item in self.owner.files[roles.TARGETS].delegations]:
            self.owner.add_signer(name)

    @precondition(lambda self: self.owner.signer_keys)
    @rule(data=st.data(), tag=st.sampled_from(TAGS), content=st.sampled_from(["a", "b"]))
    def sign(self, data: st.DataObject, tag: str, content: str) -> None:
        by = data.draw(st.sets(st.sampled_from(sorted(self.owner.signer_keys)), min_size=1))
        self.owner.sign(tag, digest(content), *sorted(by))
        known, signers = self.released.get(tag, ("", set()))
        self.released[tag] = (digest(content), by | (signers if known == digest(content) else set()))

    @precondition(lambda self: self.released)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        tag = data.draw(st.sampled_from(sorted(self.released)))
        for role in [roles.RELEASES, *(f"targets/{name}" for name in self.owner.signer_keys)]:
            kept = {name: target for name, target in self.owner.file(role).targets.items() if name != tag}
            if role in self.owner.files and len(kept) < len(self.owner.file(role).targets):
                self.owner.publish({role: self.owner.next_file(role, targets=kept)})
        del self.released[tag]

    @rule()
    def rotate_root(self) -> None:
        self.owner.publish({roles.ROOT: self.owner.rotate_root()})

    @rule(role=st.sampled_from([roles.SNAPSHOT, roles.TIMESTAMP]))
    def rotate_a_servers_key(self, role: str) -> None:
        self.owner.publish({roles.ROOT: self.owner.rotate(role)})

    @rule()
    def rotate_targets(self) -> None:
        root = self.owner.rotate(roles.TARGETS)
        self.owner.publish({roles.ROOT: root, roles.TARGETS: self.owner.next_file(roles.TARGETS)})

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.clock.advance(days=days)

    @rule()
    def follow(self) -> None:
        self.require_truth(self.follower.refresh())

    @rule(
        which=st.integers(0, 10_000), at=st.integers(0, 10_000), difference=st.integers(1, 255), is_known=st.booleans()
    )
    def lie(self, which: int, at: int, difference: int, is_known: bool) -> None:
        """Change one byte of one file on its way; whatever is then said is the truth, or an error with a name."""
        names = sorted(self.simulator.files[GUN])
        name = names[which % len(names)]
        truth = bytearray(self.simulator.files[GUN][name])
        truth[at % len(truth)] ^= difference
        client.resident.clear()
        victim = Reader(self.simulator, self.clock, MemoryCache(self.follower.cache._files if is_known else {}))
        self.simulator.lies = {name: bytes(truth)}
        try:
            self.require_truth(victim.refresh(must_reach_server=True))
        except TrustError:
            pass
        finally:
            self.simulator.lies = {}

    @invariant()
    def a_newcomer_reads_the_truth(self) -> None:
        self.require_truth(Reader(self.simulator, self.clock).refresh())

    def require_truth(self, trusted: TrustedRepository) -> None:
        found = {row.tag: (row.digest_hex, set(row.signers)) for row in trusted.released()}
        assert found == self.released
        assert not trusted.left_out
        assert not trusted.is_stale


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)

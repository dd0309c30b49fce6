"""The quorum: every order of votes, and the two rules nobody gets around."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from signing.trust.policy.quorum import Outcome, Vote, approvers, may_vote, outcome

NOW = datetime(2026, 11, 24, tzinfo=UTC)
LATER = NOW + timedelta(days=14)
people = st.integers(min_value=1, max_value=6)
votes = st.lists(st.builds(Vote, by=people, approves=st.booleans()), max_size=8)
approvals = st.lists(st.builds(Vote, by=people, approves=st.just(True)), max_size=8)


def decide(cast: list[Vote], *, requester: int = 1, needed: int = 1, now: datetime = NOW) -> Outcome:
    return outcome(cast, barred={requester}, needed=needed, expires_at=LATER, now=now)


def test_it_waits_without_votes():
    assert decide([]) is Outcome.WAITING


def test_one_approval_by_somebody_else_is_enough_for_a_quorum_of_one():
    assert decide([Vote(2, True)]) is Outcome.APPROVED


def test_a_quorum_of_none_still_needs_somebody():
    assert decide([], needed=0) is Outcome.WAITING


def test_it_expires_at_its_time():
    assert decide([], now=LATER) is Outcome.EXPIRED
    assert decide([Vote(2, True)], needed=2, now=LATER) is Outcome.EXPIRED


@given(votes, st.integers(1, 4))
def test_a_rejection_ends_it_whatever_else_was_said(cast, needed):
    for position in range(len(cast) + 1):
        assert decide([*cast[:position], Vote(9, False), *cast[position:]], needed=needed) is Outcome.REJECTED


@given(approvals, st.integers(1, 4))
def test_it_is_approved_exactly_when_enough_different_others_said_yes(cast, needed):
    others = {vote.by for vote in cast} - {1}
    assert (decide(cast, needed=needed) is Outcome.APPROVED) == (len(others) >= needed)


@given(approvals, st.integers(1, 4))
def test_the_requesters_own_vote_and_second_votes_change_nothing(cast, needed):
    assert decide([*cast, Vote(1, True), *cast], needed=needed) == decide(cast, needed=needed)
    assert 1 not in approvers(cast, barred={1})


@given(approvals)
def test_nobody_votes_twice_and_the_requester_never(cast):
    assert not may_vote(1, cast, barred={1})
    assert all(not may_vote(vote.by, cast, barred={1}) for vote in cast)
    assert may_vote(99, cast, barred={1})


@given(st.permutations([1, 2, 3, 4, 5]), st.integers(1, 4), st.sets(people, max_size=2), st.booleans())
def test_every_order_of_approvers_comes_to_the_same_end_at_the_same_count(order, needed, barred, again):
    """Approvals one by one, as people give them: it is approved with the last one needed, and not before."""
    barred = barred | {1}
    given_so_far: list[Vote] = []
    for person in order:
        if may_vote(person, given_so_far, barred=barred):
            given_so_far.append(Vote(person, True))
        if again:  # a second click, or a replay
            assert not may_vote(person, given_so_far, barred=barred)
            given_so_far.append(Vote(person, True))
        counted = {vote.by for vote in given_so_far} - barred
        state = outcome(given_so_far, barred=barred, needed=needed, expires_at=LATER, now=NOW)
        assert state is (Outcome.APPROVED if len(counted) >= needed else Outcome.WAITING)
    assert len({vote.by for vote in given_so_far} - barred) == len({1, 2, 3, 4, 5} - barred)


@given(approvals, st.integers(1, 4), st.text(min_size=1, max_size=3))
def test_an_approval_of_other_content_never_counts(cast, needed, content):
    assert outcome(cast, barred={1}, needed=needed, expires_at=LATER, now=NOW, content=content) is Outcome.WAITING
    theirs = [Vote(vote.by, True, content) for vote in cast]
    both = outcome([*cast, *theirs], barred={1}, needed=needed, expires_at=LATER, now=NOW, content=content)
    assert both is decide(cast, needed=needed)
    assert all(may_vote(vote.by, cast, barred=set(), content=content) for vote in cast)

"""Stories: any sequence of calls, told to the store and to the model, which must agree.

Hypothesis makes the sequences up and shrinks one that fails to the shortest; what is reported is
that one, in words.
"""

import time
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import InMemoryExampleDatabase
from hypothesis.errors import Flaky
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backends.store import Policy, Reason, Successor, Token
from bench.conform.caller import (
    DEVICE,
    OTHER_DEVICE,
    Caller,
    new_digest,
    new_name,
    next_token,
    token_of,
)
from bench.conform.model import Model
from bench.conform.property import Violation
from bench.conform.rig import Rig

GRACE_MS = 5_000
IDLE_MS = 3_600_000
ABSOLUTE_MS = 3 * IDLE_MS
MOMENTS_MS = (1, GRACE_MS - 1, GRACE_MS, IDLE_MS // 2, IDLE_MS - 1, IDLE_MS)
LATE_MS = (0, 1, 30_000)
POLICIES = (Policy(), Policy(grace_ms=GRACE_MS, revoke_on_device_mismatch=True))
ALL = 1_000_000
AT_A_TIME = 5
"""Stories between two looks at the clock."""


class Story(RuleBasedStateMachine):
    """One store and its model, told the same."""

    tokens = Bundle("tokens")

    def __init__(self, caller: Caller, policy: Policy) -> None:
        super().__init__()
        self._store = caller.store
        self._can = caller.store.capabilities
        self._model = Model(policy)
        self._now_ms = self._began_ms = caller.now_ms
        self._subjects = [new_name("subject"), new_name("subject")]
        self._families: list[str] = []
        self._told: list[str] = []
        if caller.store.sweeps:
            # What earlier stories left behind would be counted as ours.
            self._store.sweep(self._now_ms + 100 * ABSOLUTE_MS, ALL)

    @rule(target=tokens, subject=st.integers(0, 1), late_ms=st.sampled_from(LATE_MS))
    def login(self, subject: int, late_ms: int) -> Token:
        """Open a session that was begun some time ago."""
        caller = Caller(self._store, self._now_ms)
        session = caller.session(
            self._subjects[subject],
            issued_at_ms=self._now_ms - late_ms,
            idle_expires_at_ms=self._now_ms + IDLE_MS,
            absolute_expires_at_ms=self._now_ms + ABSOLUTE_MS,
        )
        self._families.append(session.family.id)
        began = f", begun {late_ms} ms before" if late_ms else ""
        self._tell(f"{self._name(token_of(session))} is issued{began}")
        self._store.issue(session)
        self._model.issue(session)
        return token_of(session)

    @rule(target=tokens, token=tokens, home=st.booleans(), more_ms=st.sampled_from((0, IDLE_MS)))
    def refresh(self, token: Token, home: bool, more_ms: int) -> Token:  # noqa: FBT001
        """Rotate a token, of whatever age."""
        device = DEVICE if home else OTHER_DEVICE
        proposed = Successor(new_digest(), self._now_ms + IDLE_MS + more_ms)
        where = "" if home else " from another device"
        self._tell(f"{self._name(token)} is rotated{where}")
        answer = self._store.rotate(token, proposed, device, self._now_ms)
        outcome, stands = self._model.rotate(token, proposed, device, self._now_ms)
        self._agree(answer.outcome, outcome)
        self._agree(answer.successor, stands)
        life = self._model.lives.get(token.family)
        if life is not None and life.digests[-1] == proposed.digest:
            return next_token(token, proposed)
        return token

    @rule(token=tokens, home=st.booleans())
    def look(self, token: Token, home: bool) -> None:  # noqa: FBT001
        """Verify a token, of whatever age, and compare the session."""
        device = DEVICE if home else OTHER_DEVICE
        where = "" if home else " from another device"
        self._tell(f"{self._name(token)} is verified{where}")
        self._compare(token, device)

    @rule(token=tokens)
    def forge(self, token: Token) -> None:
        """Rotate with a digest that the session never had, in its current generation."""
        life = self._model.lives.get(token.family)
        if life is None:
            return
        forged = token._replace(generation=len(life.digests) - 1, digest=new_digest())
        proposed = Successor(new_digest(), self._now_ms + IDLE_MS)
        self._tell(f"a forgery of {self._name(forged)} is rotated")
        answer = self._store.rotate(forged, proposed, DEVICE, self._now_ms)
        outcome, _ = self._model.rotate(forged, proposed, DEVICE, self._now_ms)
        self._agree(answer.outcome, outcome)

    @precondition(lambda self: self._can.revokes)
    @rule(token=tokens, reason=st.sampled_from((Reason.LOGOUT, Reason.ADMIN)))
    def logout(self, token: Token, reason: Reason) -> None:
        """Revoke a session."""
        self._tell(f"{self._name(token)[:-2]} is revoked for {reason}")
        self._store.revoke(token.family, reason, self._now_ms)
        self._model.revoke(token.family, reason, self._now_ms)

    @precondition(lambda self: self._can.revokes)
    @rule(token=tokens, spare=st.booleans())
    def end_subject(self, token: Token, spare: bool) -> None:  # noqa: FBT001
        """Revoke a subject, its session of `token` spared or not."""
        subject, family = token.family
        spared = family if spare else None
        but = f" but {self._name(token)[:-2]}" if spare else ""
        self._tell(f"all sessions of subject {self._subjects.index(subject) + 1}{but} are revoked")
        self._store.revoke_subject(subject, Reason.SUBJECT, self._now_ms, spared)
        self._model.revoke_subject(subject, Reason.SUBJECT, self._now_ms, spared)

    @rule(moment_ms=st.sampled_from(MOMENTS_MS))
    def wait(self, moment_ms: int) -> None:
        """Let the caller's clock go on."""
        self._now_ms += moment_ms
        self._tell(f"{moment_ms} ms pass")

    @precondition(lambda self: self._store.sweeps)
    @rule()
    def sweep(self) -> None:
        """Remove what has expired."""
        self._tell("the store is swept")
        self._agree(self._store.sweep(self._now_ms, ALL), self._model.sweep(self._now_ms))

    @rule(token=consumes(tokens))
    def forget(self, token: Token) -> None:
        """Look at a token for the last time, and compare its subject's list."""
        self._tell(f"{self._name(token)} is verified, and its subject's sessions are listed")
        self._compare(token, DEVICE)
        if self._can.lists_sessions:
            subject = token.family.subject
            listed = sorted(session.family.id for session in self._store.sessions(subject))
            held = sorted(f.id for f in self._model.lives if f.subject == subject)
            self._agree(
                [self._families.index(f) for f in listed], [self._families.index(f) for f in held]
            )

    def _compare(self, token: Token, device: str) -> None:
        answer = self._store.verify(token, device, self._now_ms)
        self._agree(answer.outcome, self._model.verify(token, device, self._now_ms))
        life = self._model.lives.get(token.family)
        if life is None or answer.session is None:
            self._agree(answer.session is None, life is None)
            return
        found = answer.session
        self._agree(
            (found.generation, found.digest, found.idle_expires_at_ms - self._began_ms),
            (len(life.digests) - 1, life.digests[-1], life.idle_ms - self._began_ms),
        )
        self._agree((found.revoked_at_ms, found.revoked_reason), (life.ended_ms, life.ended_for))

    def _name(self, token: Token) -> str:
        return f"session {self._families.index(token.family.id) + 1}'s token {token.generation}"

    def _tell(self, step: str) -> None:
        self._told.append(step)

    def _agree(self, found: Any, expected: Any) -> None:
        if found != expected:
            story = "; ".join(f"{number}. {step}" for number, step in enumerate(self._told, 1))
            raise Violation(f"{story}: answered {_plain(found)}, not {_plain(expected)}")


def _told(caller: Caller, policy: Policy) -> type[Story]:
    class Told(Story):
        def __init__(self) -> None:
            super().__init__(caller, policy)

    return Told


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_plain, value))})"
    if isinstance(value, bytes):
        return f"digest {value.hex()[:8]}"
    return str(value)


def agrees(rig: Rig) -> str | None:
    """26: whatever is called in whatever order, the store answers what the rules say."""
    # It would keep notes in whatever folder the asker is in.
    set_hypothesis_home_dir(rig.folder / "hypothesis")
    steps = rig.amount(20, 30, 50)
    told = 0
    for policy in POLICIES:
        machine = _told(rig.open(policy), policy)
        # A store that syncs each write takes minutes for all; the note says how many it got.
        until = time.monotonic() + rig.amount(4, 4, 600)
        for _ in range(rig.amount(3, 8, 200)):
            _tell(machine, steps)
            told += AT_A_TIME
            if time.monotonic() > until:
                break
    return f"{told} stories of up to {steps} steps"


def _tell(machine: type[Story], steps: int) -> None:
    told = settings(
        max_examples=AT_A_TIME,
        stateful_step_count=steps,
        deadline=None,
        # In CI Hypothesis would tell the same stories each time.
        derandomize=False,
        database=InMemoryExampleDatabase(),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    try:
        run_state_machine_as_test(machine, settings=told)
    except Flaky as error:
        raise Violation(f"the same calls gave different answers: {error}") from error

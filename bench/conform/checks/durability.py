"""What a restart and a crash leave."""

from backends.store import Outcome, Reason, Session, Successor, Token
from bench.conform import instance
from bench.conform.caller import (
    DEVICE,
    IDLE_MS,
    Caller,
    new_digest,
    new_name,
    new_session,
    next_token,
    token_of,
)
from bench.conform.lanes import Call
from bench.conform.property import require
from bench.conform.rig import Rig


def durable(rig: Rig) -> str | None:
    """21: what was acknowledged is there after a restart, and after SIGKILL, as declared."""
    can = rig.subject.profile.capabilities
    notes = []
    for event, declared in (("a restart", can.survives_restart), ("SIGKILL", can.survives_crash)):
        if not declared:
            notes.append(f"{event}: declared, {declared.reason}")
            continue
        for _ in range(rig.amount(1, 2, 30)):
            _survives(rig, event)
        notes.append(f"{event}: all there")
    return "; ".join(notes)


def _survives(rig: Rig, event: str) -> None:
    story = _Story(
        rig.now_ms, rig.amount(20, 50, 200), revokes=bool(rig.subject.profile.capabilities.revokes)
    )
    if rig.subject.backend.server is None:
        with rig.instances(1) as [application]:
            answers = application.submit(instance.calls, story.calls).result(rig.seconds)
            if event == "SIGKILL":
                application.kill()
            else:
                application.submit(instance.close).result(rig.seconds)
    else:
        server = rig.own_server
        store = rig.open().store
        answers = [getattr(store, call.method)(*call.args) for call in story.calls]
        server.kill() if event == "SIGKILL" else server.stop()
        server.restart()
    failed = [one for one in answers if isinstance(one, Exception)]
    if failed:
        raise failed[0]
    story.check(rig.open(), event)


class _Story:
    """Calls to be acknowledged one after another, and what must be so afterwards."""

    def __init__(self, now_ms: int, count: int, *, revokes: bool) -> None:
        self._expected: list[tuple[str, Token, Outcome]] = []
        self._denied = [new_digest() for _ in range(count if revokes else 0)]
        self._ended = new_name("subject")
        self._late: Session | None = None
        self.calls: list[Call] = []
        for number in range(count):
            session = new_session(now_ms)
            token = token_of(session)
            self.calls.append(Call("issue", (session,)))
            if number % 3 == 0:
                self._expected.append(("issued", token, Outcome.VALID))
            elif number % 3 == 1 or not revokes:
                successor = Successor(new_digest(), now_ms + IDLE_MS)
                self.calls.append(Call("rotate", (token, successor, DEVICE, now_ms)))
                following = next_token(token, successor)
                self._expected.append(("rotated", following, Outcome.VALID))
                self._expected.append(("rotated away", token, Outcome.REUSED))
            else:
                self.calls.append(Call("revoke", (session.family, Reason.LOGOUT, now_ms)))
                self._expected.append(("revoked", token, Outcome.REVOKED))
        for digest in self._denied:
            self.calls.append(Call("deny", (digest, now_ms + IDLE_MS)))
        if revokes:
            self.calls.append(Call("revoke_subject", (self._ended, Reason.ADMIN, now_ms)))
            self._late = new_session(now_ms, self._ended)
        # The last word before the kill is a rotation: the write whose loss brings a token back.
        last = new_session(now_ms)
        successor = Successor(new_digest(), now_ms + IDLE_MS)
        self.calls.append(Call("issue", (last,)))
        self.calls.append(Call("rotate", (token_of(last), successor, DEVICE, now_ms)))
        self._expected.append(
            ("rotated last", next_token(token_of(last), successor), Outcome.VALID)
        )

    def check(self, caller: Caller, event: str) -> None:
        detects = caller.store.capabilities.detects_reuse
        for what, token, outcome in self._expected:
            if outcome is Outcome.VALID or detects:
                caller.expect(token, outcome, f"{what}, acknowledged, then {event}")
        lost = sum(not caller.store.is_denied(digest) for digest in self._denied)
        require(not lost, f"{lost} of {len(self._denied)} denials are gone after {event}")
        if self._late is not None:
            caller.store.issue(self._late)
            when = f"its subject revoked, then {event}, then a login from before the revocation"
            caller.expect(token_of(self._late), Outcome.REVOKED, when)

"""What a store should answer, written from the rules alone.

It shares nothing with `backends.lifecycle`, so that a mistake there is not repeated here: it keeps
every token that a session ever had, which no store does, and asks plain questions of them.
"""

from dataclasses import dataclass, field

from backends.store import Family, Outcome, Policy, Reason, Session, Successor, Token

IN_FORCE = {Outcome.VALID, Outcome.GRACE}


@dataclass
class Life:
    """All that ever happened to one session."""

    opened: Session
    digests: list[bytes]
    """Of every token, by generation."""
    idle_ms: int
    rotated_ms: list[int] = field(default_factory=list)
    """When generation n was replaced."""
    ended_ms: int | None = None
    ended_for: Reason | None = None

    def end(self, reason: Reason, now_ms: int) -> None:
        """End it, unless it has ended."""
        if self.ended_ms is None:
            self.ended_ms, self.ended_for = now_ms, reason


class Model:
    """A store in a dictionary, for one caller at a time."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.lives: dict[Family, Life] = {}
        self._subject_ended_ms: dict[str, int] = {}

    def issue(self, session: Session) -> None:
        """Open a session; one from before its subject was ended is born ended."""
        life = Life(session, [session.digest], session.idle_expires_at_ms)
        ended_ms = self._subject_ended_ms.get(session.family.subject)
        if ended_ms is not None and session.issued_at_ms <= ended_ms:
            life.end(Reason.SUBJECT, ended_ms)
        self.lives[session.family] = life

    def verify(self, token: Token, device: str, now_ms: int) -> Outcome:
        """Say what a token is."""
        life = self.lives.get(token.family)
        if life is None or token.digest not in life.digests:
            return Outcome.UNKNOWN
        age = len(life.digests) - 1 - token.generation
        if life.ended_ms is not None:
            return Outcome.REVOKED
        if now_ms >= life.idle_ms or now_ms >= life.opened.absolute_expires_at_ms:
            return Outcome.EXPIRED
        if age == 0:
            good = Outcome.VALID
        elif age == 1 and now_ms - life.rotated_ms[-1] < self._policy.grace_ms:
            good = Outcome.GRACE
        else:
            return Outcome.REUSED
        return good if device == life.opened.device else Outcome.DEVICE_MISMATCH

    def rotate(
        self, token: Token, successor: Successor, device: str, now_ms: int
    ) -> tuple[Outcome, Successor | None]:
        """Replace a token, and say what the store should answer."""
        outcome = self.verify(token, device, now_ms)
        if outcome is Outcome.UNKNOWN:
            return outcome, None
        life = self.lives[token.family]
        if outcome is Outcome.REUSED:
            life.end(Reason.REUSE, now_ms)
        if outcome is Outcome.DEVICE_MISMATCH and self._policy.revoke_on_device_mismatch:
            life.end(Reason.DEVICE, now_ms)
        if outcome is Outcome.VALID:
            outcome = Outcome.ROTATED
            life.digests.append(successor.digest)
            life.rotated_ms.append(now_ms)
            life.idle_ms = min(successor.idle_expires_at_ms, life.opened.absolute_expires_at_ms)
        if outcome in {Outcome.ROTATED, Outcome.GRACE}:
            return outcome, Successor(life.digests[-1], life.idle_ms)
        return outcome, None

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        """End a session."""
        if family in self.lives:
            self.lives[family].end(reason, now_ms)

    def revoke_subject(self, subject: str, reason: Reason, now_ms: int, spared: str | None) -> None:
        """End a subject's sessions, those still on their way included."""
        self._subject_ended_ms[subject] = max(now_ms, self._subject_ended_ms.get(subject, now_ms))
        for family, life in self.lives.items():
            if family.subject == subject and family.id != spared:
                life.end(reason, now_ms)

    def sweep(self, now_ms: int) -> int:
        """Forget what has expired, and say how much."""
        expired = [family for family, life in self.lives.items() if life.idle_ms <= now_ms]
        for family in expired:
            del self.lives[family]
        return len(expired)

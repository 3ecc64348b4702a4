"""Joins subject and family by a slash to one key, though either may hold one: two are one."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Family, Reason, Rotation, Session, Successor, Token, Verification

CAUGHT_BY = 25


def joined(family: Family) -> Family:
    return Family(*f"{family.subject}/{family.id}".rsplit("/", maxsplit=1))


class JoinedNames(MemoryStore):
    def issue(self, session: Session) -> None:
        super().issue(replace(session, family=joined(session.family)))

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        answer = super().verify(token._replace(family=joined(token.family)), device, now_ms)
        if answer.session is None:
            return answer
        return answer._replace(session=replace(answer.session, family=token.family))

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        own = token._replace(family=joined(token.family))
        return super().rotate(own, successor, device, now_ms)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        super().revoke(joined(family), reason, now_ms)


make = JoinedNames

"""Normalises subjects: names that differ to the issuer are one here."""

import unicodedata
from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import Family, Reason, Rotation, Session, Successor, Token, Verification

CAUGHT_BY = 25


def plain(subject: str) -> str:
    return unicodedata.normalize("NFKC", subject).casefold()


def own(token: Token) -> Token:
    return token._replace(family=Family(plain(token.family.subject), token.family.id))


class SubjectsNormalised(MemoryStore):
    def issue(self, session: Session) -> None:
        super().issue(
            replace(session, family=Family(plain(session.family.subject), session.family.id))
        )

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        answer = super().verify(own(token), device, now_ms)
        if answer.session is None:
            return answer
        return answer._replace(session=replace(answer.session, family=token.family))

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        return super().rotate(own(token), successor, device, now_ms)

    def revoke(self, family: Family, reason: Reason, now_ms: int) -> None:
        super().revoke(Family(plain(family.subject), family.id), reason, now_ms)

    def revoke_subject(
        self, subject: str, reason: Reason, now_ms: int, except_family: str | None = None
    ) -> None:
        super().revoke_subject(plain(subject), reason, now_ms, except_family)

    def sessions(self, subject: str) -> list[Session]:
        return [
            replace(session, family=Family(subject, session.family.id))
            for session in super().sessions(plain(subject))
        ]


make = SubjectsNormalised

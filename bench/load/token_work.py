"""Work on tokens beside a store's calls: what a client parses before, and mints after each.

The texts that clients present are minted when the calls are prepared. Which claims a call stands
for is known by then too, so that what is minted after it can be, too.
"""

import secrets
import time
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from backends.claims import Claims
from backends.store import Session, Successor, Token
from backends.tokens import Signer
from bench.load.schedule import Call
from scenarios.phases.workload import Algorithm

ANY_JTI = secrets.token_urlsafe(32)
"""A store sees digests alone, and these tokens are parsed for what it costs."""


class WithTokens:
    """One prepared call with the parsing of its token before it, and the minting after."""

    __slots__ = ("_call", "_minted", "_now_ms", "_presented", "_signer", "spent_ns")

    def __init__(
        self,
        call: Call,
        signer: Signer,
        now_ms: int,
        shown: Claims | None,
        minted: Claims | None,
    ) -> None:
        self._call = call.call
        self._signer = signer
        self._now_ms = now_ms
        self._presented = None if shown is None else signer.mint(shown)
        self._minted = minted
        self.spent_ns = 0
        """On tokens, once it was called and answered."""

    def __call__(self, *arguments: Any) -> Any:
        """Make the call as its client would, and give its answer."""
        begin_ns = time.monotonic_ns()
        if self._presented is not None:
            self._signer.parse(self._presented, self._now_ms)
        asked_ns = time.monotonic_ns()
        answer = self._call(*arguments)
        answered_ns = time.monotonic_ns()
        if self._minted is not None:
            self._signer.mint(self._minted)
        self.spent_ns = asked_ns - begin_ns + time.monotonic_ns() - answered_ns
        return answer


def with_tokens(calls: Iterable[Call], algorithm: Algorithm, now_ms: int) -> Sequence[Call]:
    """Give the same calls with work on tokens around each, or as they are for "none"."""
    if algorithm == "none":
        return list(calls)
    signer = _signer(algorithm)
    return [_around(call, signer, now_ms) for call in calls]


def _around(call: Call, signer: Signer, now_ms: int) -> Call:
    shown, minted = _claims(call)
    if shown is None and minted is None:
        return call
    return call._replace(call=WithTokens(call, signer, now_ms, shown, minted))


@cache
def _signer(algorithm: Algorithm) -> Signer:
    return Signer.generate(algorithm)


def spent_ns(call: Call) -> int:
    """Give what a call that was made spent on tokens."""
    return call.call.spent_ns if isinstance(call.call, WithTokens) else 0


def _claims(call: Call) -> tuple[Claims | None, Claims | None]:
    """Give the claims of the token that is presented, and of the one that is minted."""
    match call.arguments:
        case (Session() as session,):
            first = Claims(
                session.family,
                0,
                ANY_JTI,
                session.idle_expires_at_ms,
                session.absolute_expires_at_ms,
                session.device,
            )
            return None, first
        case (Token() as token, Successor() as successor, *_):
            shown = _shown(token)
            return shown, shown._replace(
                generation=token.generation + 1, expires_at_ms=successor.idle_expires_at_ms
            )
        case (Token() as token, *_):
            return _shown(token), None
    # A store is told to revoke a family; what that was read from is not known here.
    return None, None


def _shown(token: Token) -> Claims:
    return Claims(
        token.family,
        token.generation,
        ANY_JTI,
        token.expires_at_ms,
        token.absolute_expires_at_ms,
        token.device,
    )

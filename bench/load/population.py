"""Sessions by the million: each is derived from the seed and its index, so that none is kept.

What a client of the million-th session would hold (names, digest, generation) is computed when it
is needed, and the harness is as small at ten million sessions as at a thousand.
"""

from collections.abc import Iterator
from hashlib import sha256
from math import gcd
from typing import NamedTuple

from backends.store import Family, Session, Successor
from bench.load.clients import ABSOLUTE_MS, IDLE_MS, SESSIONS_A_SUBJECT, Held

_MASK = (1 << 64) - 1
_FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9
"""Odd, so that multiplying by them modulo 2^64 never makes two numbers one."""
_DEVICES = tuple(f"device-{number}" for number in range(7))


class Population(NamedTuple):
    """Every session that a trial may load.

    Subjects are in no order, as random ids are in none: in order, an index would grow at one end
    alone, smaller and faster than in life.
    """

    seed: int
    issued_at_ms: int

    def session(self, index: int) -> Session:
        """Give a session as it is when it is issued."""
        issued_at_ms = self.issued_at_ms
        return Session(
            family=self._family(index),
            client="bench",
            device=_DEVICES[index % 7],
            issued_at_ms=issued_at_ms,
            idle_expires_at_ms=issued_at_ms + IDLE_MS,
            absolute_expires_at_ms=issued_at_ms + ABSOLUTE_MS,
            digest=self._digest(index, 0),
        )

    def sessions(self, start: int, stop: int) -> Iterator[Session]:
        """Give the sessions of a range of indices."""
        return map(self.session, range(start, stop))

    def held(self, index: int, generation: int) -> Held:
        """Give a session as its client holds it after so many rotations."""
        digest = self._digest(index, generation)
        return Held(self._family(index), generation, digest, self.issued_at_ms, _DEVICES[index % 7])

    def successor(self, index: int, generation: int, now_ms: int) -> Successor:
        """Propose the token that takes over from `generation`."""
        return Successor(self._digest(index, generation + 1), now_ms + IDLE_MS)

    def _family(self, index: int) -> Family:
        subject, number = divmod(index, SESSIONS_A_SUBJECT)
        mixed = subject * _FIRST & _MASK
        mixed = (mixed ^ mixed >> 32) * _SECOND & _MASK
        name = f"{self.seed:x}-{mixed:016x}"
        return Family(name, f"{name}.{number}")

    def _digest(self, index: int, generation: int) -> bytes:
        return sha256(b"%d/%d/%d" % (self.seed, index, generation)).digest()


class Walk:
    """One client's way through its share of a population, session by session, round by round.

    Each round meets every session of the share once, far apart from the one before, and rotates
    it. So the generation of any session follows from how far the walk has come.
    """

    def __init__(self, population: Population, share: range) -> None:
        self._population = population
        self._share = share
        self._stride = _coprime(len(share))
        self.turns = 0
        """Rotations so far."""

    def __len__(self) -> int:
        return len(self._share)

    def ahead(self, turn: int) -> tuple[int, Held]:
        """Give the index and the session of the turn so many from now, as it will be then.

        Within one round from now that is as it is now: what only reads may take any turn of it.
        """
        rounds, step = divmod(self.turns + turn, len(self._share))
        index = self._share[step * self._stride % len(self._share)]
        return index, self._population.held(index, rounds)

    def propose(self, index: int, held: Held, now_ms: int) -> Successor:
        """Propose the next token of a session."""
        return self._population.successor(index, held.generation, now_ms)


def _coprime(length: int) -> int:
    """Give a stride of about 0.62 of the length that meets every position before it repeats."""
    stride = max(int(length * 0.618), 1)
    while gcd(stride, length) != 1:
        stride += 1
    return stride

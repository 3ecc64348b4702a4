"""Rotation has one winner, and grace is exactly as wide as the policy says."""

from collections.abc import Sequence

from backends.errors import RefreshStoreError
from backends.store import Outcome, Policy, Rotation, Successor, Token
from bench.conform.caller import DEVICE, IDLE_MS, Caller, new_digest, next_token
from bench.conform.lanes import Answer, Call
from bench.conform.property import require
from bench.conform.rig import Rig

GRACE_MS = 10_000


def one_winner(rig: Rig) -> str | None:
    """2: of N racers, on threads and in processes, exactly one is ROTATED."""
    policy = Policy()
    notes = []
    for where in rig.arenas():
        caller = rig.open(policy)
        tokens, rounds = _race(rig, caller, policy, where)
        for token, answers in zip(tokens, rounds, strict=True):
            winners = _count(answers, Outcome.ROTATED)
            require(
                winners == 1,
                f"{len(answers)} racers ({where}) with one token: {winners} were ROTATED;"
                f" the answers were {_spoken(answers)}",
            )
            generation = caller.held(token).generation
            require(generation == 1, f"one winner ({where}), yet the generation is {generation}")
        notes.append(f"{len(rounds)} rounds of {len(rounds[0])} {where}{_errors(rounds)}")
    return "; ".join(notes)


def one_successor(rig: Rig) -> str | None:
    """3: with grace every loser is answered GRACE and the winner's successor, which lives."""
    policy = Policy(grace_ms=GRACE_MS)
    for where in rig.arenas():
        caller = rig.open(policy)
        tokens, rounds = _race(rig, caller, policy, where)
        for token, answers in zip(tokens, rounds, strict=True):
            rotations = [one for one in answers if isinstance(one, Rotation)]
            refused = [one for one in rotations if one.successor is None]
            require(
                not refused,
                f"a loser ({where}) inside the grace window was told {_spoken(refused)}",
            )
            require(_count(answers, Outcome.ROTATED) == 1, f"answers ({where}): {_spoken(answers)}")
            standing = {one.successor for one in rotations}
            require(len(standing) == 1, f"{len(standing)} successors were handed out ({where})")
            [successor] = standing
            assert successor is not None
            caller.expect(next_token(token, successor), Outcome.VALID, "the successor handed out")
    return None


def no_grace(rig: Rig) -> str | None:
    """4: without grace the predecessor is REUSED, in the same millisecond too."""
    for delay_ms in (0, 1, -1, 1_000):
        caller = rig.open()
        old = caller.login()
        caller.rotated(old)
        at_ms = caller.now_ms + delay_ms
        caller.expect(old, Outcome.REUSED, f"{delay_ms} ms after its rotation", at_ms)
        caller.expect_rotate(old, Outcome.REUSED, f"{delay_ms} ms after its rotation", at_ms)
    return None


def immediate_predecessor(rig: Rig) -> str | None:
    """5: grace is for generation - 1 alone, and strictly before the window's end."""
    caller = rig.open(Policy(grace_ms=GRACE_MS))
    first = caller.login()
    second = caller.rotated(first)
    third = caller.rotated(second, caller.now_ms + 1)
    caller.expect(second, Outcome.GRACE, "the predecessor, inside the window")
    caller.expect(first, Outcome.REUSED, "the predecessor's predecessor, inside the window")
    caller.expect_rotate(
        first, Outcome.REUSED, "the predecessor's predecessor, inside its own old window"
    )
    caller.expect(third, Outcome.REVOKED, "after that reuse")

    end_ms = caller.now_ms + GRACE_MS
    for at_ms, outcome in {
        end_ms - 1: Outcome.GRACE,
        end_ms: Outcome.REUSED,
        end_ms + 1: Outcome.REUSED,
    }.items():
        old = caller.login()
        caller.rotated(old)
        when = f"{at_ms - end_ms:+} ms from the end of the grace window"
        caller.expect(old, outcome, when, at_ms)
        caller.expect_rotate(old, outcome, when, at_ms)
    return None


def grace_extends_nothing(rig: Rig) -> str | None:
    """6: using grace moves neither the window nor an expiry, and goes past none of them."""
    caller = rig.open(Policy(grace_ms=GRACE_MS))
    old = caller.login()
    current = caller.rotated(old)
    before = caller.held(current)
    for at_ms in range(caller.now_ms, caller.now_ms + GRACE_MS, GRACE_MS // 4):
        answer = caller.expect_rotate(old, Outcome.GRACE, "inside the window", at_ms)
        require(
            answer.stands == Successor(current.digest, before.idle_expires_at_ms),
            f"grace handed out {answer.stands}, which is not what stands",
        )
        require(caller.held(current) == before, "using grace changed the session")
    end_ms = caller.now_ms + GRACE_MS
    caller.expect_rotate(old, Outcome.REUSED, "after its use, at the end of the window", end_ms)

    expires_ms = caller.now_ms + GRACE_MS // 2
    old = caller.login(idle_expires_at_ms=expires_ms, absolute_expires_at_ms=expires_ms)
    caller.rotated(old)
    caller.expect(old, Outcome.GRACE, "before the absolute expiry", expires_ms - 1)
    caller.expect(old, Outcome.EXPIRED, "in the window, past the absolute expiry", expires_ms)
    caller.expect_rotate(
        old, Outcome.EXPIRED, "in the window, past the absolute expiry", expires_ms
    )
    return None


def _race(
    rig: Rig, caller: Caller, policy: Policy, where: str
) -> tuple[Sequence[Token], Sequence[Sequence[Answer]]]:
    """Race for many tokens; give the tokens, and for each the racers' answers."""
    lanes = rig.amount(4, 6, 8) if where == "threads" else rig.amount(2, 3, 4)
    tokens = [caller.login() for _ in range(rig.amount(60, 100, 1_000))]

    def attempt(token: Token) -> Call:
        proposed = Successor(new_digest(), caller.now_ms + IDLE_MS)
        return Call("rotate", (token, proposed, DEVICE, caller.now_ms))

    answers = rig.race(
        caller, [[attempt(token) for token in tokens] for _ in range(lanes)], policy, where
    )
    return tokens, list(zip(*answers, strict=True))


def _count(answers: Sequence[Answer], outcome: Outcome) -> int:
    return sum(isinstance(one, Rotation) and one.outcome is outcome for one in answers)


def _spoken(answers: Sequence[Answer]) -> str:
    return ", ".join(
        str(one.outcome) if isinstance(one, Rotation) else type(one).__name__ for one in answers
    )


def _errors(rounds: Sequence[Sequence[Answer]]) -> str:
    raised = sum(isinstance(one, RefreshStoreError) for answers in rounds for one in answers)
    return f", {raised} calls raised" if raised else ""

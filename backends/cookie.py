"""No server state: the session is the signed token that the client keeps in an HttpOnly cookie.

Whoever calls this store has checked the token's signature (`backends.tokens`); what is left to
judge is what the claims say: expiry and device. Nothing remembers which token was rotated away, so
every racer wins, an old token is as good as the newest until it expires, and nothing can be taken
back. `GRACE`, `REUSED`, `REVOKED` and `UNKNOWN` never happen, and of the policy nothing applies.
"""

from backends.store import (
    Backend,
    Bound,
    Capabilities,
    No,
    Outcome,
    Place,
    Policy,
    Profile,
    Rotation,
    Session,
    Successor,
    Token,
    Verification,
)

CAPABILITIES = Capabilities(
    revokes=No("the session is at the client: a signed token is good until it expires"),
    detects_reuse=No("nothing remembers which tokens were rotated away"),
    lists_sessions=No("only the clients know their sessions"),
    bound=Bound(0, "the clients hold the sessions"),
)


class CookieStore:
    """A store that stores nothing."""

    capabilities = CAPABILITIES

    def issue(self, session: Session) -> None:
        """Leave the session to the client: its token is all there is."""

    def verify(self, token: Token, device: str, now_ms: int) -> Verification:
        """Judge a token by its claims.

        The session is always None: the claims don't say when or to which client it was issued.
        """
        return Verification(_judge(token, device, now_ms))

    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        """Let a good token be replaced, however often that was done before."""
        outcome = _judge(token, device, now_ms)
        if outcome is not Outcome.VALID:
            return Rotation(outcome)
        expires_at_ms = min(successor.idle_expires_at_ms, token.absolute_expires_at_ms)
        return Rotation(Outcome.ROTATED, Successor(successor.digest, expires_at_ms))

    def close(self) -> None:
        """Nothing was opened."""


def _judge(token: Token, device: str, now_ms: int) -> Outcome:
    """Ask what `lifecycle.judge` asks, in its order, as far as a token alone can answer."""
    if now_ms >= min(token.expires_at_ms, token.absolute_expires_at_ms):
        return Outcome.EXPIRED
    return Outcome.VALID if device == token.device else Outcome.DEVICE_MISMATCH


def open_store(place: Place, profile: Profile, policy: Policy) -> CookieStore:
    """Open the store; there is nothing to open."""
    del place, profile, policy
    return CookieStore()


BACKEND = Backend(
    name="cookie",
    title="HttpOnly cookie",
    summary="a signed token at the client, and nothing on the server",
    profiles={
        "signed": Profile(
            name="signed",
            summary="the client holds the session",
            capabilities=CAPABILITIES,
            held_by_client=True,
        )
    },
    open=open_store,
)

"""What a refresh token says: its claims, as values and as a JWT's payload.

    sub fid gen      subject, family (session) id, generation
    jti              32 random bytes, base64url: the secret that a store knows by its digest alone
    exp aex          idle and absolute expiry of the session when the token was minted
    dev              thumbprint of the device it was issued to

`exp` and `aex` are NumericDates: seconds, with a fraction where the millisecond isn't a whole
second (RFC 7519 §2). Up to the year 9999 a double holds a millisecond exactly, so instants come
back as they went in.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, NamedTuple, Self

from backends.store import Family, Token

SECRET_BYTES = 32
END_S = 253_402_300_800
"""The year 10000; an expiry so late is a mistake, and might not come back exactly."""


class Claims(NamedTuple):
    """What a refresh token says. `jti` is the secret part."""

    family: Family
    generation: int
    jti: str
    expires_at_ms: int
    absolute_expires_at_ms: int
    device: str

    def token(self) -> Token:
        """Give the token as a store sees it: the digest in place of the secret."""
        return Token(
            self.family,
            self.generation,
            digest(self.jti),
            self.expires_at_ms,
            self.absolute_expires_at_ms,
            self.device,
        )

    def payload(self) -> dict[str, Any]:
        """Give the claims by their names in a JWT. Raises ValueError: an expiry it can't carry."""
        return {
            "sub": self.family.subject,
            "fid": self.family.id,
            "gen": self.generation,
            "jti": self.jti,
            "exp": _numeric_date(self.expires_at_ms),
            "aex": _numeric_date(self.absolute_expires_at_ms),
            "dev": self.device,
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Self:
        """Read a payload. Raises ValueError: a claim is missing, or of the wrong type."""
        generation = payload.get("gen")
        # A bool is an int to Python, not to JSON.
        if type(generation) is not int or generation < 0:
            raise ValueError("gen must be a whole number from 0")
        return cls(
            Family(_text(payload, "sub"), _text(payload, "fid")),
            generation,
            _text(payload, "jti"),
            _instant_ms(payload, "exp"),
            _instant_ms(payload, "aex"),
            _text(payload, "dev"),
        )


def new_jti() -> str:
    """Draw the secret of a new token: 256 bits, as 43 characters of base64url."""
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(jti: str) -> bytes:
    """Give what a store keeps of a token: SHA-256 of its `jti`, 32 bytes."""
    return sha256(jti.encode("utf-8", "surrogatepass")).digest()


def successor_jti(secret: bytes, jti: str) -> str:
    """Derive the successor's `jti` from its predecessor's: HMAC-SHA256, as base64url.

    A caller that is answered GRACE has to hand out the *same* successor once more, and the store
    keeps no raw token to hand it. Derived so, the successor can be minted again from the
    predecessor that was just presented and the expiry in `Rotation.successor`. `secret` is a server
    key for this alone, at least 32 bytes: whoever has it and one token can follow the family.
    """
    if len(secret) < SECRET_BYTES:
        raise ValueError(f"the derivation key must have at least {SECRET_BYTES} bytes")
    derived = hmac.digest(secret, jti.encode("utf-8", "surrogatepass"), "sha256")
    return urlsafe_b64encode(derived).rstrip(b"=").decode()


def _numeric_date(instant_ms: int) -> float:
    if not 0 <= instant_ms < END_S * 1_000:
        raise ValueError(f"{instant_ms} ms is no instant from 1970 to 9999")
    seconds, rest_ms = divmod(instant_ms, 1_000)
    return instant_ms / 1_000 if rest_ms else seconds


def _text(payload: Mapping[str, Any], claim: str) -> str:
    value = payload.get(claim)
    if not isinstance(value, str):
        raise ValueError(f"{claim} must be a string")  # noqa: TRY004  (what it says, not what it is)
    return value


def _instant_ms(payload: Mapping[str, Any], claim: str) -> int:
    value: Any = payload.get(claim)
    # The comparison also refuses NaN and Infinity, which Python's JSON lets in.
    if type(value) not in {int, float} or not 0 <= value < END_S:
        raise ValueError(f"{claim} must be a NumericDate")
    instant_ms: int = round(value * 1_000)
    return instant_ms

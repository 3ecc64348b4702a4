"""Refresh tokens as JWTs: minted, checked and parsed here, apart from any store.

A refresh token is a JWS in compact form with the header `typ: refresh+jwt`, the claims `iss` and
`aud`, and those of `backends.claims`, which are enough for a store without state to judge by. As
RFC 8725 asks, the algorithm is pinned by the server and never taken from the header, and issuer,
audience, type and every claim are checked. Expiry is judged by the caller's `now_ms`; nothing here
reads a clock.

JWTs are malleable: `=` may follow the signature, an ECDSA signature has a second valid form, a key
holder may write the same claims with other white space. So a token is known by SHA-256 of its
`jti`, never of its text.

Errors:

    TokenRefused
    ├── Malformed           not three parts of base64url and JSON
    ├── WrongAlgorithm      not the pinned one; `none` and algorithm confusion end here
    ├── BadSignature        not signed by this key
    ├── WrongType           an access token, say: `typ` is another
    ├── WrongIssuer
    ├── WrongAudience
    ├── BadClaims           a claim is missing, or of the wrong type
    └── TokenExpired        at or after `exp` (RFC 7519 §4.1.4) or `aex`
"""

import json
import secrets
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt import PyJWS
from jwt.algorithms import HMACAlgorithm
from jwt.exceptions import (
    InvalidAlgorithmError,
    InvalidKeyError,
    InvalidSignatureError,
    InvalidTokenError,
)

from backends.claims import SECRET_BYTES, Claims

SigningKey = bytes | ec.EllipticCurvePrivateKey | Ed25519PrivateKey | rsa.RSAPrivateKey

KEY_TYPES: dict[str, type[SigningKey]] = {
    "HS256": bytes,
    "ES256": ec.EllipticCurvePrivateKey,
    "EdDSA": Ed25519PrivateKey,
    "RS256": rsa.RSAPrivateKey,
}
ALGORITHMS = tuple(KEY_TYPES)
"""The first is the default."""

TYPE = "refresh+jwt"


class TokenRefused(Exception):
    """The text isn't a token that this signer issued and that still holds."""


class Malformed(TokenRefused):
    """Not a JWS in compact form with a JSON object in it."""


class WrongAlgorithm(TokenRefused):
    """The header names another algorithm than the pinned one."""


class BadSignature(TokenRefused):
    """The signature isn't this key's."""


class WrongType(TokenRefused):
    """Signed by us, but as another kind of token (RFC 8725 §3.11)."""


class WrongIssuer(TokenRefused):
    """`iss` isn't ours."""


class WrongAudience(TokenRefused):
    """`aud` isn't ours; a list isn't either, since none was minted."""


class BadClaims(TokenRefused):
    """A required claim is missing or of the wrong type."""


class TokenExpired(TokenRefused):
    """`now_ms` is at or after the token's expiry."""


class Signer:
    """Mints and parses refresh tokens with one key and one algorithm. Safe between threads.

    `key` is at least 32 random bytes for HS256, else a private key of `cryptography`: P-256 for
    ES256, Ed25519 for EdDSA, RSA of at least 2048 bits for RS256. Raises TypeError or ValueError
    for any other.
    """

    def __init__(self, algorithm: str, key: SigningKey, *, issuer: str, audience: str) -> None:
        if algorithm not in KEY_TYPES:
            raise ValueError(f"no algorithm {algorithm!r}; it is one of: {', '.join(ALGORITHMS)}")
        if not isinstance(key, KEY_TYPES[algorithm]):
            raise TypeError(f"{algorithm} needs a key of type {KEY_TYPES[algorithm].__name__}")
        self.algorithm = algorithm
        self._jws = PyJWS(algorithms=[algorithm])
        checker = self._jws.get_algorithm_by_name(algorithm)
        try:
            weakness = checker.check_key_length(checker.prepare_key(key))
        except InvalidKeyError as error:
            raise ValueError(str(error)) from error
        if weakness:
            raise ValueError(weakness)
        if algorithm == "HS256":
            self._jws.unregister_algorithm(algorithm)
            self._jws.register_algorithm(algorithm, _CheckedHMAC(HMACAlgorithm.SHA256))
        self._signing_key = key
        self._verifying_key = key if isinstance(key, bytes) else key.public_key()
        self._issuer = issuer
        self._audience = audience

    @classmethod
    def generate(
        cls,
        algorithm: str = ALGORITHMS[0],
        *,
        issuer: str = "https://issuer.example",
        audience: str = "refreshbench",
    ) -> Self:
        """Make a signer with a new key, gone with the process: for benchmarks and tests."""
        key: SigningKey
        match algorithm:
            case "ES256":
                key = ec.generate_private_key(ec.SECP256R1())
            case "EdDSA":
                key = Ed25519PrivateKey.generate()
            case "RS256":
                key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            case _:
                key = secrets.token_bytes(SECRET_BYTES)
        return cls(algorithm, key, issuer=issuer, audience=audience)

    def mint(self, claims: Claims) -> str:
        """Sign a token. The same claims give the same text, but for ES256's random signature.

        Raises ValueError for an expiry that a token can't carry.
        """
        payload = {"iss": self._issuer, "aud": self._audience, **claims.payload()}
        text = json.dumps(payload, separators=(",", ":")).encode()
        return self._jws.encode(text, self._signing_key, self.algorithm, {"typ": TYPE})

    def parse(self, text: str, now_ms: int) -> Claims:
        """Check a presented token and give its claims.

        Raises TokenRefused, in the order of the module docstring: expiry last, so that
        TokenExpired is said of an authentic token alone.
        """
        if not text.isascii():
            raise Malformed("a token is ASCII")
        try:
            decoded = self._jws.decode_complete(text, self._verifying_key, [self.algorithm])
        except InvalidAlgorithmError as error:
            raise WrongAlgorithm(f"only {self.algorithm} is accepted") from error
        except InvalidSignatureError as error:
            raise BadSignature("the signature doesn't match") from error
        except InvalidTokenError as error:
            raise Malformed(str(error)) from error
        if decoded["header"].get("typ") != TYPE:
            raise WrongType(f"only {TYPE} is accepted")
        payload = _object(decoded["payload"])
        if payload.get("iss") != self._issuer:
            raise WrongIssuer("issued by another")
        if payload.get("aud") != self._audience:
            raise WrongAudience("issued for another")
        try:
            claims = Claims.of(payload)
        except ValueError as error:
            raise BadClaims(str(error)) from error
        if now_ms >= min(claims.expires_at_ms, claims.absolute_expires_at_ms):
            raise TokenExpired("the token has expired")
        return claims


class _CheckedHMAC(HMACAlgorithm):
    """HMAC whose key was checked once; PyJWT would look for a PEM, DER or JWK at every call."""

    def prepare_key(self, key: str | bytes) -> bytes:
        assert isinstance(key, bytes)
        return key

    def check_key_length(self, key: bytes) -> None:
        del key


def _object(payload: bytes) -> dict[str, Any]:
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Malformed("the payload isn't JSON") from error
    if not isinstance(found, dict):
        raise Malformed("the payload isn't a JSON object")
    return found

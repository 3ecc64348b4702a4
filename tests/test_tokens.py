"""Refresh tokens as JWTs: what is minted comes back exactly, and nothing else gets in."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from hypothesis import given
from hypothesis import strategies as st

from backends.claims import END_S, Claims, digest, new_jti, successor_jti
from backends.store import Family
from backends.tokens import (
    ALGORITHMS,
    BadClaims,
    BadSignature,
    Malformed,
    Signer,
    TokenExpired,
    TokenRefused,
    WrongAlgorithm,
    WrongAudience,
    WrongIssuer,
    WrongType,
)
from bench.token_costs import measure
from scenarios.histogram import count

NOW_MS = 1_767_225_600_123
LAST_MS = END_S * 1_000 - 1
SECRET = bytes(range(32))
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

PUBLIC_PEM = (
    ec.generate_private_key(ec.SECP256R1())
    .public_key()
    .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
)

CLAIMS = Claims(Family("user-1", "family-1"), 3, "j" * 43, NOW_MS + 1, NOW_MS + 999, "thumbprint")

SIGNERS = {algorithm: Signer.generate(algorithm) for algorithm in ALGORITHMS}
HS256 = Signer("HS256", SECRET, issuer="https://issuer.example", audience="refreshbench")


@pytest.fixture(params=ALGORITHMS)
def signer(request: pytest.FixtureRequest) -> Signer:
    """Give a signer of each algorithm."""
    return SIGNERS[request.param]


def payload_of(text: str) -> dict[str, Any]:
    payload: dict[str, Any] = jwt.decode(text, options={"verify_signature": False})
    return payload


def signed(payload: object, header: dict[str, Any] | None = None) -> str:
    """Sign anything with the key of HS256, as only its owner could."""
    parts = [{"alg": "HS256", "typ": "refresh+jwt"} | (header or {}), payload]
    text = ".".join(encoded(json.dumps(part).encode()) for part in parts)
    return f"{text}.{encoded(hmac.digest(SECRET, text.encode(), 'sha256'))}"


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_what_was_minted_comes_back(signer: Signer) -> None:
    """Every claim, to the millisecond."""
    assert signer.parse(signer.mint(CLAIMS), NOW_MS) == CLAIMS


def test_the_token_says_what_it_is(signer: Signer) -> None:
    """An explicit type (RFC 8725 §3.11), issuer and audience, and the claims a store needs."""
    text = signer.mint(CLAIMS)
    assert jwt.get_unverified_header(text) == {"typ": "refresh+jwt", "alg": signer.algorithm}
    assert payload_of(text) == {
        "iss": "https://issuer.example",
        "aud": "refreshbench",
        "sub": "user-1",
        "fid": "family-1",
        "gen": 3,
        "jti": "j" * 43,
        "exp": 1_767_225_600.124,
        "aex": 1_767_225_601.122,
        "dev": "thumbprint",
    }


def test_a_store_gets_the_digest_and_never_the_secret() -> None:
    """The digest is SHA-256 of the jti."""
    token = CLAIMS.token()
    assert token.digest == hashlib.sha256(b"j" * 43).digest()
    assert CLAIMS.jti not in repr(token)
    assert token == (
        CLAIMS.family,
        3,
        token.digest,
        CLAIMS.expires_at_ms,
        CLAIMS.absolute_expires_at_ms,
        CLAIMS.device,
    )


@given(
    claims=st.builds(
        Claims,
        st.builds(Family, st.text(), st.text()),
        st.integers(0, 2**63),
        st.text(),
        st.integers(1, LAST_MS),
        st.integers(1, LAST_MS),
        st.text(st.characters(codec=None)),
    )
)
def test_any_claims_come_back(claims: Claims) -> None:
    """Any names, any generation, any instant from 1970 to 9999 to the millisecond."""
    assert HS256.parse(HS256.mint(claims), 0) == claims


@pytest.mark.parametrize("first_ms", [0, NOW_MS, LAST_MS - 5_000])
def test_no_millisecond_is_lost(first_ms: int) -> None:
    """A second's fraction is rarely a sum of powers of two; it comes back all the same."""
    for instant_ms in range(first_ms, first_ms + 5_000):
        claims = CLAIMS._replace(expires_at_ms=instant_ms)
        carried = json.loads(json.dumps(claims.payload()))
        assert Claims.of(carried) == claims


def test_the_same_claims_give_the_same_token(signer: Signer) -> None:
    """So a successor can be handed out again; ES256 alone signs with fresh randomness."""
    first, second = signer.mint(CLAIMS), signer.mint(CLAIMS)
    assert first.rsplit(".", 1)[0] == second.rsplit(".", 1)[0]
    assert (first == second) is (signer.algorithm != "ES256")


@pytest.mark.parametrize("expires_at_ms", [-1, LAST_MS + 1, 2**63])
def test_an_expiry_that_a_token_cannot_carry_is_not_minted(expires_at_ms: int) -> None:
    """Better no token than one that no one will accept."""
    with pytest.raises(ValueError, match="no instant from 1970 to 9999"):
        HS256.mint(CLAIMS._replace(expires_at_ms=expires_at_ms))


def test_a_token_expires_at_exp_not_after_it(signer: Signer) -> None:
    """RFC 7519 §4.1.4: "on or after which" it must not be accepted."""
    text = signer.mint(CLAIMS)
    assert signer.parse(text, CLAIMS.expires_at_ms - 1) == CLAIMS
    with pytest.raises(TokenExpired):
        signer.parse(text, CLAIMS.expires_at_ms)


def test_the_absolute_expiry_ends_a_token_too() -> None:
    """Whichever comes first."""
    text = HS256.mint(CLAIMS._replace(absolute_expires_at_ms=NOW_MS))
    with pytest.raises(TokenExpired):
        HS256.parse(text, NOW_MS)


def test_expiry_is_judged_by_the_callers_clock() -> None:
    """A token of 1970 is good in 1970, and one of the year 9999 is bad in 10000."""
    text = HS256.mint(CLAIMS._replace(expires_at_ms=1_000, absolute_expires_at_ms=1_000))
    assert HS256.parse(text, 999).expires_at_ms == 1_000
    text = HS256.mint(CLAIMS._replace(expires_at_ms=LAST_MS, absolute_expires_at_ms=LAST_MS))
    with pytest.raises(TokenExpired):
        HS256.parse(text, LAST_MS)


def test_a_tampered_token_is_refused(signer: Signer) -> None:
    """Another payload, another header or another signature under the same two."""
    header, payload, signature = signer.mint(CLAIMS).split(".")
    other = payload_of(f"{header}.{payload}.{signature}") | {"gen": 4}
    flipped = bytes([decoded(signature)[0] ^ 1]) + decoded(signature)[1:]
    widened = {"alg": signer.algorithm, "typ": "refresh+jwt", "x": 1}
    for text in (
        f"{header}.{encoded(json.dumps(other).encode())}.{signature}",
        f"{encoded(json.dumps(widened).encode())}.{payload}.{signature}",
        f"{header}.{payload}.{encoded(flipped)}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{encoded(bytes(64))}",
    ):
        with pytest.raises(BadSignature):
            signer.parse(text, NOW_MS)


def test_another_key_of_the_same_algorithm_is_refused(signer: Signer) -> None:
    """The signature is checked, not only its form."""
    with pytest.raises(BadSignature):
        Signer.generate(signer.algorithm).parse(signer.mint(CLAIMS), NOW_MS)


@pytest.mark.parametrize("name", ["none", "None", "NONE", "", "HS512", "hs256", None, 7, ["HS256"]])
def test_the_header_does_not_choose_the_algorithm(signer: Signer, name: object) -> None:
    """`alg: none`, in any spelling, with or without a signature (RFC 8725 §3.1)."""
    _, payload, signature = signer.mint(CLAIMS).split(".")
    header = encoded(json.dumps({"alg": name, "typ": "refresh+jwt"}).encode())
    for tail in ("", signature):
        with pytest.raises(WrongAlgorithm):
            signer.parse(f"{header}.{payload}.{tail}", NOW_MS)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_public_key_is_no_secret(algorithm: str) -> None:
    """Algorithm confusion: a token signed by HMAC with the public key as its secret."""
    signer = SIGNERS[algorithm]
    public = signer._verifying_key
    assert not isinstance(public, bytes)
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    header = encoded(b'{"alg":"HS256","typ":"refresh+jwt"}')
    text = f"{header}.{signer.mint(CLAIMS).split('.')[1]}"
    forged = f"{text}.{encoded(hmac.digest(pem, text.encode(), 'sha256'))}"
    with pytest.raises(WrongAlgorithm):
        signer.parse(forged, NOW_MS)


@pytest.mark.parametrize("kind", ["at+jwt", "JWT", "Refresh+JWT", None, 1])
def test_another_kind_of_token_is_refused(kind: object) -> None:
    """An access token or ID token of the same issuer is no refresh token (RFC 8725 §3.11)."""
    payload = payload_of(HS256.mint(CLAIMS))
    assert HS256.parse(signed(payload), NOW_MS) == CLAIMS
    with pytest.raises(WrongType):
        HS256.parse(signed(payload, {"typ": kind}), NOW_MS)


@pytest.mark.parametrize(
    ("claim", "values", "refusal"),
    [
        ("iss", ["https://other.example", "", None, 1, ["https://issuer.example"]], WrongIssuer),
        ("aud", ["other", "", None, 1, ["refreshbench"], ["refreshbench", "x"]], WrongAudience),
        ("sub", [None, 1, ["user-1"], {}, True], BadClaims),
        ("fid", [None, 1, ["family-1"]], BadClaims),
        ("jti", [None, 1, ["j"]], BadClaims),
        ("dev", [None, 1, ["d"]], BadClaims),
        ("gen", [None, "3", 3.0, -1, True, [3]], BadClaims),
        (
            "exp",
            [None, "1767225600", True, -1, float("nan"), float("inf"), 1e300, END_S],
            BadClaims,
        ),
        ("aex", [None, "1767225600", False, -0.5, float("nan"), 10**400, [1], {}], BadClaims),
    ],
)
def test_every_claim_is_required_and_of_its_type(
    claim: str, values: list[object], refusal: type[TokenRefused]
) -> None:
    """Though rightly signed: a missing claim, or one of another type or range, is refused."""
    payload = payload_of(HS256.mint(CLAIMS))
    for value in values:
        with pytest.raises(refusal):
            HS256.parse(signed(payload | {claim: value}), NOW_MS)
    del payload[claim]
    with pytest.raises(refusal):
        HS256.parse(signed(payload), NOW_MS)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "e30.e30.e30.e30",
        "\N{SNOWMAN}.e30.e30",
        "e30",
        "\ud800",
    ],
)
def test_what_is_no_jwt_is_malformed(text: str) -> None:
    """Whatever a client may send."""
    with pytest.raises((Malformed, WrongAlgorithm)):
        HS256.parse(text, NOW_MS)


@pytest.mark.parametrize("payload", [[], "text", None, 1])
def test_a_payload_that_is_no_object_is_malformed(payload: object) -> None:
    """Though rightly signed."""
    with pytest.raises(Malformed):
        HS256.parse(signed(payload), NOW_MS)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"\xff", b"[" * 100_000, b'{"gen": ' + b"1" * 5_000]
)
def test_a_payload_that_is_no_json_is_malformed(payload: bytes) -> None:
    """Though rightly signed, and however deep or long."""
    text = jwt.PyJWS().encode(payload, SECRET, "HS256", {"typ": "refresh+jwt"})
    with pytest.raises(Malformed):
        HS256.parse(text, NOW_MS)


def test_a_critical_extension_that_nobody_knows_is_refused() -> None:
    """RFC 7515 §4.1.11; among them the unencoded payload of RFC 7797."""
    payload = payload_of(HS256.mint(CLAIMS))
    for header in ({"crit": ["x"], "x": 1}, {"crit": ["b64"], "b64": False}):
        with pytest.raises(Malformed):
            HS256.parse(signed(payload, header), NOW_MS)


@given(st.text(alphabet=st.characters(max_codepoint=0x2FF), max_size=60))
def test_no_text_at_all_does_more_than_be_refused(text: str) -> None:
    """Junk, in any of the three places, ends in TokenRefused."""
    header, payload, signature = HS256.mint(CLAIMS).split(".")
    for junk in (
        text,
        f"{text}.{payload}.{signature}",
        f"{header}.{text}.{signature}",
        f"{encoded(text.encode())}.{payload}.{signature}",
    ):
        with pytest.raises(TokenRefused):
            HS256.parse(junk, NOW_MS)


def _padded(text: str) -> str:
    return text + "=" * (-len(text.rsplit(".", 1)[1]) % 4)


def _other_s(text: str) -> str:
    """Give an ECDSA signature's twin: (r, n - s) is valid wherever (r, s) is."""
    rest, signature = text.rsplit(".", 1)
    r, s = decoded(signature)[:32], int.from_bytes(decoded(signature)[32:])
    return f"{rest}.{encoded(r + (P256_ORDER - s).to_bytes(32))}"


def _spaced(text: str) -> str:
    """Sign the same claims again, with white space in header and payload."""
    header = json.dumps(jwt.get_unverified_header(text), indent=2).encode()
    payload = json.dumps(payload_of(text), indent=2).encode()
    rest = f"{encoded(header)}.{encoded(payload)}"
    return f"{rest}.{encoded(hmac.digest(SECRET, rest.encode(), 'sha256'))}"


@pytest.mark.parametrize(
    ("algorithm", "twin"), [("HS256", _padded), ("ES256", _other_s), ("HS256", _spaced)]
)
def test_a_token_has_many_texts_and_one_digest(algorithm: str, twin: Callable[[str], str]) -> None:
    """JWTs are malleable: another text of the same token is known by the same digest."""
    signer = HS256 if algorithm == "HS256" else SIGNERS[algorithm]
    text = signer.mint(CLAIMS)
    other = twin(text)
    assert other != text
    assert signer.parse(other, NOW_MS).token().digest == digest(CLAIMS.jti)


def test_each_secret_is_new_and_long() -> None:
    """32 random bytes as 43 characters of base64url."""
    secrets = {new_jti() for _ in range(1_000)}
    assert len(secrets) == 1_000
    assert {len(secret) for secret in secrets} == {43}
    assert {len(decoded(secret)) for secret in secrets} == {32}


def test_a_successor_can_be_derived_again() -> None:
    """By its server's key alone, from its predecessor alone, and in the same form."""
    first, second = new_jti(), new_jti()
    assert successor_jti(SECRET, first) == successor_jti(SECRET, first)
    others = {successor_jti(SECRET, second), successor_jti(SECRET[::-1], first), first}
    assert successor_jti(SECRET, first) not in others
    assert len(decoded(successor_jti(SECRET, first))) == 32
    with pytest.raises(ValueError, match="at least 32 bytes"):
        successor_jti(SECRET[1:], first)


@pytest.mark.parametrize(
    ("algorithm", "key", "problem"),
    [
        ("HS512", SECRET, "no algorithm 'HS512'; it is one of: HS256, ES256, EdDSA, RS256"),
        ("none", b"", "no algorithm 'none'"),
        ("HS256", b"short", "5 bytes long"),
        ("HS256", "a secret as text, long enough as it is", "HS256 needs a key of type bytes"),
        ("HS256", PUBLIC_PEM, "asymmetric key"),
        ("RS256", SECRET, "RS256 needs a key of type RSAPrivateKey"),
        ("ES256", ec.generate_private_key(ec.SECP384R1()), "curve"),
        ("EdDSA", ed448.Ed448PrivateKey.generate(), "needs a key of type Ed25519PrivateKey"),
        ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024), "1024 bits"),
    ],
    ids=["unknown", "none", "short", "text", "pem", "bytes", "curve", "ed448", "rsa-1024"],
)
def test_a_key_that_is_not_fit_is_not_taken(algorithm: str, key: Any, problem: str) -> None:
    """Too short (RFC 7518 §3.2), of another family, or public: told when the signer is made."""
    with pytest.raises((TypeError, ValueError), match=problem):
        Signer(algorithm, key, issuer="i", audience="a")


def test_a_signer_does_not_show_its_key() -> None:
    """A signer that ends up in a log gives nothing away."""
    assert repr(SECRET) not in repr(HS256)
    assert SECRET.hex() not in repr(HS256)


def test_parsing_reads_no_clock() -> None:
    """Nothing but `now_ms` decides: a clock that fails when it is asked is never asked."""
    code = (
        "import datetime, time\n"
        "from tests.test_tokens import CLAIMS, HS256, NOW_MS\n"
        "import jwt.api_jwt\n"
        "def fail(*args, **kwargs): raise AssertionError('a clock was read')\n"
        "time.time = time.time_ns = fail\n"
        "class NoClock(datetime.datetime): now = utcnow = fail\n"
        "jwt.api_jwt.datetime = NoClock\n"
        "assert HS256.parse(HS256.mint(CLAIMS), NOW_MS) == CLAIMS\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_costs_are_measured_for_each_algorithm() -> None:
    """A histogram each of minting and parsing, and the size of a token."""
    costs = measure(ALGORITHMS, 0.02)
    assert [cost.algorithm for cost in costs] == list(ALGORITHMS)
    for cost in costs:
        assert count(cost.mint_ns) > 0
        assert count(cost.parse_ns) > 0
    sizes = {cost.algorithm: cost.token_bytes for cost in costs}
    assert sizes["HS256"] < sizes["ES256"] == sizes["EdDSA"] < sizes["RS256"] < 4_096


def test_costs_of_what_is_no_algorithm_are_not_measured() -> None:
    """It is told before anything is measured."""
    with pytest.raises(ValueError, match="no algorithm 'PS256'"):
        measure(["PS256"], 0.01)

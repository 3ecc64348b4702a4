"""What a store on a server must hold beyond the contract: threads, lost answers, lost servers.

A test class inherits `ServerStore` and gives `spec`, `place` and what names a rotation on the wire.
"""

import hashlib
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import urlsplit

import pytest

import backends
from backends.errors import AnswerLost, NotSent, StoreUnavailable
from backends.store import (
    Configured,
    Family,
    Lists,
    Outcome,
    Place,
    Policy,
    Reason,
    RefreshStore,
    Revokes,
    Session,
    Successor,
    Token,
)
from bench.faults.proxy import Loss, Proxy
from bench.servers.server import Server
from tests.differential import POLICIES, Pair

NOW_MS = 1_800_000_000_000
IDLE_MS = 86_400_000
FAR_FUTURE_MS = 253_402_300_000_000  # the year 9999
RACERS = 16


class FullStore(RefreshStore, Revokes, Lists, Configured, Protocol):
    """Every ability that a store on a server has."""


def digest_of(jti: str) -> bytes:
    return hashlib.sha256(jti.encode()).digest()


def login(store: RefreshStore, family: Family | None = None, at_ms: int = NOW_MS) -> Token:
    """Issue a session, and give its first token."""
    family = family or Family(uuid.uuid4().hex, uuid.uuid4().hex)
    session = Session(
        family=family,
        client="web",
        device="phone",
        issued_at_ms=at_ms,
        idle_expires_at_ms=at_ms + IDLE_MS,
        absolute_expires_at_ms=at_ms + 3 * IDLE_MS,
        digest=digest_of(uuid.uuid4().hex),
    )
    store.issue(session)
    return token_of(session)


def token_of(session: Session) -> Token:
    return Token(
        family=session.family,
        generation=session.generation,
        digest=session.digest,
        expires_at_ms=session.idle_expires_at_ms,
        absolute_expires_at_ms=session.absolute_expires_at_ms,
        device=session.device,
    )


def propose(at_ms: int = NOW_MS) -> Successor:
    return Successor(digest_of(uuid.uuid4().hex), at_ms + IDLE_MS)


def refresh(store: RefreshStore, token: Token, at_ms: int = NOW_MS) -> Token | Outcome:
    """Rotate; give the next token, or what was answered instead."""
    successor = propose(at_ms)
    rotation = store.rotate(token, successor, token.device, at_ms)
    if rotation.outcome is not Outcome.ROTATED:
        return rotation.outcome
    return token._replace(generation=token.generation + 1, digest=successor.digest)


class ServerStore:
    """The tests. `place` may be of one test alone or shared by all of them.

    Where a test takes the proxy it does so first, so that its stores are closed before it is.
    """

    spec: str
    rotation_on_the_wire: bytes
    bounds: ClassVar[Mapping[str, float]]
    """The store's constants that bound its waits, and values that suit a test."""
    many_sessions = 10_000

    @pytest.fixture
    def open_store(self, place: Place) -> Iterator[Callable[..., FullStore]]:
        """Open stores on the test's place, or on another URL, and close them after the test."""
        subject = backends.resolve(self.spec)
        subject.prepare(place)
        opened: list[RefreshStore] = []

        def make(policy: Policy = Policy(), url: str | None = place.url) -> FullStore:  # noqa: B008
            store = subject.open(Place(place.directory, url), policy)
            opened.append(store)
            return store  # type: ignore[return-value]

        yield make
        for store in opened:
            store.close()

    @pytest.fixture
    def short_bounds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in self.bounds.items():
            monkeypatch.setattr(name, value)

    @pytest.fixture
    def store(self, open_store: Callable[..., FullStore]) -> FullStore:
        return open_store()

    @pytest.fixture
    def proxy(self, place: Place) -> Iterator[Proxy]:
        assert place.url is not None
        where = urlsplit(place.url)
        assert where.hostname is not None
        assert where.port is not None
        with Proxy(where.hostname, where.port) as proxy:
            yield proxy

    @pytest.fixture
    def proxied(
        self, proxy: Proxy, open_store: Callable[..., FullStore], place: Place
    ) -> FullStore:
        assert place.url is not None
        return open_store(url=proxy.reroute(place.url))

    @pytest.mark.parametrize("policy", POLICIES, ids=str)
    @pytest.mark.parametrize("start_ms", [0, NOW_MS, FAR_FUTURE_MS])
    def test_lives_as_the_dictionary_does(
        self, open_store: Callable[..., FullStore], policy: Policy, start_ms: int
    ) -> None:
        """Whatever happens, every answer and every session is that of `lifecycle.py`."""
        pair = Pair(open_store(policy), policy, seed=start_ms, start_ms=start_ms)
        for number in range(400):
            pair.step()
            if number % 20 == 0:
                pair.compare()
        pair.compare()
        reachable = set(Outcome) - {Outcome.GRACE} if not policy.grace_ms else set(Outcome)
        assert set(pair.seen) == reachable

    def test_one_racer_wins(self, store: FullStore) -> None:
        """Of many threads with one token exactly one rotates, and the family is dead after it."""
        with ThreadPoolExecutor(RACERS) as threads:
            for _ in range(15):
                token = login(store)
                barrier = threading.Barrier(RACERS)

                def race(token: Token = token, at: threading.Barrier = barrier) -> Outcome:
                    at.wait()
                    return store.rotate(token, propose(), "phone", NOW_MS).outcome

                runs = [threads.submit(race) for _ in range(RACERS)]
                outcomes = Counter(run.result() for run in runs)
                assert outcomes[Outcome.ROTATED] == 1
                assert outcomes[Outcome.REUSED] == 1
                assert outcomes[Outcome.REVOKED] == RACERS - 2

    def test_no_issue_in_flight_survives(self, store: FullStore) -> None:
        """Sessions issued while their subject is ended are ended too, on whichever side they
        fall."""
        for _ in range(10):
            subject = uuid.uuid4().hex
            with ThreadPoolExecutor(8) as threads:
                runs = [
                    threads.submit(login, store, Family(subject, str(number)), NOW_MS - 1)
                    for number in range(24)
                ]
                store.revoke_subject(subject, Reason.SUBJECT, NOW_MS)
                for run in runs:
                    run.result()
            sessions = store.sessions(subject)
            assert len(sessions) == 24
            assert {session.revoked_reason for session in sessions} == {Reason.SUBJECT}
            later = login(store, Family(subject, "later"), NOW_MS + 1)
            assert store.verify(later, "phone", NOW_MS + 1).outcome is Outcome.VALID

    def test_no_rotation_in_flight_survives(self, store: FullStore) -> None:
        """Threads that refresh without pause all end when their subject is ended."""
        subject = uuid.uuid4().hex
        started = threading.Barrier(9)

        def live(number: int) -> Token:
            token = login(store, Family(subject, str(number)))
            started.wait()
            while isinstance(after := refresh(store, token), Token):
                token = after
            assert after is Outcome.REVOKED
            return token

        with ThreadPoolExecutor(8) as threads:
            runs = [threads.submit(live, number) for number in range(8)]
            started.wait()
            store.revoke_subject(subject, Reason.SUBJECT, NOW_MS)
            last = [run.result() for run in runs]
        assert {store.verify(token, "phone", NOW_MS).outcome for token in last} == {Outcome.REVOKED}

    def test_threads_share_a_store(self, store: FullStore) -> None:
        """Sixty-four threads each follow a session of their own, undisturbed by the others."""
        started = threading.Barrier(64)

        def live() -> int:
            token: Token | Outcome = login(store)
            started.wait()
            for _ in range(5):
                assert isinstance(token, Token)
                token = refresh(store, token)
            assert isinstance(token, Token)
            found = store.verify(token, "phone", NOW_MS)
            assert found.outcome is Outcome.VALID
            assert found.session is not None
            assert found.session.family == token.family
            return found.session.generation

        with ThreadPoolExecutor(64) as threads:
            runs = [threads.submit(live) for _ in range(64)]
            assert [run.result() for run in runs] == [5] * 64

    def test_a_rotation_takes_one_round_trip(self, proxied: FullStore, proxy: Proxy) -> None:
        """A warm rotation is one request and one answer, whatever it is told."""
        token = login(proxied)
        spent, used_up = token, refresh(proxied, token)
        assert isinstance(used_up, Token)
        token = used_up
        before = [connection.exchanges for connection in proxy.connections]
        for _ in range(20):
            after = refresh(proxied, token)
            assert isinstance(after, Token)
            token = after
        assert refresh(proxied, spent) is Outcome.REUSED
        assert refresh(proxied, token) is Outcome.REVOKED
        assert len(proxy.connections) == len(before)
        grown = [c.exchanges - n for c, n in zip(proxy.connections, before, strict=True)]
        # A driver may watch the server on connections of its own.
        assert max(grown) == 22
        assert sum(grown) <= 24

    @pytest.mark.parametrize("how", ["reset", "silence"])
    def test_a_lost_answer_is_not_asked_for_again(
        self,
        proxy: Proxy,
        open_store: Callable[..., FullStore],
        place: Place,
        how: Loss,
        short_bounds: None,
    ) -> None:
        """Where an answer is lost it is said so, the rotation happened once, and life goes on."""
        assert place.url is not None
        store = open_store(url=proxy.reroute(place.url))
        token, successor = login(store), propose()
        store.rotate(token._replace(generation=9), propose(), "phone", NOW_MS)
        proxy.drop_next_reply(how, self.rotation_on_the_wire)
        with pytest.raises(AnswerLost):
            store.rotate(token, successor, "phone", NOW_MS)
        assert proxy.dropped == 1
        [session] = store.sessions(token.family.subject)
        assert (session.generation, session.digest) == (1, successor.digest)
        assert session.revoked_at_ms is None

    def test_a_server_out_of_reach_is_not_sent(
        self,
        proxy: Proxy,
        open_store: Callable[..., FullStore],
        place: Place,
        short_bounds: None,
    ) -> None:
        """Where nobody listens, every operation fails closed, known as not executed."""
        assert place.url is not None
        token = login(open_store())
        proxy.refuse()
        store = open_store(url=proxy.reroute(place.url))
        with pytest.raises(NotSent) as refused:
            store.rotate(token, propose(), "phone", NOW_MS)
        assert refused.value.__cause__ is not None
        proxy.accept()
        assert store.rotate(token, propose(), "phone", NOW_MS).outcome is Outcome.ROTATED

    def test_cut_connections_are_replaced(self, proxied: FullStore, proxy: Proxy) -> None:
        """After the network broke, at most one call fails, and says that it is unavailable."""
        token = login(proxied)
        barrier = threading.Barrier(4)

        def look() -> None:
            barrier.wait()
            proxied.verify(token, "phone", NOW_MS)

        with ThreadPoolExecutor(4) as threads:
            for run in [threads.submit(look) for _ in range(4)]:
                run.result()
        proxy.refuse()
        proxy.cut()
        proxy.accept()
        with unavailable_at_most_once() as attempt:
            for _ in range(4):
                attempt(lambda: proxied.verify(token, "phone", NOW_MS))
        assert isinstance(refresh(proxied, token), Token)

    def test_a_crashed_server_is_found_again(
        self,
        fresh_server: Callable[..., Server],
        open_store: Callable[..., FullStore],
        tmp_path: Path,
    ) -> None:
        """A store outlives its server: it fails closed meanwhile, and works when it is back."""
        subject = backends.resolve(self.spec)
        server = fresh_server(subject.backend.server, subject.profile.server)
        subject.prepare(Place(tmp_path, server.url))
        store = open_store(url=server.url)
        token = login(store)
        server.kill()
        with pytest.raises(StoreUnavailable):
            store.verify(token, "phone", NOW_MS)
        server.restart()
        with unavailable_at_most_once() as attempt:
            for _ in range(3):
                attempt(lambda: store.verify(token, "phone", NOW_MS))
        assert isinstance(refresh(store, login(store)), Token)

    def test_closed_is_closed(self, store: FullStore) -> None:
        """Closing twice is fine, the data stays, and a closed store doesn't open by itself."""
        token = login(store)
        store.close()
        store.close()
        with pytest.raises(NotSent):
            store.verify(token, "phone", NOW_MS)

    def test_settings_are_those_of_the_profile(
        self, start_server: Callable[..., Server], place: Place
    ) -> None:
        """For each profile, what the server and the connections say is what was asked for."""
        name, _, _ = self.spec.partition(":")
        for profile in backends.load(name).profiles.values():
            subject = backends.resolve(f"{name}:{profile.name}")
            server = start_server(subject.backend.server, profile.server)
            store = subject.open(Place(place.directory, server.url), Policy())
            assert isinstance(store, Configured)
            try:
                assert dict(store.settings()) == {**profile.server, **profile.client}
            finally:
                store.close()
            assert store.capabilities is profile.capabilities

    @pytest.mark.parametrize(
        "name",
        ["", "{", "}{x}", "$gt", "a.b", "a\0b", "'\";--", "\N{SNOWMAN}\U0001f511", "x" * 10_000],
    )
    def test_any_name_is_only_a_name(self, store: FullStore, name: str) -> None:
        """Subjects, families and devices may be any text; none is mistaken for another's."""
        run = uuid.uuid4().hex
        families = [
            Family(run + name, name),
            Family(run, f"{name}|{name}"),
            Family(run + name, "1"),
        ]
        tokens = [login(store, family) for family in families]
        store.revoke(tokens[1].family, Reason.LOGOUT, NOW_MS)
        store.revoke_subject(run + name, Reason.ADMIN, NOW_MS, except_family=name)
        outcomes = [store.rotate(token, propose(), "phone", NOW_MS).outcome for token in tokens]
        assert outcomes == [Outcome.ROTATED, Outcome.REVOKED, Outcome.REVOKED]
        for family in families:
            assert family in {session.family for session in store.sessions(family.subject)}
        device = store.verify(tokens[1], name, NOW_MS)
        assert device.outcome is Outcome.REVOKED

    def test_a_subject_of_many_sessions(self, store: FullStore) -> None:
        """All of them are listed, and all but the spared one are ended by one call."""
        subject = uuid.uuid4().hex
        with ThreadPoolExecutor(8) as threads:
            tokens = list(
                threads.map(
                    lambda n: login(store, Family(subject, str(n))), range(self.many_sessions)
                )
            )
        assert len(store.sessions(subject)) == self.many_sessions
        store.revoke_subject(subject, Reason.ADMIN, NOW_MS, except_family="77")
        alive = [one.family.id for one in store.sessions(subject) if one.revoked_at_ms is None]
        assert alive == ["77"]
        assert store.verify(tokens[77], "phone", NOW_MS).outcome is Outcome.VALID


@contextmanager
def unavailable_at_most_once() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Give a way to try a call; after the block at most one may have found no store."""
    failures: list[StoreUnavailable] = []
    successes = 0

    def attempt(call: Callable[[], object]) -> None:
        nonlocal successes
        try:
            call()
            successes += 1
        except StoreUnavailable as error:
            failures.append(error)

    yield attempt
    assert successes
    assert len(failures) <= 1, failures

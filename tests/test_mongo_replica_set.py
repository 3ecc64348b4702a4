"""MongoDB as a replica set of three: what an election loses, by what a write waits for."""

import pytest

from backends.errors import RefreshStoreError
from backends.store import Token
from bench.workspace import Workspace
from tests.clusters import client_on, known, running, store_of, wait_until_answered
from tests.server_store import FullStore, login, refresh

pytestmark = pytest.mark.server("mongo")


def issued_until_refused(store: FullStore) -> list[Token]:
    """Log in as long as it is acknowledged."""
    tokens: list[Token] = []
    try:
        while len(tokens) < 100_000:
            tokens.append(login(store))
    except RefreshStoreError:
        return tokens
    raise AssertionError("a primary without a majority went on for ever")


@pytest.mark.parametrize(
    "profile", ["w1", pytest.param("journaled", marks=pytest.mark.slow), "majority"]
)
def test_an_election_keeps_what_a_majority_has(profile: str, workspace: Workspace) -> None:
    """A primary that is cut off acknowledges for about a second more, on its own disk if asked.

    All of that is rolled back when it joins the others again. A write that waits for a majority
    isn't acknowledged there in the first place.
    """
    with running(f"mongo:{profile}@rs3", workspace) as (subject, trio):
        old = trio.primary()
        with (
            client_on(trio.app_hosts[1]) as beside,
            store_of(subject, trio) as theirs,
            store_of(subject, trio) as ours,
        ):
            replicated: Token = beside.submit(login, theirs).result()
            token = login(ours)
            trio.wait_until_settled()
            with store_of(subject, trio, trio.replica_url) as reader:
                assert known(reader, replicated)

            trio.cut_off(old)
            alone = beside.submit(issued_until_refused, theirs).result()
            trio.wait_for_new_primary(old)
            assert trio.primary() != old
            wait_until_answered(ours, token)
            after = refresh(ours, token)
            assert isinstance(after, Token)

            trio.hosts.heal()
            trio.wait_until_settled()
            assert known(ours, replicated)
            assert known(ours, after)
            assert (alone == []) == (profile == "majority")
            assert [one for one in alone if known(ours, one)] == []
            assert trio.check() is None

"""PostgreSQL with a streaming replica: attached before any load, promoted, what that keeps."""

from collections.abc import Mapping

import psycopg
import pytest

from backends import postgres_connection
from backends.errors import AnswerLost, StoreRefused, StoreUnavailable
from backends.store import Token
from bench.servers.postgres_replica import PostgresReplica
from bench.workspace import Workspace
from tests.clusters import client_on, known, running, store_of, wait_until_answered
from tests.server_store import login, refresh

pytestmark = pytest.mark.server("postgres")

TOPOLOGIES: Mapping[str, tuple[str, str]] = {
    "postgres@replica": ("async", "on"),
    "postgres@replica-on": ("sync", "on"),
    "postgres@replica-apply": ("sync", "remote_apply"),
}


def attached(pair: PostgresReplica) -> Mapping[str, str]:
    """Ask the primary who streams from it: name -> sync_state."""
    primary = pair.members[pair.primary()]
    with psycopg.connect(primary.url) as connection:
        return dict(
            connection.execute(
                "SELECT application_name, sync_state FROM pg_stat_replication"
                " WHERE state = 'streaming'"
            ).fetchall()
        )


@pytest.mark.parametrize(
    "spec",
    [
        "postgres@replica",
        pytest.param("postgres@replica-on", marks=pytest.mark.slow),
        "postgres@replica-apply",
    ],
)
def test_a_promotion_keeps_what_was_streamed(
    spec: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off, a primary goes on acknowledging unless its commits wait for the replica.

    What it acknowledged alone is lost by the promotion, and nothing else is. Who reads from the
    replica writes nothing there.
    """
    sync_state, commit = TOPOLOGIES[spec]
    monkeypatch.setattr(postgres_connection, "ANSWER_SECONDS", 2.0)
    with running(spec, workspace) as (subject, pair):
        assert isinstance(pair, PostgresReplica)
        assert attached(pair) == {"postgres-1": sync_state}
        with (
            client_on(pair.app_hosts[1]) as beside,
            store_of(subject, pair) as theirs,
            store_of(subject, pair) as ours,
        ):
            assert ours.settings()["synchronous_commit"] == commit
            streamed: Token = beside.submit(login, theirs).result()
            token = login(ours)
            pair.wait_until_settled()
            with store_of(subject, pair, pair.replica_url) as reader:
                assert known(reader, streamed)
                with pytest.raises(StoreRefused, match="read-only"):
                    login(reader)

            pair.cut_off("postgres-0")
            with pytest.raises(StoreUnavailable):
                refresh(ours, token)
            alone = []
            if sync_state == "async":
                alone = [beside.submit(login, theirs).result() for _ in range(10)]
            else:
                with pytest.raises(AnswerLost):
                    beside.submit(login, theirs).result()
            pair.promote("postgres-0")
            assert pair.primary() == "postgres-1"

            wait_until_answered(ours, token)
            after = refresh(ours, token)
            assert isinstance(after, Token)
            assert known(ours, streamed)
            assert [one for one in alone if known(ours, one)] == []

            pair.hosts.heal()
            pair.rejoin("postgres-0")
            wait_until_answered(ours, after)
            assert attached(pair) == {"postgres-0": sync_state}
            assert isinstance(refresh(ours, after), Token)
            assert pair.check() is None

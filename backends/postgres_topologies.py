"""PostgreSQL with a streaming replica: what a commit waits for, and what a promotion keeps."""

from backends.store import No, Topology

BEHIND = No("what the old primary acknowledged and the replica had not received yet is gone")

TOPOLOGIES = {
    topology.name: topology
    for topology in (
        Topology(
            name="replica",
            summary="a primary and a streaming replica; no commit waits for the replica",
            layout="replica",
            survives_failover=dict.fromkeys(("sync", "async", "nofsync"), BEHIND),
        ),
        Topology(
            name="replica-on",
            summary="... and a commit waits until the replica has its WAL on disk",
            layout="synchronous-replica",
            # `async` waits for nobody: with it this would be `replica`.
            survives_failover={"sync": True, "nofsync": True},
        ),
        Topology(
            name="replica-apply",
            summary="... and a commit waits until the replica shows it to its readers",
            layout="synchronous-replica",
            survives_failover={"sync": True, "nofsync": True},
            server={"synchronous_commit": "remote_apply"},
        ),
    )
}

"""PostgreSQL's own view of its tables, its log, and its autovacuum."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row

READ = """
SELECT
    coalesce(sum(pg_table_size(relid)), 0)::float8 AS data_bytes,
    coalesce(sum(pg_indexes_size(relid)), 0)::float8 AS index_bytes,
    coalesce(sum(n_tup_upd), 0)::float8 AS updates,
    coalesce(sum(n_tup_hot_upd), 0)::float8 AS hot_updates,
    coalesce(sum(n_dead_tup), 0)::float8 AS dead_rows,
    coalesce(sum(autovacuum_count), 0)::float8 AS autovacuums,
    coalesce(sum(autoanalyze_count), 0)::float8 AS autoanalyzes,
    (pg_current_wal_lsn() - '0/0')::float8 AS written_log_bytes,
    (
        SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'
    )::float8 AS autovacuum_running,
    ({checkpoints})::float8 AS checkpoints
FROM pg_stat_user_tables
"""
CHECKPOINTS = "SELECT num_timed + num_requested FROM pg_stat_checkpointer"
CHECKPOINTS_BEFORE_17 = "SELECT checkpoints_timed + checkpoints_req FROM pg_stat_bgwriter"
VERSION_17 = 170_000


@contextmanager
def reader(url: str) -> Iterator[Any]:
    """Read the statistics views, which a backend that works updates once a second."""
    with psycopg.connect(url, autocommit=True, connect_timeout=10, row_factory=dict_row) as there:
        new = there.info.server_version >= VERSION_17
        query = READ.format(checkpoints=CHECKPOINTS if new else CHECKPOINTS_BEFORE_17)

        def read() -> Mapping[str, float]:
            row = there.execute(query.encode()).fetchone()
            assert row is not None
            return row

        yield read

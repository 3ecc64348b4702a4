"""PostgreSQL (psycopg), in each of its profiles, is held to the contract."""

from tests.contract import DriverContract, ProfileContract, StoreContract


class TestPostgresSync(StoreContract):
    subject = "postgres:sync"


class TestPostgresAsync(ProfileContract):
    subject = "postgres:async"


class TestPostgresNofsync(ProfileContract):
    subject = "postgres:nofsync"


class TestPostgresPsycopg(DriverContract):
    subject = "postgres-psycopg:async"

"""PostgreSQL (SQLAlchemy), in each of its profiles, is held to the contract."""

from tests.contract import ProfileContract, StoreContract


class TestPostgresSqlalchemySync(StoreContract):
    subject = "postgres-sqlalchemy:sync"


class TestPostgresSqlalchemyAsync(ProfileContract):
    subject = "postgres-sqlalchemy:async"


class TestPostgresSqlalchemyNofsync(ProfileContract):
    subject = "postgres-sqlalchemy:nofsync"

"""SQLite, in each of its profiles, is held to the contract."""

from tests.contract import ProfileContract, StoreContract


class TestSqliteWalFull(StoreContract):
    subject = "sqlite:wal-full"


class TestSqliteWalNormal(ProfileContract):
    subject = "sqlite:wal-normal"


class TestSqliteDeleteFull(ProfileContract):
    subject = "sqlite:delete-full"


class TestSqliteDeleteExtra(ProfileContract):
    subject = "sqlite:delete-extra"

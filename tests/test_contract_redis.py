"""Redis, in each of its profiles, is held to the contract."""

from tests.contract import DriverContract, ProfileContract, StoreContract


class TestRedisAofEverysec(StoreContract):
    subject = "redis:aof-everysec"


class TestRedisAofAlways(ProfileContract):
    subject = "redis:aof-always"


class TestRedisRdb(ProfileContract):
    subject = "redis:rdb"


class TestRedisNone(ProfileContract):
    subject = "redis:none"


class TestRedisPy(DriverContract):
    subject = "redis-py:none"

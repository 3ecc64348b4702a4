"""MongoDB, in each of its profiles, is held to the contract."""

from tests.contract import DriverContract, ProfileContract, StoreContract


class TestMongoJournaled(StoreContract):
    subject = "mongo:journaled"


class TestMongoW1(ProfileContract):
    subject = "mongo:w1"


class TestMongoMajority(ProfileContract):
    subject = "mongo:majority"


class TestMongoPymongo(DriverContract):
    subject = "mongo-pymongo:w1"

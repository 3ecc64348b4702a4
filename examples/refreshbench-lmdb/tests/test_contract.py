"""LMDB, in both of its profiles, is held to the contract."""

from bench.conform.contract import Contract


class TestSync(Contract):
    subject = "lmdb:sync"


class TestNosync(Contract):
    subject = "lmdb:nosync"

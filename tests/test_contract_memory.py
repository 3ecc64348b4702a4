"""Server memory, in each of its profiles, is held to the contract."""

from tests.contract import StoreContract


class TestMemory(StoreContract):
    subject = "memory:process"

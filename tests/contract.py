"""The contract for our own stores: the class that ships, told where a server is missing."""

import os

import pytest

import backends
from bench import servers
from bench.conform.contract import Contract
from bench.conform.properties import PROPERTIES
from bench.servers.server import Unavailable

__all__ = ["DriverContract", "ProfileContract", "StoreContract"]

BY_PROFILE = {1, 8, 21}
"""What a durability setting could change."""
BY_DRIVER = {1, 2, 22, 24, 27}
"""What another way to the same server could change."""


class StoreContract(Contract):
    """A missing server skips here, and fails where it was asked for by name or in CI."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def has_server(cls) -> None:
        kind = backends.resolve(cls.subject).backend.server
        found = servers.find(kind) if kind else None
        if isinstance(found, Unavailable):
            required = os.environ.get("REFRESHBENCH_REQUIRE_SERVERS", "").split(",")
            if kind in required or os.environ.get("CI") == "true":
                pytest.fail(f"{kind} is required: {found.reason}; {found.mend}")
            pytest.skip(f"{found.reason}; {found.mend}")


class ProfileContract(StoreContract):
    """For a backend's further profiles; test_no_false_alarm.py takes each through everything."""

    properties = tuple(one for one in PROPERTIES if one.number in BY_PROFILE)


class DriverContract(StoreContract):
    """For a store that differs from another by its driver alone."""

    properties = tuple(one for one in PROPERTIES if one.number in BY_DRIVER)

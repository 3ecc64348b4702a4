"""The contract as a pytest class: a store's test inherits it and names the store.

from bench.conform.contract import Contract

class TestMyStore(Contract):
    subject = "mypackage.store:make"
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import pytest

from bench.conform.checker import Checker
from bench.conform.properties import PROPERTIES
from bench.conform.property import Property
from bench.conform.report import told
from scenarios.scenario import Effort


class Contract:
    """Holds `subject` to every property; a store's own test class sets it, and no more."""

    subject: ClassVar[str]
    """As on the command line: a name, `path/to/store.py:make` or `package.module:make`."""
    effort: ClassVar[Effort] = Effort.QUICK

    properties: ClassVar[Sequence[Property]] = PROPERTIES

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test a property."""
        names = [f"{one.number} {one.name}" for one in self.properties]
        metafunc.parametrize("wanted", self.properties, ids=names)

    @pytest.fixture(scope="class")
    @classmethod
    def checker(cls) -> Iterator[Checker]:
        """Give the store under check, in a process of its own, for all of the class's tests."""
        with Checker(cls.subject, cls.effort) as opened:
            yield opened

    def test_it_holds(self, checker: Checker, wanted: Property) -> None:
        """The store holds the property, or declares that it can't and truly can't."""
        result = checker.check(wanted)
        assert result.status.good, f"{result.status}: {told(result)}"

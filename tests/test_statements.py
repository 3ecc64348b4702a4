"""SQL from files: values in the declared order, in each driver's notation."""

from importlib.resources import files

import pytest

import backends.statements
from backends.statements import Statement, _statement, statements


def test_values_are_numbered_in_the_declared_order() -> None:
    """A value that is used twice is sent once, and a cast or a comment is no value."""
    one = _statement("one", "b, a", "-- not :this\nSELECT :a, :b::text, :a FROM t\n")
    assert one.parameters == ("b", "a")
    assert one.named == "SELECT :a, :b::text, :a FROM t"
    assert one.dollars == b"SELECT $2, $1::text, $2 FROM t"
    assert one.questions == "SELECT ?2, ?1::text, ?2 FROM t"


@pytest.mark.parametrize("order", ["a", "a, b, c"])
def test_a_head_that_does_not_fit_is_refused(order: str) -> None:
    """Too few or too many declared: the values would go astray."""
    with pytest.raises(ValueError, match="one: its head and its text"):
        _statement("one", order, "SELECT :a, :b")


def test_every_file_is_read() -> None:
    """Each statement has a body and no other's head in it."""
    found: list[Statement] = []
    for file in files(backends.statements).iterdir():
        name, _, suffix = file.name.rpartition(".")
        if suffix == "sql" and not name.endswith("_schema"):
            found.extend(statements(name).values())
    assert len(found) >= 15
    for statement in found:
        assert statement.named.split()[0] in {"SELECT", "INSERT", "UPDATE", "DELETE"}
        assert ";" not in statement.named
        assert b":" not in statement.dollars

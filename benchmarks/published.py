"""Tables of docs/method.md that a measurement makes, between two marks with the table's name."""

from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs" / "method.md"


def published(name: str) -> str:
    """Give the table that docs/method.md has."""
    _, rest = DOCS.read_text(encoding="utf-8").split(f"<!-- {name}: begin -->\n")
    return rest.partition(f"<!-- {name}: end -->")[0].rstrip("\n")


def publish(name: str, table: str) -> None:
    """Put a table into docs/method.md."""
    head, rest = DOCS.read_text(encoding="utf-8").split(f"<!-- {name}: begin -->\n")
    _, tail = rest.split(f"<!-- {name}: end -->")
    text = f"{head}<!-- {name}: begin -->\n{table}\n<!-- {name}: end -->{tail}"
    DOCS.write_text(text, encoding="utf-8")

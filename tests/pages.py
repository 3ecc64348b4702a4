"""Reports as a reader meets them, for tests of what is in them."""

import csv
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from bench import report
from bench.record import Run, Trial
from tests import records

PICTURES = ("tradeoff", "throughput", "latency", "distribution", "losses", "races")


class Page(HTMLParser):
    """What a browser would see: the text, the tags, the table headings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._silent = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._silent = tag in {"style", "script"}

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.text += data
        self._silent = False

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def rendered(tmp_path: Path, run: Run, trials: Sequence[Trial], name: str = "out") -> Path:
    folder = records.write(tmp_path / "results" / name, run, trials)
    return report.write(folder, tmp_path / "reports" / name)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))

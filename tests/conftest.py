"""What tests share: real servers, a report, the command line, and Hypothesis' profile."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from bench import report, servers
from bench.cli import main
from bench.servers.server import Server, Unavailable
from bench.workspace import Workspace
from tests import records
from tests.cli import Cli, Said
from tests.pages import Page

# Machines are noisy, so no example has a deadline; CI must fail on the same ones every time.
hypothesis_settings.register_profile("local", deadline=None)
hypothesis_settings.register_profile("ci", deadline=None, derandomize=True)
hypothesis_settings.load_profile("ci" if os.environ.get("CI") else "local")


def start_or_skip(
    workspace: Workspace, kind: str, settings: Mapping[str, str], layout: str | None = None
) -> Server:
    """Start one; where there is none, skip, or fail if it was asked for by name."""
    found = servers.find(kind)
    if isinstance(found, Unavailable):
        why = f"{found.reason}; {found.mend}"
        required = os.environ.get("REFRESHBENCH_REQUIRE_SERVERS", "").split(",")
        if kind in required or os.environ.get("CI") == "true":
            pytest.fail(f"{kind} is required: {why}")
        pytest.skip(why)
    return servers.start(found, workspace.folder(kind), settings, layout)


@pytest.fixture(scope="session")
def workspace() -> Iterator[Workspace]:
    """Scratch folders that are gone, with every process in them, when the session ends."""
    with Workspace() as opened:
        yield opened


@pytest.fixture(scope="session")
def start_server(workspace: Workspace) -> Iterator[Callable[..., Server]]:
    """Give `(kind, settings={}) -> Server`: the same one for the same arguments."""
    running: dict[tuple[str, tuple[tuple[str, str], ...]], Server] = {}

    def start(kind: str, settings: Mapping[str, str] = {}) -> Server:
        key = kind, tuple(sorted(settings.items()))
        if key not in running:
            running[key] = start_or_skip(workspace, kind, settings)
        return running[key]

    yield start
    for server in running.values():
        server.close()


@pytest.fixture
def fresh_server(workspace: Workspace) -> Iterator[Callable[..., Server]]:
    """Give `(kind, settings={}) -> Server`: one of the test's own, to stop and kill."""
    started: list[Server] = []

    def start(kind: str, settings: Mapping[str, str] = {}) -> Server:
        server = start_or_skip(workspace, kind, settings)
        started.append(server)
        return server

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def example_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder with the report of the synthetic run, drawn once: it takes seconds."""
    base = tmp_path_factory.mktemp("report")
    folder = records.write(base / "results" / "example", *records.example())
    return report.write(folder, base / "reports" / "example").parent


@pytest.fixture(scope="session")
def page(example_report: Path) -> Page:
    """Give the page of that report."""
    return Page((example_report / "index.html").read_text(encoding="utf-8"))


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave pictures empty, for tests of the words and tables around them."""

    def save(figure: object, name: str, folder: Path) -> tuple[int, int]:
        for kind in ("png", "svg"):
            (folder / f"{name}.{kind}").touch()
        return 960, 540

    monkeypatch.setattr("bench.report.plots.canvas.save", save)


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Said(ended.value.code, out, err)

    return run

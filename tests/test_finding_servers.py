"""Where servers are looked for, in which order, and what is said where there is none."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bench import servers
from bench.errors import Failed
from bench.servers.local import LocalServer
from bench.servers.server import Found, Unavailable
from bench.workspace import Workspace
from tests.conftest import start_or_skip
from tests.server_clients import got, put

Start = Callable[..., LocalServer]


def fake(folder: Path, name: str, script: str) -> None:
    """Put a program of that name, a shell script, into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)


def test_a_named_folder_of_binaries_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the user named is taken, for the kinds that it has; for others, the usual."""
    fake(tmp_path / "bin", "redis-server", "echo Redis server v=99.1.2")
    monkeypatch.setenv("REFRESHBENCH_BIN", str(tmp_path / "bin"))
    found = servers.find("redis")
    assert found == Found("redis", "path", str(tmp_path / "bin" / "redis-server"), "99.1.2")
    assert servers.find("mongo") != found


def test_a_binary_that_dies_at_start_shows_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_server: Start
) -> None:
    """It answers --version, so it is found; then its log says why it won't serve."""
    script = (
        "[ $1 = --version ] && echo v=99.1.2 && exit; echo starting; echo no licence >&2; exit 3"
    )
    fake(tmp_path / "bin", "redis-server", script)
    monkeypatch.setenv("REFRESHBENCH_BIN", str(tmp_path / "bin"))
    with pytest.raises(Failed, match=r"redis .*died at start: starting \| no licence"):
        fresh_server("redis")


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            "echo 'mongod: error while loading shared libraries: libcrypto.so.3' >&2; exit 127",
            "libcrypto.so.3",
        ),
        ("echo hello", "hello"),
    ],
    ids=["missing library", "not a server"],
)
def test_a_binary_that_does_not_run_here_says_why(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line with the loader's own words, and a mend; nothing else is taken in its place."""
    fake(tmp_path / "bin", "mongod", script)
    monkeypatch.setenv("REFRESHBENCH_BIN", str(tmp_path / "bin"))
    answer = servers.find("mongo")
    assert isinstance(answer, Unavailable)
    assert reason in answer.reason
    assert "REFRESHBENCH_BIN" in answer.mend


def test_a_binary_of_another_machine_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the kernel can't execute is told from what isn't there; once mended, it is found."""
    fake(tmp_path / "bin", "redis-server", "")
    (tmp_path / "bin" / "redis-server").write_bytes(b"\x7fELF but not for this machine")
    monkeypatch.setenv("REFRESHBENCH_BIN", str(tmp_path / "bin"))
    answer = servers.find("redis")
    assert isinstance(answer, Unavailable)
    assert "Exec format error" in answer.reason
    fake(tmp_path / "bin", "redis-server", "echo v=7.2.0")
    assert isinstance(servers.find("redis"), Found)


def test_too_old_a_postgres_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statements need 15."""
    fake(tmp_path / "bin", "postgres", "echo 'postgres (PostgreSQL) 14.11'")
    monkeypatch.setenv("REFRESHBENCH_BIN", str(tmp_path / "bin"))
    answer = servers.find("postgres")
    assert isinstance(answer, Unavailable)
    assert "15 or newer" in answer.reason


def test_servers_that_the_machine_has_are_used_too(
    start_server: Start, monkeypatch: pytest.MonkeyPatch, workspace: Workspace, tmp_path: Path
) -> None:
    """The `path` way starts what it finds, here by links as a distribution makes them."""
    (tmp_path / "bin").mkdir()
    for kind in servers.KINDS:
        program = start_server(kind).binary.program
        (tmp_path / "bin" / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    for kind in servers.KINDS:
        found = servers.find(kind, "path")
        assert isinstance(found, Found)
        server = servers.start(found, workspace.folder(kind), {})
        put(server, "found")
        assert (server.way, got(server)) == ("path", "found")
        server.close()


def test_where_there_is_nothing_the_mend_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wheel, nothing on PATH: one reason for each way, and the command that brings it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "/nowhere")
    answer = servers.find("mongo")
    assert isinstance(answer, Unavailable)
    assert "no wheel with mongod" in answer.reason
    assert "no mongod on PATH" in answer.reason
    assert answer.mend == "pip install 'refreshbench[servers]'"


def test_a_way_that_is_asked_for_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--servers wheel` never takes what is on PATH; an unknown way is told, with the known."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    answer = servers.find("redis", "wheel")
    assert isinstance(answer, Unavailable)
    assert answer.way == "wheel"
    unknown = servers.find("redis", "teleport")
    assert isinstance(unknown, Unavailable)
    assert "wheel" in unknown.mend


def test_a_wheel_without_the_run_bit_is_made_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """mongod's wheel lacks it."""
    fake(tmp_path / "fiftyone" / "db" / "bin", "mongod", "echo db version v6.0.5")
    program = tmp_path / "fiftyone" / "db" / "bin" / "mongod"
    program.chmod(0o644)
    monkeypatch.syspath_prepend(tmp_path)
    answer = servers.find("mongo", "wheel")
    assert answer == Found("mongo", "wheel", str(program), "6.0.5")


def test_a_wheel_that_is_not_ours_to_change_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Installed by root, run by another: the copy is made once and has the run bit."""
    program = tmp_path / "fiftyone" / "db" / "bin" / "mongod"
    fake(program.parent, "mongod", "echo db version v6.0.5")
    program.chmod(0o644)
    change = Path.chmod

    def refusing(path: Path, mode: int) -> None:
        if path == program:
            raise PermissionError
        change(path, mode)

    monkeypatch.setattr(Path, "chmod", refusing)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path / "scratch"))
    for _ in range(2):
        answer = servers.find("mongo", "wheel")
        [copy] = (tmp_path / "scratch" / "bin").iterdir()
        assert answer == Found("mongo", "wheel", str(copy), "6.0.5")


def test_survey_asks_every_way() -> None:
    """`doctor` shows them all, in the order in which they are tried."""
    for kind in servers.KINDS:
        assert [answer.way for answer in servers.survey(kind)] == list(servers.WAYS)


def test_a_missing_server_skips_unless_it_is_required(monkeypatch: pytest.MonkeyPatch) -> None:
    """Locally the reason and its mend; where it was asked for, by name or by CI, a failure."""
    absent = Unavailable("mongo", "wheel", "no wheel", "pip install it")
    monkeypatch.setattr(servers, "find", lambda _: absent)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("REFRESHBENCH_REQUIRE_SERVERS", "redis,postgres")
    with pytest.raises(pytest.skip.Exception, match="no wheel; pip install it"):
        start_or_skip(Workspace(), "mongo", {})
    monkeypatch.setenv("REFRESHBENCH_REQUIRE_SERVERS", "redis,mongo")
    with pytest.raises(pytest.fail.Exception, match="pip install it"):
        start_or_skip(Workspace(), "mongo", {})
    monkeypatch.delenv("REFRESHBENCH_REQUIRE_SERVERS")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="mongo is required"):
        start_or_skip(Workspace(), "mongo", {})

"""The harness takes as much memory at many sessions as at few, all of its processes together."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import psutil
import pytest

from bench import meter, phases
from bench.run_folder import RunFolder
from scenarios.phases.fill import Fill, Filled
from scenarios.phases.visit import Visit
from scenarios.scale import SCENARIO, ScaleFindings
from scenarios.scenario import Effort
from tests.filling import HOARDER, SIEVE, staged

FEW, MANY, MOST = 1_000, 100_000, 10_000_000
MB = 1_000_000


def harness(root: int) -> list[int]:
    """Give a process and all that it started."""
    try:
        below = psutil.Process(root).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [root, *(process.pid for process in below)]


def own_bytes(pids: Iterable[int]) -> int:
    """Give what processes wrote to memory, what they share counted once.

    Their whole memory has a share of each library that other processes have in use too, such as
    the tests beside this one: it grows by megabytes when one of those ends. A process that has
    ended has none.
    """
    rollups = []
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            rollups.append(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
    written = [int(re.findall(r"^Pss_Anon: +(\d+) kB$", text, re.MULTILINE)[0]) for text in rollups]
    return sum(written) * 1024


def grown(spec: str, folder: Path) -> int:
    """Fill and visit a store at two sizes; give by how much the harness is larger at the second."""
    folder.mkdir()
    taken = []
    with staged(spec, folder) as stage:
        for sessions in (FEW, MANY):
            filled = phases.execute(Fill(sessions=sessions, connections=4, most_seconds=60), stage)
            assert isinstance(filled, Filled)
            assert filled.sessions == sessions
            phases.execute(
                Visit(operation="rotate", seconds=0.2, warmup_seconds=0.02, most_calls=2_000),
                stage,
            )
            taken.append(own_bytes(harness(os.getpid())))
    few, many = taken
    return many - few


def test_the_harness_is_as_small_at_many_sessions_as_at_few(tmp_path: Path) -> None:
    """100 thousand take no more of it than a thousand; a hoarder shows that they could."""
    assert grown(SIEVE, tmp_path / "sieve") < 5 * MB
    assert grown(HOARDER, tmp_path / "hoarder") > 40 * MB


def peak(command: Sequence[str]) -> int:
    """Run a command to its end; give the most memory that it and its children took at once."""
    most = 0
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            most = max(most, meter.memory_bytes(harness(process.pid)))
            time.sleep(0.5)
    assert process.returncode == 0
    return most


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_ten_million_sessions_take_less_than_300_mb(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a run as it is, at thorough effort: runner, fork server, guardian, and two workers.

    `pytest -m slow tests/test_harness_memory.py` prints what a million and ten million take.
    """
    thorough = SCENARIO.presets[Effort.THOROUGH].model_dump()
    asked = {"trials": 1, **{name: thorough[name] for name in ("seconds", "most_calls")}}
    found = {}
    for sessions in (MOST // 10, MOST):
        settings = {**asked, "sessions": f"{FEW},{sessions}", "most_load_seconds": 1_800}
        command = [str(Path(sys.executable).with_name("refreshbench")), "run", "scale", "-b", SIEVE]
        command += [f"--set=scale.{name}={value}" for name, value in settings.items()]
        folder = tmp_path / f"{sessions}"
        command += [f"--results={folder}", f"--reports={tmp_path / 'reports'}"]
        found[sessions] = peak(["taskset", "--cpu-list", "0,1", *command])
        [run] = folder.iterdir()
        [trial] = RunFolder(run).trials()
        assert ScaleFindings.model_validate(trial.findings).sizes[-1].sessions == sessions
        with capsys.disabled():
            sys.stdout.write(f"\n{sessions:,} sessions: {found[sessions] / MB:.0f} MB at most")
    assert found[MOST] < 300 * MB
    assert found[MOST] < found[MOST // 10] + 20 * MB

"""Histories: what a killed process leaves is read for what it is."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from scenarios.history import Event, HistoryWriter, read, to_lines


def event(op: int, **changes: object) -> Event:
    made = Event(
        op=op,
        instance=0,
        family=f"family-{op}",
        kind="rotate",
        generation=1,
        digest="d1",
        invoke_ns=1_000 + op,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file that isn't there yet."""
    return tmp_path / "history.jsonl"


def test_what_is_written_is_read(path: Path) -> None:
    """An answered, a failed and an unknown operation, in order of invocation."""
    writer = HistoryWriter(path)
    writer.invoke(event(2))
    writer.invoke(event(1))
    writer.settle(1, 5_000, "ok", "rotated")
    writer.settle(2, 6_000, "unknown", "AnswerLost")
    writer.invoke(event(3, kind="revoke"))
    writer.settle(3, 7_000, "fail", "NotSent")
    writer.close()
    assert read([path]) == [
        event(1, return_ns=5_000, status="ok", outcome="rotated"),
        event(2, return_ns=6_000, status="unknown", outcome="AnswerLost"),
        event(3, kind="revoke", return_ns=7_000, status="fail", outcome="NotSent"),
    ]


def test_an_operation_without_return_stays_open(path: Path) -> None:
    """It may take effect at any later time, or never."""
    writer = HistoryWriter(path)
    writer.invoke(event(1))
    assert read([path]) == [event(1)]
    assert read([path])[0].status == "unknown"
    writer.close()


def test_a_line_is_on_file_before_the_call_is_made(tmp_path: Path, path: Path) -> None:
    """A process that is killed right after `invoke` leaves the open operation in evidence."""
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from scenarios.history import HistoryWriter; from tests.test_history import event\n"
        "HistoryWriter(Path(sys.argv[1])).invoke(event(1))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert read([path]) == [event(1)]


@pytest.mark.parametrize("cut", [1, 5, 40, 100])
def test_a_return_cut_short_leaves_its_operation_open(path: Path, cut: int) -> None:
    """Wherever in the line the process was killed."""
    writer = HistoryWriter(path)
    writer.invoke(event(1))
    writer.settle(1, 5_000, "ok", "rotated")
    writer.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut] if cut < 60 else whole[: whole.index(b"\n") + 1])
    expected = (
        [event(1, return_ns=5_000, status="ok", outcome="rotated")] if cut == 1 else [event(1)]
    )
    assert read([path]) == expected


def test_an_invocation_cut_short_was_never_sent(path: Path) -> None:
    """The line is whole before the call is made, so the call wasn't."""
    writer = HistoryWriter(path)
    writer.invoke(event(1))
    writer.close()
    whole = path.read_bytes()
    for length in range(len(whole) - 1):
        path.write_bytes(whole[:length])
        assert read([path]) == []


def test_a_writer_that_goes_on_loses_no_line_to_the_one_cut_short(path: Path) -> None:
    """A second process that takes the file over begins on a line of its own."""
    first = HistoryWriter(path)
    first.invoke(event(1))
    first.invoke(event(2))
    first.close()
    path.write_bytes(path.read_bytes()[:-20])
    second = HistoryWriter(path)
    second.invoke(event(3))
    second.settle(1, 5_000, "ok", None)
    second.close()
    assert read([path]) == [event(1, return_ns=5_000, status="ok", outcome=None), event(3)]


def test_two_writers_on_one_file_do_not_tear_each_others_lines(path: Path) -> None:
    """Each line is appended whole."""
    writers = [HistoryWriter(path), HistoryWriter(path)]
    for op in range(200):
        writers[op % 2].invoke(event(op, family="f" * op * 10))
    for op in range(200):
        writers[(op + 1) % 2].settle(op, 9_000, "ok", None)
    for writer in writers:
        writer.close()
    found = read([path])
    assert [one.op for one in found] == list(range(200))
    assert {one.status for one in found} == {"ok"}


def test_files_of_several_workers_are_one_history(tmp_path: Path) -> None:
    """In order of invocation, whichever file an event is in and whatever its number."""
    paths = [tmp_path / name for name in ("a", "b")]
    for number, path in enumerate(paths):
        writer = HistoryWriter(path)
        for op in range(number, 6, 2):
            writer.invoke(event(op, invoke_ns=100 - op))
        writer.close()
    assert [one.op for one in read(paths)] == [5, 4, 3, 2, 1, 0]


def test_what_no_kill_explains_is_no_history(path: Path) -> None:
    """An operation invoked twice, or answered and never invoked, is a fault of the harness."""
    writer = HistoryWriter(path)
    writer.invoke(event(1))
    writer.invoke(event(1))
    writer.close()
    with pytest.raises(ValueError, match="operation 1 was invoked twice"):
        read([path])
    path.write_text('{"return": {"op": 7, "return_ns": 1, "status": "ok", "outcome": null}}\n')
    with pytest.raises(ValueError, match="operation 7 was never invoked"):
        read([path])


def test_the_record_holds_every_field() -> None:
    """One JSON line an event."""
    events = [event(1), event(2, return_ns=5_000, status="ok", outcome="rotated")]
    assert [Event(**json.loads(line)) for line in to_lines(events)] == events

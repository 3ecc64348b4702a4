"""The harness reports stores that hang, raise, lie or die, and is harmed by none of them."""

import os
import time
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree as ET

import psutil
import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from backends.store import Policy, Successor
from bench.conform import checker as checking
from bench.conform import story
from bench.conform.caller import DEVICE, IDLE_MS, Caller, new_digest
from bench.conform.checker import Checker, Report
from bench.conform.child import LATE_NOTE, note_late
from bench.conform.lanes import Call, on_threads
from bench.conform.properties import BY_NUMBER, PROPERTIES
from bench.conform.property import Result, Status, Violation
from bench.conform.report import document, junit, rows, verdict
from bench.conform.watched import Watched, waiting_for
from bench.errors import Failed
from scenarios.scenario import Effort
from tests.broken_stores.last_reason_wins import LastReasonWins
from tests.broken_stores.read_then_write import ReadThenWrite

ODD = Path(__file__).parent / "odd_stores.py"


def check(store: str, number: int) -> Result:
    with Checker(f"{ODD}:{store}", Effort.QUICK) as checker:
        return checker.check(BY_NUMBER[number])


def test_the_properties_are_the_contracts() -> None:
    """Numbered from 1 without a gap, each with a source and what its violation costs."""
    assert [one.number for one in PROPERTIES] == list(range(1, 28))
    assert all(one.says and one.source and one.consequence for one in PROPERTIES)


def test_a_store_that_hangs_is_told_and_does_not_hang_the_suite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Undecided, with the call that did not return; after three hangs nothing more is tried."""
    monkeypatch.setattr(checking, "IMPATIENT_SECONDS", 0.3)
    monkeypatch.setattr(checking, "PATIENCE", 0.02)
    since = time.monotonic()
    with Checker(f"{ODD}:hangs", Effort.QUICK) as checker:
        results = [checker.check(BY_NUMBER[number]) for number in (4, 5, 6, 7)]
    assert {one.status for one in results} == {Status.UNDECIDED}
    assert "rotate has not returned" in results[0].text
    assert "hung or died 3 times" in results[3].text
    assert time.monotonic() - since < 60


@pytest.mark.parametrize(
    ("waiting", "hangs", "attempts"), [("", 0, 2), ("rotate has not returned for 30 s", 1, 1)]
)
def test_a_slow_machine_is_not_held_against_a_store(
    waiting: str, hangs: int, attempts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of time while nothing was asked of the store: tried once more, and no hang of its own."""
    (tmp_path / LATE_NOTE).write_text(waiting)
    tried: list[int] = []

    class NeverDone:
        def submit(self, _: object, number: int, seconds: float) -> "NeverDone":
            tried.append(number)
            return self

        def result(self, _: float) -> Result:
            raise TimeoutError

    with Checker("memory", Effort.QUICK) as checker:
        monkeypatch.setattr(checker, "_ready", lambda: (ExitStack(), NeverDone(), tmp_path))
        result = checker.check(BY_NUMBER[21])
        assert result.status is Status.UNDECIDED
        assert len(tried) == attempts
        assert checker._hangs == hangs
        assert waiting in result.text


def test_a_call_that_has_just_begun_is_no_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check is in a call of the store most of the time; one that hangs has been so for long."""
    note = tmp_path / LATE_NOTE
    with waiting_for("verify"):
        note_late(note, least_seconds=3.0)
        assert not note.read_text()
        later = time.monotonic() + 30
        monkeypatch.setattr(time, "monotonic", lambda: later)
        note_late(note, least_seconds=3.0)
        assert note.read_text() == "verify has not returned for 30 s"


def test_a_store_that_raises_is_told_with_the_place() -> None:
    """An exception of no kind of ours is a violation, not a crash of the check."""
    result = check("raises", 4)
    assert result.status is Status.VIOLATED
    assert "rotate raised ZeroDivisionError: odd (odd_stores.py:" in result.text


def test_a_store_that_answers_nonsense_is_told() -> None:
    """None where a Verification belongs."""
    result = check("nonsense", 12)
    assert result.status is Status.VIOLATED
    assert "verify returned None, not a Verification" in result.text


def test_a_store_that_takes_its_process_down_is_told_and_the_next_check_runs() -> None:
    """The checking process is replaced; nothing of the asker's is lost."""
    with Checker(f"{ODD}:dies", Effort.QUICK) as checker:
        results = [checker.check(BY_NUMBER[number]) for number in (4, 5)]
    assert {one.status for one in results} == {Status.UNDECIDED}
    assert "took its process down" in results[1].text


def test_a_store_that_cannot_be_opened_again_is_told() -> None:
    """Opening is checked like any call."""
    result = check("fails_to_open", 1)
    assert result.status is not Status.HELD
    assert "no more" in result.text


def test_a_store_that_ends_the_program_is_told_like_any_other() -> None:
    """SystemExit is one more exception that is no answer."""
    result = check("exits", 4)
    assert result.status is Status.VIOLATED
    assert "rotate raised SystemExit: 3" in result.text


def test_a_store_that_leaks_connections_is_told() -> None:
    """Counted over several times of opening and closing it."""
    result = check("leaks", 27)
    assert result.status is Status.VIOLATED
    assert "leaks 16 descriptors" in result.text


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("dies_at_once", "took its process down"),
        ("hangs_at_once", "no end after"),
        ("NOT_READY", "can't make its place ready: RuntimeError: no room for a table"),
    ],
)
def test_a_store_that_cannot_even_be_opened_is_one_line(
    store: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its code is tried in a process of its own before it is loaded here."""
    monkeypatch.setattr(checking, "OPEN_SECONDS", 5.0)
    with pytest.raises(Failed, match=said):
        check(store, 4)


def test_a_check_has_every_cpu_of_its_asker() -> None:
    """Racing processes and servers on one CPU would seldom meet."""
    here = frozenset(os.sched_getaffinity(0))
    with Checker("memory", Effort.QUICK) as checker:
        assert checker.check(BY_NUMBER[4]).status is Status.HELD
        assert checker._process is not None
        assert os.sched_getaffinity(checker._process[1].pid) == here


def test_what_a_store_prints_is_kept_out_of_the_report(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither stream of the asker's gets a word of it."""
    assert check("prints", 4).status is Status.HELD
    assert "store" not in "".join(capfd.readouterr())


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes, servers and folders of a check end with it."""
    monkeypatch.setenv("REFRESHBENCH_SCRATCH", str(tmp_path))
    with Checker("redis", Effort.QUICK) as checker:
        assert checker.check(BY_NUMBER[2]).status is Status.HELD
        servers = [one for one in psutil.process_iter() if _works_in(one, tmp_path)]
        assert servers
    assert not list((tmp_path / "runs").iterdir())
    assert not [one for one in servers if one.is_running() and one.status() != "zombie"]


def _works_in(process: psutil.Process, folder: Path) -> bool:
    try:
        return Path(process.cwd()).is_relative_to(folder)
    except psutil.Error:
        return False


def test_a_race_in_memory_is_seen_in_nearly_every_round() -> None:
    """The power of the check: without the jolts, 0 of 300 rounds showed this race."""
    store = Watched(ReadThenWrite(Policy()))
    caller = Caller(store, 1_700_000_000_000)
    tokens = [caller.login() for _ in range(60)]
    lanes = [
        [
            Call("rotate", (token, Successor(new_digest(), caller.now_ms + IDLE_MS), DEVICE, 0))
            for token in tokens
        ]
        for _ in range(4)
    ]
    rounds = list(zip(*on_threads(store, lanes, 30), strict=True))
    torn = sum(sum(one.outcome == "rotated" for one in answers) > 1 for answers in rounds)
    assert torn > len(rounds) / 2


def test_a_story_is_told_in_words_and_short(tmp_path: Path) -> None:
    """Shrunk to the fewest steps that still fail: here a login, two ends of it, and a look."""
    set_hypothesis_home_dir(tmp_path)
    caller = Caller(Watched(LastReasonWins(Policy())), 1_700_000_000_000)
    machine = story._told(caller, Policy())

    def tell() -> None:
        # One bundle in two has it: so many without is no luck.
        for _ in range(40):
            story._tell(machine, steps=20)

    with pytest.raises(Violation) as told:
        tell()
    assert str(told.value).startswith("1. session 1's token 0 is issued")
    assert "is revoked for logout" in str(told.value)
    assert "; 6. " not in str(told.value)


REPORT = Report(
    spec="mine.py:make",
    title="make",
    effort=Effort.QUICK,
    lacking={"native_ttl": "none"},
    served_by=None,
    results=(
        Result(number=1, status=Status.HELD, text="", seconds=0.5),
        Result(number=2, status=Status.VIOLATED, text="2 were ROTATED\x01", seconds=1.0),
        Result(number=9, status=Status.DECLARED, text="can't revoke", seconds=0.1),
        Result(number=22, status=Status.NOT_APPLICABLE, text="no server", seconds=0.0),
        Result(number=25, status=Status.UNDECIDED, text="crashed", seconds=0.0),
    ),
)


def test_a_violation_is_told_with_what_it_costs() -> None:
    """Each row says what was seen; a violation also what follows from it."""
    told = rows(REPORT)
    assert told[1][:3] == ("2", "one winner", "violated")
    assert told[1][3].endswith(BY_NUMBER[2].consequence)
    assert told[2][3] == "can't revoke"
    assert verdict(REPORT) == (
        "mine.py:make does not conform: 2 of 5: 2 one winner, 25 legal input"
    )


def test_undecided_never_counts_as_held() -> None:
    """Neither in the verdict nor in the document."""
    assert not REPORT.good
    assert document(REPORT)["conforms"] is False


def test_junit_tells_failures_errors_and_skips_apart() -> None:
    """What CI shows: violated fails, undecided is an error, the rest that isn't held is skipped."""
    suite = ET.fromstring(junit(REPORT))
    counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    assert [case.get("name") for case in suite] == [
        "1 round trip",
        "2 one winner",
        "9 revoke beats rotate",
        "22 fails closed",
        "25 legal input",
    ]
    message = suite[1][0].get("message")
    assert message is not None
    assert "2 were ROTATED" in message

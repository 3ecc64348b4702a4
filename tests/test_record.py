"""The record: nothing lost, nothing twice, nothing overwritten, nothing read that is damaged."""

import gzip
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bench.errors import Failed, WrongUse
from bench.machine import collect
from bench.record import Run, Trial
from bench.run_folder import RunExists, RunFolder
from bench.schema import schemas, text
from scenarios.history import Event, to_lines
from tests import records


@pytest.fixture(scope="module")
def example() -> tuple[Run, list[Trial]]:
    run, trials = records.example()
    return run, list(trials)


@pytest.fixture
def folder(tmp_path: Path, example: tuple[Run, list[Trial]]) -> RunFolder:
    return RunFolder.create(tmp_path / "results" / "a", example[0])


@contextmanager
def disk_full_at(size_bytes: int) -> Iterator[None]:
    """Let no file grow past a size: what a full disk is to a writer, for root as well."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_was_written_is_read_back(folder: RunFolder, example: tuple[Run, list[Trial]]) -> None:
    """A run and its trials survive the way to disk and back."""
    run, trials = example
    for trial in trials:
        folder.append(trial)
    assert folder.run() == run
    assert folder.trials() == trials


def test_a_run_is_never_overwritten(folder: RunFolder, example: tuple[Run, list[Trial]]) -> None:
    """A second run of the same name is refused, and the first one stays as it was."""
    before = (folder.path / "run.json").read_bytes()
    with pytest.raises(RunExists, match="never overwritten"):
        RunFolder.create(folder.path, example[0])
    assert (folder.path / "run.json").read_bytes() == before


def test_a_trial_cut_short_at_any_byte_is_neither_read_nor_in_the_way(
    folder: RunFolder, example: tuple[Run, list[Trial]]
) -> None:
    """After a kill in the middle of a line, earlier trials stand and later ones are appended."""
    first, second, *_ = (trial.model_copy(update={"findings": {}}) for trial in example[1])
    path = folder.path / "trials.jsonl"
    folder.append(first)
    whole = path.read_bytes()
    folder.append(second)
    both = path.read_bytes()
    for cut in range(len(whole), len(both)):
        path.write_bytes(both[:cut])
        assert folder.trials() == [first]
        folder.append(second)
        assert folder.trials() == [first, second]


@pytest.mark.parametrize("damage", [b"{", b"[]", b"{}", b"\xff\xfe", b'{"format": "one"}', b""])
def test_a_damaged_run_is_refused_by_the_file_s_name(folder: RunFolder, damage: bytes) -> None:
    """Whatever is wrong with run.json, one line says which file."""
    (folder.path / "run.json").write_bytes(damage)
    with pytest.raises(WrongUse, match=r"run\.json is damaged") as refused:
        folder.run()
    assert "\n" not in str(refused.value)


def test_a_newer_format_is_refused_with_the_mend(folder: RunFolder) -> None:
    """A run of a later version says so, and isn't half understood."""
    path = folder.path / "run.json"
    path.write_text(json.dumps({"format": 99, "unheard": "of"}))
    with pytest.raises(WrongUse, match="format 99, this version reads up to 2; upgrade"):
        folder.run()


def test_a_damaged_line_in_the_middle_is_told_by_its_number(
    folder: RunFolder, example: tuple[Run, list[Trial]]
) -> None:
    """Only the last line may be cut short; any other damage is an error, never skipped."""
    for trial in example[1][:3]:
        folder.append(trial)
    path = folder.path / "trials.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1][:40] + b"\n" + lines[2])
    with pytest.raises(WrongUse, match=r"trials\.jsonl:2 is damaged"):
        folder.trials()


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    """An empty folder isn't a run, and the message says what it lacks."""
    with pytest.raises(WrongUse, match=r"is no run: it has no run\.json"):
        RunFolder(tmp_path).run()


def test_a_full_disk_at_the_start_leaves_nothing_behind(
    tmp_path: Path, example: tuple[Run, list[Trial]]
) -> None:
    """No half a run folder; the line names the folder and the option."""
    with disk_full_at(100), pytest.raises(WrongUse, match="choose --results"):
        RunFolder.create(tmp_path / "run", example[0])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_in_the_middle_keeps_what_was_recorded(
    folder: RunFolder, example: tuple[Run, list[Trial]]
) -> None:
    """The trial that didn't fit isn't recorded; with room again the run goes on."""
    first, second = example[1][:2]
    folder.append(first)
    size = (folder.path / "trials.jsonl").stat().st_size
    with disk_full_at(size + 50), pytest.raises(Failed, match="go on with --resume"):
        folder.append(second)
    assert folder.trials() == [first]
    folder.append(second)
    assert folder.trials() == [first, second]


def test_a_second_process_is_refused_while_one_runs(folder: RunFolder) -> None:
    """The lock is held until the block ends, or its process does."""
    holder = (
        "import sys, time; from pathlib import Path; from bench.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked():\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder, folder.path], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        with pytest.raises(WrongUse, match="another process is running"), folder.locked():
            pass
        process.kill()
    with folder.locked():
        pass


def test_a_run_is_found_by_path_or_by_name(folder: RunFolder, tmp_path: Path) -> None:
    """A name is looked for below the results; one that isn't there names those that are."""
    results = tmp_path / "results"
    assert RunFolder.named("a", results).path == folder.path
    assert RunFolder.named(str(folder.path), Path("elsewhere")).path == folder.path
    with pytest.raises(WrongUse, match=r"no run 'b' in .*; the latest: a"):
        RunFolder.named("b", results)
    with pytest.raises(WrongUse, match="it has none"):
        RunFolder.named("b", tmp_path / "nowhere")


def test_errors_are_kept_without_the_home_folder(
    folder: RunFolder, example: tuple[Run, list[Trial]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a driver said of files below the home folder can be shown around."""
    monkeypatch.setenv("HOME", "/home/secret")
    failed = example[1][0].model_copy(
        update={"status": "failed", "error": "no such file: /home/secret/data"}
    )
    folder.append(failed)
    folder.write_error(failed.id, "Traceback: /home/secret/store.py\n")
    written = [path for path in folder.path.rglob("*") if path.is_file()]
    assert all(b"secret" not in path.read_bytes() for path in written)
    assert folder.trials()[0].error == "no such file: ~/data"


def test_a_history_is_kept_whole_and_the_same_bytes_each_time(folder: RunFolder) -> None:
    """One event a line, gzipped without the time of day; the id becomes a file name."""
    events = [
        Event(op=n, instance=0, family="f", kind="issue", generation=0, digest="00", invoke_ns=n)
        for n in range(3)
    ]
    folder.write_history("durability/crash/../up.py:make/1", to_lines(events))
    [path] = (folder.path / "histories").iterdir()
    first = path.read_bytes()
    assert [json.loads(line)["op"] for line in gzip.decompress(first).splitlines()] == [0, 1, 2]
    os.utime(path, (0, 0))
    folder.write_history("durability/crash/../up.py:make/1", to_lines(events))
    assert path.read_bytes() == first


def test_the_schemas_in_docs_are_those_of_the_models() -> None:
    """Whoever changes a model writes the schema again: python -m bench.schema docs."""
    docs = Path(__file__).parents[1] / "docs"
    for name, schema in schemas().items():
        assert (docs / name).read_text(encoding="utf-8") == text(schema), name


def test_records_keep_to_the_schemas(example: tuple[Run, list[Trial]], tmp_path: Path) -> None:
    """What is written down is what the schema says."""
    run, trials = example
    by_name = {name: jsonschema.Draft202012Validator(one) for name, one in schemas().items()}
    for validator in by_name.values():
        validator.check_schema(validator.schema)
    for trial in trials:
        by_name["trial.schema.json"].validate(trial.model_dump(mode="json"))
    written = run.model_dump(mode="json")
    here = collect(tmp_path).model_dump(mode="json")
    by_name["run.schema.json"].validate(written | {"environment": here})
    with pytest.raises(jsonschema.ValidationError):
        by_name["run.schema.json"].validate(written | {"environment": {}})


@pytest.mark.parametrize(
    "damage",
    [{"id": 7}, {"status": "fine"}, {"unheard": 1}, {"findings": {"x": 1}, "status": "ok"}],
)
def test_a_record_that_is_wrong_fails_the_schema(
    example: tuple[Run, list[Trial]], damage: dict[str, Any]
) -> None:
    """The schema is worth something: it refuses types, values, fields and findings not ours."""
    wrong = example[1][0].model_dump(mode="json") | damage
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schemas()["trial.schema.json"])

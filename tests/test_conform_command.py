"""`refreshbench conform`: what it prints, where, and its exit codes."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.cli import main

BROKEN = Path(__file__).parent / "broken_stores" / "only_the_thief_is_refused.py"


def conform(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["conform", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_a_store_that_conforms_exits_0(capsys: pytest.CaptureFixture[str]) -> None:
    """A row a property, then the verdict."""
    assert conform("memory", "--effort", "quick", "--only", "1,7, 21") == 0
    shown = capsys.readouterr().out
    assert "reuse kills" in shown
    assert "the dictionary is gone with the process" in shown
    assert "memory:process conforms: 2 of 3 properties held, no violation" in shown


def test_a_broken_store_exits_1_and_says_what_it_costs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """JSON on stdout, one line on stderr, JUnit XML where it was asked for."""
    xml = tmp_path / "conform.xml"
    arguments = ("--effort", "quick", "--only", "1,7", "--json", "--junit", str(xml))
    assert conform(f"{BROKEN}:make", *arguments) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert document["conforms"] is False
    assert [one["status"] for one in document["properties"]] == ["held", "violated"]
    assert "the thief's token goes on working" in document["properties"][1]["consequence"]
    assert shown.err.count("\n") == 1
    assert "1 of 2: 7 reuse kills" in shown.err
    assert ET.parse(xml).getroot().get("failures") == "1"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("nosuch",), 2, "no backend 'nosuch'"),
        (("nosuch.py:make",), 2, "no Python file at nosuch.py"),
        (("redis:nosuch",), 2, "no profile 'nosuch'"),
        (("redis@sentinel",), 2, "on one: conform redis:aof-everysec;"),
        (("memory", "--only", "0,3,x"), 2, "not 0, x"),
        (("memory", "--junit", "/nosuch/folder/x.xml"), 2, "can't write /nosuch/folder/x.xml"),
        (("memory", "--effort", "huge"), 2, "huge"),
        (("redis", "--servers", "carrier-pigeon"), 3, "redis:aof-everysec needs a server"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use exits 2, what is missing 3; nothing is started, no traceback."""
    assert conform(*arguments) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert said in shown.err

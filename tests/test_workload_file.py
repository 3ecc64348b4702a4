"""`--workload FILE`: what it stands for, and what is said of a file that is wrong."""

from pathlib import Path

import pytest

from bench.errors import WrongUse
from bench.options import RunOptions
from bench.workload_file import settings
from scenarios.offered_load import LoadParameters

EVERYTHING = """
[load]
arrivals = "fixed"
shares = [0.5, 0.9]
mix = {issue = 1, rotate = 9}
verify_per_rotate = 10
keys = "zipf"
sessions = 500
algorithm = "ES256"
wrong_devices = 0.01
storm_share = 0.05
storm_size = 16
lost_replies = 0.02
grace_ms = 10_000
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "peak.toml"
    path.write_text(text)
    return path


def test_a_file_sets_what_it_says_and_a_set_comes_after(tmp_path: Path) -> None:
    """Every part of the workload can be in it; the command line has the last word."""
    given = settings(written(tmp_path, EVERYTHING))
    options = RunOptions.parse({"scenarios": ("load",), "set": (*given, "load.keys=latest")})
    found = options.parameters()["load"]
    assert isinstance(found, LoadParameters)
    assert found.mix == {"issue": 1, "rotate": 9}
    assert (found.shares, found.arrivals, found.keys) == ((0.5, 0.9), "fixed", "latest")
    assert (found.verify_per_rotate, found.sessions, found.algorithm) == (10, 500, "ES256")
    assert (found.storm_share, found.storm_size) == (0.05, 16)
    assert (found.wrong_devices, found.lost_replies, found.grace_ms) == (0.01, 0.02, 10_000)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[load", "no TOML"),
        ("keys = 'zipf'", "outside any table"),
        ("[lode]\nkeys = 'zipf'", "did you mean 'load'"),
        ("[load]\nkey = 'zipf'", "did you mean 'keys'"),
        ("[load]\nkeys = 'zipfian'", "'uniform', 'zipf' or 'latest'"),
        ("[load]\nstorm_size = 17", "less than or equal to 16"),
        ("[load]\nmix = {issue = 0}", "weight above 0"),
        ("[load]\nmix = {login = 1}", "'issue'"),
        ("[load]\ndevices = false\nwrong_devices = 2", "less than or equal to 1"),
        ("[load]\nkeys = 2026-01-01", "date or time"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    """It names the file, the key, and the mend."""
    path = written(tmp_path, text)
    with pytest.raises(WrongUse) as error:
        settings(path)
    line = str(error.value)
    assert line.startswith(f"--workload {path}: ")
    assert said in line
    assert "\n" not in line


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """Before any server starts."""
    with pytest.raises(WrongUse, match=r"none\.toml: can't be read: No such file"):
        settings(tmp_path / "none.toml")

"""Faults: what is done to a store's server, files or connection while it is being used."""

import importlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import volume
from bench.errors import Missing
from bench.faults.fault import Fault
from scenarios.phases.disturb import Disturb
from scenarios.scenario import Case

MODULES = {
    "restart": "bench.faults.restart",
    "crash": "bench.faults.crash",
    "powercut": "bench.faults.powercut",
    "pause": "bench.faults.pause",
    "slow-disk": "bench.faults.slow_disk",
    "disk-full": "bench.faults.disk_full",
    "io-error": "bench.faults.io_error",
    "lost-reply": "bench.faults.lost_reply",
}


def load(name: str) -> Fault:
    """Import the fault registered as `name`; KeyError if there is none."""
    fault: Fault = importlib.import_module(MODULES[name]).FAULT
    return fault


def names_in(case: Case) -> Sequence[str]:
    """Give the faults that a case puts to a store."""
    return [phase.fault for phase in case.phases if isinstance(phase, Disturb)]


class Lack(NamedTuple):
    """Why this machine can't bring a fault about, and what would."""

    reason: str
    mend: str


def lacking(names: Iterable[str], folder: Path) -> Mapping[str, Lack]:
    """Give those of the faults that can't be brought about here; `folder` is to try in."""
    of_disks = [name for name in names if load(name).needs in {"volume", "thin volume"}]
    if not of_disks:
        return {}
    try:
        volume.require(folder)
    except Missing as error:
        mend = "run it as root where ext4 can be mounted on a loop device"
        return dict.fromkeys(of_disks, Lack(str(error), mend))
    return {}

"""Faults: what is done to a store's server, files or connection while it is being used."""

import importlib

from bench.faults.fault import Fault

MODULES = {
    "restart": "bench.faults.restart",
    "crash": "bench.faults.crash",
}


def load(name: str) -> Fault:
    """Import the fault registered as `name`; KeyError if there is none."""
    fault: Fault = importlib.import_module(MODULES[name]).FAULT
    return fault

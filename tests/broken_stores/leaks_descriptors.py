"""Opens a file whenever it is opened, and never closes it."""

import os
from pathlib import Path

from backends.memory import MemoryStore
from backends.store import Policy

CAUGHT_BY = 27


class LeaksDescriptors(MemoryStore):
    def __init__(self, policy: Policy, directory: Path) -> None:
        super().__init__(policy)
        self._file = os.open(directory, os.O_RDONLY)


def make(directory: Path, policy: Policy) -> LeaksDescriptors:
    """Open the folder, and leave it open."""
    return LeaksDescriptors(policy, directory)

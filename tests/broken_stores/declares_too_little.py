"""Says that it can't revoke, while it can: it would be judged by less than it does."""

from dataclasses import replace

from backends.memory import MemoryStore
from backends.store import No

CAUGHT_BY = 9


class DeclaresTooLittle(MemoryStore):
    capabilities = replace(MemoryStore.capabilities, revokes=No("not finished"))


make = DeclaresTooLittle

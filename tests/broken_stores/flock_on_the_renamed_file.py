"""Files: locks the session's own file, which rename then replaces under the waiters."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import get_ident

from backends import files
from backends.lifecycle import after_rotate, answer
from backends.session_files import Folder, session_content, session_name
from backends.store import Outcome, Place, Policy, Profile, Rotation, Successor, Token

CAUGHT_BY = 2


class FlockOnTheRenamedFile(files.FilesStore):
    def rotate(self, token: Token, successor: Successor, device: str, now_ms: int) -> Rotation:
        folder = Folder.of_subject(self.directory, token.family.subject)
        path = Path(folder.path) / session_name(token.family)
        before = folder.session(path.name)
        if before is None:
            return Rotation(Outcome.UNKNOWN)
        with locked(path):
            # The lock may be on the file that was, and what was read may be older still.
            outcome, after = after_rotate(before, token, successor, device, self._policy, now_ms)
            if after is not before:
                written = path.with_name(f"{path.name}-{os.getpid()}-{get_ident()}")
                written.write_bytes(session_content(after))
                written.rename(path)
        return answer(outcome, after)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def open_store(place: Place, profile: Profile, policy: Policy) -> FlockOnTheRenamedFile:
    """Open the broken store."""
    return FlockOnTheRenamedFile(place.directory, policy, profile.capabilities)


BACKEND = replace(
    files.BACKEND,
    name="flock_on_the_renamed_file",
    open=open_store,
    profiles={"nofsync": files.BACKEND.profiles["nofsync"]},
)

"""Local files without a lock: a session's file is read, and then replaced."""

from dataclasses import replace

from backends.files import BACKEND as FILES
from backends.files import FilesStore
from backends.naive import ReadDecideWrite, naive
from backends.session_files import Folder, session_content, session_name
from backends.store import Family, Place, Policy, Profile, Session


class NaiveFilesStore(ReadDecideWrite, FilesStore):
    """A file a session, each as whole as before; only its writers don't take turns."""

    def _read_session(self, family: Family) -> Session | None:
        return Folder.of_subject(self.directory, family.subject).session(session_name(family))

    def _write_session(self, session: Session) -> None:
        folder = Folder.of_subject(self.directory, session.family.subject)
        # One temporary file a folder: a writer that shares it with another would tear both.
        with folder.locked():
            folder.make(fsync=self._fsync)
            self._write(folder, session_name(session.family), session_content(session))
            self._acknowledge(folder)


def open_store(place: Place, profile: Profile, policy: Policy) -> NaiveFilesStore:
    """Open the store on a prepared directory."""
    return NaiveFilesStore(place.directory, policy, profile.capabilities)


BACKEND = replace(
    naive(FILES, "Local files", "a file a session, read and then replaced"), open=open_store
)

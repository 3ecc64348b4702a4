"""Local files, in each of its profiles, is held to the contract."""

from tests.contract import ProfileContract, StoreContract


class TestFilesFsync(StoreContract):
    subject = "files:fsync"


class TestFilesNofsync(ProfileContract):
    subject = "files:nofsync"

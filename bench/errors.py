"""What the command line answers with one line and an exit code.

RefreshbenchError      exit code
├── WrongUse           2   an option, a name or a file that the user gave
├── Missing            3   something this needs isn't here
├── Interrupted    128+n   ended by signal n: 130 is Ctrl-C, 143 SIGTERM
└── Failed             1   it ran, and did not come out well
"""

import signal


class RefreshbenchError(Exception):
    """One clear line: what is wrong, and the mend."""

    exit_code = 1


class WrongUse(RefreshbenchError):
    """The user asked for something that can't be."""

    exit_code = 2


class Missing(RefreshbenchError):
    """A server, package or permission that isn't here; the message says how to bring it."""

    exit_code = 3


class Interrupted(RefreshbenchError):
    """The user, or who runs this for them, ended it; the message says how to go on."""

    def __init__(self, message: str, number: int = signal.SIGINT) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


class Failed(RefreshbenchError):
    """A check failed, or a server died."""

    exit_code = 1

"""Becomes another program that dies with the process that started it.

Run as a script: `python -I -S launcher.py PARENT PROGRAM ARGUMENT…`. It is a program of its own
since code between fork and exec (`preexec_fn`) isn't safe in a process with threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # prctl(2)

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died before the line above; then nobody would ever signal us.
    if os.getppid() == int(sys.argv[1]):
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - there is no shell in between

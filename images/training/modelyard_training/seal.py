"""Keeps this process's memory and environment from the user's script, which runs under the same user id."""

import ctypes

PR_SET_DUMPABLE = 4  # prctl(2)


def seal_process() -> None:
    """Makes /proc/<pid>/environ and ptrace of this process root's only. Children that exec are not affected."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_DUMPABLE) failed")

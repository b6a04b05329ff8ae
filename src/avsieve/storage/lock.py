"""One writer to a file: two jobs that write the same shard would leave bytes of both under its name.

Snakemake locks its working folder; this stands where that was overridden, and where a job that a cluster took for dead
goes on beside its second try. The lock is the process's own (POSIX): processes that it has forked, which may outlive it
for a moment, do not hold it.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import IO

from avsieve.errors import AvsieveError

# File systems without locks: nothing can be told there.
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


def lock(handle: IO[bytes] | int, path: Path, name: Path) -> None:
    """Lock an open file for this process, until the process ends or closes the file, through whatever handle.

    Parameters
    ----------
    handle
        The file, or its number.
    path, name
        Its path, and the name that it will have.

    Raises
    ------
    AvsieveError
        If another process has locked it.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise AvsieveError(
            f"{name}: another process is writing it ({path.name}); two runs work on the same results, or a job "
            "that was given up still runs: end one of them, then run again"
        ) from None
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise


def open_locked(path: Path, name: Path) -> int:
    """Open a file in the making and lock it; return its number. It is made where there is none, and never cut off."""
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        lock(number, path, name)
    except BaseException:
        os.close(number)
        raise
    return number

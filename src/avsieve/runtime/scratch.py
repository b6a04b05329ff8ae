"""Where large scratch files lie: on the disk that a job has to itself, where it has room, else beside the output."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

MOUNTS = Path("/proc/mounts")
IN_MEMORY = ("tmpfs", "ramfs")
# Of the room that a scratch file takes: others may use the disk, too.
SPARE = 2


def scratch_folder(beside: Path, size: int) -> Path:
    """Return the folder for a scratch file: `$TMPDIR`, if it is on a disk with room to spare, else ``beside``.

    On a cluster ``$TMPDIR`` is the node's own disk, and outputs lie on one that all nodes share.

    Parameters
    ----------
    beside
        The folder of the output, which is made where it is not there.
    size
        Of the file, in bytes.
    """
    local = Path(tempfile.gettempdir())
    if file_system(local) not in IN_MEMORY and shutil.disk_usage(local).free >= SPARE * size:
        return local
    beside.mkdir(parents=True, exist_ok=True)
    return beside


def file_system(path: Path) -> str:
    """Return the type of the file system that ``path`` lies on; empty where the machine does not say."""
    try:
        lines = MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    mounts = [(Path(fields[1]), fields[2]) for line in lines if len(fields := line.split()) > 2]
    on = [(len(point.parts), kind) for point, kind in mounts if path.resolve().is_relative_to(point)]
    return max(on, default=(0, ""))[1]

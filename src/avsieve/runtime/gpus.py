"""A GPU of its own for each job on a machine: Snakemake counts GPUs and does not say which.

A job takes a lease of a GPU before anything touches CUDA, and sees no other. A lease is a lock on a file, which the
system drops with the process, however that ends. Where there are more jobs than GPUs, those share that have the fewest.
"""

from __future__ import annotations

import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from avsieve.errors import AvsieveError, ModelError

logger = logging.getLogger(__name__)
VISIBLE = "CUDA_VISIBLE_DEVICES"
# Set for the processes that a job starts: they share its GPUs, and take none themselves.
LEASED = "AVSIEVE_GPUS"
# What schedulers call a job: each job has been given GPUs, and may call them by the numbers that others use for theirs.
SCHEDULED = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "JOB_ID")
DRIVER = Path("/proc/driver/nvidia/gpus")
MOST_JOBS = 64
_held: list[IO[bytes]] = []


def own_gpus(device: str, count: int = 1) -> str:
    """Let this process, and those that it will start, see the GPUs that it is to run on and no others.

    To be called before CUDA is looked at. Where there is no choice nothing happens.

    Parameters
    ----------
    device
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``: the GPU of that number among those that this process may see.
    count
        How many GPUs.

    Returns
    -------
    str
        What to ask torch and ONNX Runtime for: ``device`` without its number.

    Raises
    ------
    ModelError
        If there is no GPU ``cuda:N``.
    AvsieveError
        If the folder of the locks is somebody else's.
    """
    kind, _, number = device.partition(":")
    if kind not in ("cuda", "auto") or LEASED in os.environ:
        return device if kind == "cpu" else kind
    seen = visible_gpus()
    if number:
        if not seen:
            return device  # torch and ONNX Runtime know more than nvidia-smi, or say what is wrong
        if not number.isdecimal() or int(number) >= len(seen):
            raise ModelError(
                f"device {device!r}: there are {len(seen)} GPUs here ({', '.join(seen)}); expected cuda:0 to "
                f"cuda:{len(seen) - 1}, or cuda"
            )
        _see([seen[int(number)]])
        return kind
    if len(seen) > count:
        _see(_lease(seen, count))
    return kind


def visible_gpus() -> list[str]:
    """Return the GPUs that CUDA would show this process, as ``CUDA_VISIBLE_DEVICES`` names them; nothing is loaded."""
    if (named := os.environ.get(VISIBLE)) is not None:
        names = [name.strip() for name in named.split(",")]
        # As CUDA reads it: what follows the first name that is none is not seen.
        last = next((i for i, name in enumerate(names) if name in ("", "-1", "NoDevFiles")), len(names))
        return list(dict.fromkeys(names[:last]))
    try:
        listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True, timeout=60).stdout
    except (OSError, subprocess.SubprocessError):
        # Numbers will do, since a lease needs no more than names that all jobs have in common.
        return [str(number) for number, _ in enumerate(sorted(DRIVER.glob("*")))]
    return _names(listed)


def _names(listed: str) -> list[str]:
    """Return the names in what ``nvidia-smi -L`` says; of a GPU in parts (MIG) those of its parts."""
    found: list[str] = []
    for name in re.findall(r"\(UUID: ([^)\s]+)\)", listed):
        if name.startswith("MIG-") and found and found[-1].startswith("GPU-"):
            found.pop()
        found.append(name)
    return found


def _see(names: Sequence[str]) -> None:
    os.environ[VISIBLE] = os.environ[LEASED] = ",".join(names)
    logger.info("running on GPU %s", os.environ[VISIBLE])


def _lease(seen: Sequence[str], count: int) -> list[str]:
    """Lock ``count`` GPUs, those with the fewest jobs first, and return their names."""
    import fcntl  # not on Windows, where CUDA's machines have one GPU

    folder, taken = _folder(), list[str]()
    for others in range(MOST_JOBS):
        for name in seen:
            if name in taken:
                continue
            lock = (folder / f"{re.sub(r'[^A-Za-z0-9-]', '_', name)}.{others}").open("ab")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            _held.append(lock)  # as long as the process lives
            taken.append(name)
            if others:
                logger.warning("GPU %s is shared with %d other jobs: there are more jobs than GPUs", name, others)
            if len(taken) == count:
                return taken
    raise AvsieveError(f"{MOST_JOBS} jobs on each of {len(seen)} GPUs; lower --resources gpu")


def _folder() -> Path:
    """Return the folder of the locks: this machine's, this user's, and within a scheduler's job that job's."""
    job = next((f"-{os.environ[name]}" for name in SCHEDULED if os.environ.get(name)), "")
    name = f"avsieve-gpus-{os.getuid()}{re.sub(r'[^A-Za-z0-9-]', '_', job)}"
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise AvsieveError(f"{folder} belongs to somebody else; set TMPDIR to a folder of your own")
    return folder

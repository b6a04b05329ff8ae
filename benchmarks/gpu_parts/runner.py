"""Run the parts one after the other, each in a process that may crash, hang or be ended without harm to the others."""

from __future__ import annotations

import importlib
import json
import logging
import multiprocessing
import os
import signal
import tempfile
import time
import warnings
from pathlib import Path

from gpu_parts.part import Facts, Part, cores, failure, failures

# Loaded once by the server that the processes are forked from; what is absent is left to the part that wants it.
LOADED = ["torch", "numpy", "pandas", "pyarrow.parquet", "cv2", "scipy.signal", "pydantic"]
# Importing those asks for no CUDA device, which would spoil the forks; of this one that is not certain.
LOADED_ON_CPU = ["lightning_fabric"]
METHOD = "forkserver"
GRACE_S = 3.0  # beyond its budget, for the case that it is in the middle of


def run_part(
    name: str,
    *,
    device: str,
    dry: bool,
    budget_s: float,
    work: Path | None = None,
    networks: tuple[str, ...] = (),
    grace_s: float = GRACE_S,
) -> Facts:
    """Run a part and return what it found.

    Parameters
    ----------
    name
        Module of this package.
    device, dry, budget_s, networks
        As `Part` has them; when ``grace_s`` more than the budget are over, the process is ended.
    work
        Where its files go; the system's folder unless given.

    Returns
    -------
    ``status`` (``ok``, ``failed``, ``ended``: its time was over, ``crashed``), ``seconds``, ``budget_s``, ``results``;
    ``error`` where there is one.
    """
    context = multiprocessing.get_context(METHOD)
    if METHOD == "forkserver":
        context.set_forkserver_preload(LOADED + (LOADED_ON_CPU if device == "cpu" else []))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"gpu-{name}-", dir=work, ignore_cleanup_errors=True) as folder:
        out = Path(folder) / "results.json"
        process = context.Process(target=_work, args=(name, device, dry, budget_s, str(out), folder, networks))
        process.start()
        process.join(budget_s + grace_s)
        late = process.is_alive()
        if late:
            _end(process.pid)
            process.join()
        error = out.with_name("error.json")
        facts: Facts = {"status": "ok", "budget_s": budget_s, "results": _read(out)}
        if error.exists():
            facts |= {"status": "failed"} | _read(error)
        elif late:
            facts |= {"status": "ended", "error": f"not done after {budget_s + grace_s:.0f} s; what was found is kept"}
        elif process.exitcode != 0:
            facts |= {"status": "crashed", "error": f"the process ended with status {process.exitcode}"}
        elif failures(facts["results"]):
            facts["status"] = "failed"
        process.close()
    return facts | {"seconds": round(time.monotonic() - began, 1)}


def _work(name: str, device: str, dry: bool, budget_s: float, out: str, folder: str, networks: tuple[str, ...]) -> None:
    """Do the work of a part, in its own process."""
    os.setsid()  # ended with all that it has started
    warnings.filterwarnings("ignore")
    logging.getLogger("avsieve").setLevel(logging.WARNING)
    part = Part(name, device, dry, budget_s, Path(out), Path(folder), networks)
    try:
        if "cuda" in device or not dry:
            import torch

            torch.set_num_threads(min(8, cores()))
        importlib.import_module(f"gpu_parts.{name}").measure(part)
    except Exception as error:  # noqa: BLE001 - recorded, and told by the exit status
        part.out.with_name("error.json").write_text(json.dumps(failure(error)))


def _end(pid: int | None) -> None:
    """End a process that this one has started, and what it has started."""
    if pid is None:
        return
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has not come to `setsid`, or is over
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


def _read(path: Path) -> Facts:
    found: Facts = json.loads(path.read_text()) if path.exists() else {}
    return found

"""Write the report of a made-up run of VoxCeleb2's size: seconds, memory, and bytes of the page.

    python benchmarks/report.py [--results FOLDER]     # FOLDER: from benchmarks/made_up_run.py; made anew otherwise

The run has no media and no evaluation: faces and sound weigh what `report.flagged` and the like let them, whatever the
size of the list, and are measured on the embedded corpus.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import made_up_run
import pandas as pd

from avsieve.report.settings import Report
from avsieve.report.write import Inputs, read_run, write_report
from avsieve.storage import paths as P

FLOOR_MB = 5.0
"""What the page may weigh."""


def main() -> None:
    """Measure, and print a line."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--results", type=Path, help="results of benchmarks/made_up_run.py")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = args.results
        if results is None:
            results = Path(folder) / "results"
            # In a process of its own, so that the peak below is the report's.
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as maker:
                maker.submit(made_up_run.make, results).result()
        paths = (P.lists.decisions, P.lists.summary, P.plan.utterances)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started, cpu = time.perf_counter(), time.process_time()
        run = read_run(Inputs(*(P.below(results, path) for path in paths)), Report())
        page = Path(folder) / "index.html"
        write_report(run, page, Path(folder) / "summary.txt")
        seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        megabytes = page.stat().st_size / 1e6
        row = {
            "utterances": len(run.decisions), "flagged": int((run.decisions["decision"] == "noisy").sum()),
            "seconds": round(seconds, 1), "CPU s": round(cpu, 1), "peak MB": round(peak),
            "peak before MB": round(before), "page MB": round(megabytes, 2), "below 5 MB": megabytes < FLOOR_MB,
        }  # fmt: skip
        print(pd.DataFrame([row]).to_string(index=False))


if __name__ == "__main__":
    main()

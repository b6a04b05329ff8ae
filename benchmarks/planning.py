"""Time `snakemake -n` over folders of VoxCeleb2's size, and over parts of them.

    python benchmarks/planning.py FOLDER                  # 1/16, 1/4 and all of 1,092,009 utterances
    python benchmarks/planning.py FOLDER --shares 0.01    # a hundredth

Makes folders of clips of one byte and their list (a million files, 5 GB of blocks), and a run that looks finished:
every output is there, empty but for the plan and the watch lists, and Snakemake has recorded every job as one that has
run. Four things are planned, three times each: a first run, an idle one, an idle one with `source.watch: names`, and
one after a speaker of ten clips was added. Told are the medians: seconds, those of the processor (all processes), and
the memory of the largest process.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from avsieve.config.model import parse_config
from avsieve.sources.plan import build_plan, write_plan
from avsieve.sources.watch_list import FIRST, watched_of, write_watch_list
from avsieve.storage import paths as P
from avsieve.storage.census import of_names
from avsieve.storage.ids import shard_names

ROOT = Path(__file__).resolve().parent.parent
SNAKEFILE = ROOT / "workflow" / "Snakefile"
UTTERANCES, VIDEOS, SPEAKERS, SHARDS, TIMES = 1_092_009, 145_569, 5_994, 256, 3
CONFIG: dict[str, Any] = {
    "source": {"kind": "tree", "tree": {"root": "clips", "train_list": "list.txt"}},
    "shards": SHARDS,
    "device": "cpu",
}
NEW = "id99999"
# A process of its own for each: what the system tells of a child's memory counts that of its parent.
_RUN = """
import resource, subprocess, sys, time
begin = time.monotonic()
code = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.write(f"{time.monotonic() - begin} {used.ru_utime + used.ru_stime} {used.ru_maxrss / 1024}")
sys.exit(code)
"""


def make_clips(folder: Path, share: float) -> int:
    """Make clips of a byte and their list; return how many."""
    utterances, videos, speakers = (max(2, round(n * share)) for n in (UTTERANCES, VIDEOS, SPEAKERS))
    rng = np.random.default_rng(0)
    speaker_of = np.sort(np.r_[np.arange(speakers), rng.integers(0, speakers, videos - speakers)])
    counts = np.bincount(rng.integers(0, videos, utterances - videos), minlength=videos) + 1
    lines = []
    for video, (speaker, count) in enumerate(zip(speaker_of.tolist(), counts.tolist(), strict=True)):
        lines += make_video(folder, f"id{speaker:05d}/A{video:010d}", count)
    (folder / "list.txt").write_text("".join(lines), encoding="utf-8")
    return len(lines)


def make_video(folder: Path, video: str, count: int) -> list[str]:
    """Make the clips of a video; return their lines of the list."""
    where = folder / "clips" / video
    where.mkdir(parents=True, exist_ok=True)
    for k in range(1, count + 1):
        (where / f"{k:05d}.mp4").write_bytes(b"x")
    return [f"{video.split('/')[0]} {video}/{k:05d}.wav 7.20\n" for k in range(1, count + 1)]


def finish(folder: Path) -> None:
    """Leave a run that looks finished; runs in a process of its own."""
    os.chdir(folder)
    spec = importlib.util.spec_from_file_location("dry_runs", ROOT / "tests" / "workflow" / "dry_runs.py")
    assert spec is not None
    assert spec.loader is not None
    dry_runs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dry_runs)
    with dry_runs.planned(str(SNAKEFILE), CONFIG, ["all"], everything=True) as workflow:
        dry_runs.pretend_to_run(workflow)
    contract = parse_config(CONFIG).source.contract
    plan = build_plan(contract.load("plan")(contract.settings), SHARDS)
    write_plan(plan, P.plan.utterances, P.plan.shards, SHARDS)
    roots = {name: root for name, root in contract.roots("").items() if root is not None}
    for name in shard_names(SHARDS):
        index, _ = contract.load("fetch")(plan[plan["shard"] == name], contract.settings)
        write_watch_list(P.of(P.media.watched, shard=name), FIRST, watched_of(index, roots), roots)
    now = time.time()
    for path in Path(P.RESULTS).rglob("*"):
        os.utime(path, (now, now))


def planned(folder: Path, config: dict[str, Any]) -> tuple[float, float, float, dict[str, int]]:
    """Plan once; return seconds, seconds of the processor, the largest process in MB, and rule -> jobs."""
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--directory", str(folder)]
    command += ["--configfile", str(folder / "config.yaml"), "--cores", "2", "-n"]
    done = subprocess.run([sys.executable, "-c", _RUN, *command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"snakemake: {done.stdout[-3000:]}")
    text, (seconds, cpu, memory) = done.stdout, map(float, done.stderr.split())
    table = re.search(r"^job +count\n-+ +-+\n((?:\S+ +\d+\n)+)", text, re.MULTILINE)
    jobs = dict(line.split() for line in table.group(1).splitlines()) if table else {}
    return seconds, cpu, memory, {name: int(n) for name, n in jobs.items()}


def tell(words: str, runs: list[tuple[float, float, float, dict[str, int]]]) -> None:
    """Print the median run."""
    seconds, cpu, memory = (
        median(float(value) for value in values) for values in zip(*(run[:3] for run in runs), strict=True)
    )
    jobs = runs[0][3]
    counted = ", ".join(f"{name} {jobs.get(name, 0)}" for name in ("fetch_media", "extract_media", "total"))
    figures = f"{seconds:6.1f} s {cpu:6.1f} s CPU {memory:5.0f} MB"
    print(f"{words:>36}: {figures}  jobs: {counted}; load {os.getloadavg()[0]:.1f}", flush=True)


def measure(folder: Path, share: float) -> None:
    """Measure at one size."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"{make_clips(folder, share):,} utterances in {SHARDS} shards", flush=True)
    tell("first run", [planned(folder, CONFIG) for _ in range(TIMES)])
    subprocess.run([sys.executable, __file__, str(folder), "--finish"], check=True)
    tell("idle", [planned(folder, CONFIG) for _ in range(TIMES)])
    names = CONFIG | {"source": CONFIG["source"] | {"watch": "names"}}
    tell("idle, source.watch: names", [planned(folder, names) for _ in range(TIMES)])
    with (folder / "list.txt").open("a", encoding="utf-8") as lines:
        lines.writelines(make_video(folder, f"{NEW}/new", 10))
    tell("a speaker more", [planned(folder, CONFIG) for _ in range(TIMES)])
    took = []
    for _ in range(TIMES):
        begin = time.monotonic()
        of_names("clips", [str(folder / "clips")], (".mp4",))
        took.append(time.monotonic() - begin)
    print(f"{'names in all folders (without list)':>36}: {median(took):6.1f} s", flush=True)


def main() -> None:
    """Measure at each size."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--shares", type=float, nargs="+", default=[1 / 16, 1 / 4, 1])
    ap.add_argument("--finish", action="store_true", help=argparse.SUPPRESS)
    args = ap.parse_args()
    if args.finish:
        finish(args.folder)
        return
    for share in args.shares:
        measure(args.folder / f"{share:.4f}", share)
        shutil.rmtree(args.folder / f"{share:.4f}")


if __name__ == "__main__":
    main()

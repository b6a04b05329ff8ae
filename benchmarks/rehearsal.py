"""A dress rehearsal: a whole run over simulated embeddings and stub media, at VoxCeleb2's size and at parts of it.

    python benchmarks/rehearsal.py FOLDER [--shares 0.0625 0.25 1]     # some 25 GB at full size
    python benchmarks/rehearsal.py FOLDER --shares 1 --keep            # what is there is not made again

At each size: embeddings of a simulated corpus are written, in shards that are as large at each size; the workflow makes
all that it makes of embeddings (plan, scores, lists, audit, trials, fusion models, report); stub faces and voices (two
faces and 0.1 s an utterance) are put beside them; and the commands that look at a run are run over it: inspect, status,
show, every export, a plan of a review, and the first answer of the reviewer. Printed, and written to
``FOLDER/rehearsal.csv``: seconds, peak memory of a process, and bytes written per stage. Stages of shards are summed in
seconds, and the largest memory of any counts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from made_up_run import SHARDS, SPEAKERS, timed
from review_server import Server, make_media

from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names
from avsieve.storage.tables import write_table

ROOT = Path(__file__).resolve().parents[1]
VIDEOS, UTTERANCES = 24.3, 7.5  # means of VoxCeleb2: videos of a speaker, utterances of a video
FACES, VOICE_S = 2, 0.1
CONFIG = """\
source:
  kind: embeddings
  truth: {data}/truth.csv
  embeddings: {{train_list: {data}/train_all.txt, audio: {data}/audio.npz, visual: {data}/visual.npz}}
shards: {shards}
evaluation: {{holdout: 0.02}}
fusion: {{models: [calibrated, linear], epochs: 1}}
"""


class Told:
    """Rows of what was measured, printed as they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, object]] = []

    def add(self, share: float, stage: str, seconds: float, mb: float, size: int, jobs: int = 1) -> None:
        """Add a row; ``size`` in bytes."""
        row = {
            "share": share,
            "stage": stage,
            "jobs": jobs,
            "seconds": round(seconds, 2),
            "peak_mb": round(mb),
            "bytes": size,
        }
        self.rows.append(row)
        print(
            f"{share:7.4f} {stage:34s} {jobs:4d} jobs {seconds:8.1f} s {mb:7.0f} MB {size / 1e6:9.1f} MB written",
            flush=True,
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame(self.rows).to_csv(self.path, index=False)


def bytes_below(folder: Path) -> int:
    """Return how many bytes the files below a folder have."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def snakemake(where: Path, *words: str) -> tuple[float, float]:
    """Run the workflow; return its seconds and the memory of the largest of its processes, in MB (Linux)."""
    begin = time.monotonic()
    options = ["--directory", str(where), "--configfile", str(where / "config.yaml"), "--cores", "2"]
    command = [sys.executable, "-m", "snakemake", *words, "--snakefile", str(ROOT / "workflow" / "Snakefile"), *options]
    with (where / "snakemake.log").open("a") as log:
        process = subprocess.Popen([*command, "--quiet", "host", "reason"], stdout=log, stderr=subprocess.STDOUT)
        _, code, used = os.wait4(process.pid, 0)
    if code:
        raise SystemExit(f"{' '.join(command)} failed; see {where / 'snakemake.log'}")
    return time.monotonic() - begin, used.ru_maxrss / 1024


def simulated(data: Path, speakers: int) -> list[str]:
    """Return the command that writes a corpus."""
    sizes = ["--speakers", str(speakers), "--videos", str(VIDEOS), "--utterances", str(UTTERANCES)]
    return ["simulate", "--out", str(data), "--seed", "500", *sizes]


def stub_media(results: Path, shards: list[str]) -> None:
    """Write faces and voices of all shards, and what their stages tell: all that a run with media has, but little."""
    make_media(results, shards, FACES, VOICE_S)
    for shard in shards:
        names = pd.read_parquet(P.below(results, P.plan.shard, shard=shard), columns=["utterance"])["utterance"]
        status = pd.DataFrame({"utterance": names, "code": "ok", "detail": ""})
        for path in (P.extract.status, P.align.status):
            write_table(P.below(results, path, shard=shard), status)


def stages(results: Path, share: float, told: Told) -> None:
    """Add what the workflow's jobs took, by their benchmark files."""
    for path in sorted((results / "benchmarks").glob("*")):
        files = sorted(path.rglob("*.tsv")) if path.is_dir() else [path]
        found = pd.concat([pd.read_csv(file, sep="\t") for file in files])
        told.add(
            share,
            path.stem,
            float(found["s"].sum()),
            float(pd.to_numeric(found["max_rss"], "coerce").max()),
            0,
            len(files),
        )


def looks(where: Path, share: float, told: Told) -> None:
    """Time the commands that look at a run."""
    results, exports = where / "results", where / "exports"
    example = pd.read_parquet(P.below(results, P.lists.decisions), columns=["utterance", "decision"])
    flagged = example.loc[example["decision"] == "noisy", "utterance"].iloc[0]

    def export(form: str, *options: str) -> list[str]:
        return ["export", form, "--results", str(results), "--out", str(exports / form), *options]

    commands: dict[str, list[str]] = {
        "inspect": ["inspect", str(results)],
        "show": ["show", flagged, "--results", str(results)],
        "status": ["status", str(results)],
        "review --plan 200": ["review", str(results), "--plan", "200"],
        **{f"export {form}": export(form, "--subset", "all") for form in ("webdataset", "parquet")},
        **{f"export {form} (1 %)": export(form, "--share", "0.01") for form in ("tree", "spotlight", "fiftyone")},
    }
    for stage, words in commands.items():
        seconds, _, mb = timed(words)
        told.add(share, stage, seconds, mb, bytes_below(exports / words[1]) if words[0] == "export" else 0)


def reviewer(where: Path, share: float, told: Told) -> None:
    """Start the reviewer, and ask for its first item."""
    server = Server(where / "results", where / "reviews")
    try:
        first, _ = server.ask("/api/queue/flagged?limit=1")
        told.add(share, "review: start, first item", server.started + first / 1000, server.memory_mb(), 0)
    finally:
        server.end()


def rehearse(where: Path, share: float, told: Told, keep: bool) -> None:
    """Go through all that a run has at one size."""
    data, results, shards = where / "data", where / "results", max(1, round(SHARDS * share))
    where.mkdir(parents=True, exist_ok=True)
    (where / "config.yaml").write_text(CONFIG.format(data=data.resolve(), shards=shards))

    def step(stage: str, work: Callable[[], tuple[float, float]], folder: Path) -> None:
        before = bytes_below(folder)
        seconds, mb = work()
        told.add(share, stage, seconds, mb, bytes_below(folder) - before)

    if not (keep and (data / "truth.csv").exists()):
        words = simulated(data, round(SPEAKERS * share))
        step("simulate", lambda: timed(words)[::2], data)
    step("snakemake: all jobs", lambda: snakemake(where, "all", "audit_noise"), results)
    stages(results, share, told)
    step("snakemake -n: nothing to do", lambda: snakemake(where, "-n", "all", "audit_noise"), results)
    told.add(share, "report", 0.0, 0.0, bytes_below(results / "report"))

    def media() -> tuple[float, float]:
        begin = time.monotonic()
        stub_media(results, shard_names(shards))
        return time.monotonic() - begin, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    if not (keep and P.below(results, P.align.faces, shard=shard_names(shards)[-1]).exists()):
        step("stub media", media, results)
    looks(where, share, told)
    reviewer(where, share, told)
    summary = json.loads(P.below(results, P.lists.summary).read_text())
    print(f"{share:7.4f} {summary['utterances']:,} utterances of {summary['speakers']:,} speakers", flush=True)


def main() -> None:
    """Rehearse at each size."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--shares", nargs="+", type=float, default=[1 / 16, 1 / 4, 1.0], help="of VoxCeleb2's speakers")
    ap.add_argument("--keep", action="store_true", help="go on from what is there")
    args = ap.parse_args()
    told = Told(args.folder / "rehearsal.csv")
    for share in args.shares:
        rehearse(args.folder / f"share-{share:.4f}", share, told, args.keep)


if __name__ == "__main__":
    main()

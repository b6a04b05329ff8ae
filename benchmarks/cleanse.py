"""Cleanse a corpus of VoxCeleb2's size: time, peak memory, and the ratio to reading the embeddings once.

    python benchmarks/cleanse.py [--share 1.0] [--folder DIR] [--threads 2] [--npz]

At full share: 1,092,009 utterances x (192 + 512) float16, 145,569 videos, 5,994 speakers, in 64 shards of Parquet,
made once and kept in the folder. Every step runs in a process of its own, as in the workflow, those of the shards
as many at a time as there are threads; memory is the peak of a process (Linux only). ``--npz`` measures
`avsieve cleanse` instead, from one npz per modality.

As those of networks do, embeddings spread along few directions, and people along fewer than what varies within them.
The floor: every step but the last two reads the embeddings, and the product of all utterances with all centres is
0.05 TFLOP a coordinate.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.settings import Cleansing
from avsieve.embedding_files.own_tables import read_embeddings, write_embeddings
from avsieve.lists.train_list import write_train_list
from avsieve.simulation.world import unit
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.tables import write_table
from avsieve.wiring.flags import flags

SHARDS, SPEAKERS, VIDEOS, UTTERANCES = 64, 5994, 145_569, 1_092_009
DIMENSIONS = {"audio": 192, "visual": 512}
PEOPLE, WITHIN = 40, 90  # coordinates in which the spread of people, and that within them, falls by e
ENTRY = "from avsieve.cli import main; code=main()"
SCRIPTS = Path(__file__).resolve().parents[1] / "workflow" / "scripts"


def generate(folder: Path, share: float) -> None:
    """Write plans and embeddings shard by shard; five in a hundred videos are somebody else's."""
    rng = np.random.default_rng(0)
    speakers = max(64, round(SPEAKERS * share))
    videos = rng.multinomial(round(VIDEOS * share), np.full(speakers, 1 / speakers)).clip(min=1)
    people = {m: directions(rng, speakers, d, PEOPLE) for m, d in DIMENSIONS.items()}
    names = [f"id{i:05d}" for i in range(speakers)]
    shards = SHARDS if share == 1 else max(1, round(SHARDS * share))
    of = np.array([shard_of(s, shards) for s in names])
    begins = np.cumsum(videos) - videos  # of each speaker's videos, in the order of speakers
    sizes = 1 + rng.multinomial(round(UTTERANCES * share) - videos.sum(), np.full(videos.sum(), 1 / videos.sum()))
    whole = []
    for k, shard in enumerate(shard_names(shards)):
        own = np.random.default_rng([1, k])
        mine = np.flatnonzero(of == k)
        speaker = np.repeat(mine, videos[mine])
        size = sizes[np.concatenate([np.arange(begins[s], begins[s] + videos[s]) for s in mine])]
        person = np.where(own.random(len(speaker)) < 0.05, own.integers(speakers, size=len(speaker)), speaker)
        video = np.repeat(np.arange(len(speaker)), size)
        ids = [f"{names[speaker[v]]}/v{k:03d}{v:07d}/{i:06d}" for i, v in enumerate(video)]
        plan = pd.DataFrame({"utterance": ids, "speaker": [u[:7] for u in ids]})
        plan = plan.assign(video=[u.rsplit("/", 1)[0] for u in ids], subset="train", shard=shard, seconds="8.000")
        write_table(folder / f"plan/{shard}.parquet", plan)
        whole.append(plan)
        for m, d in DIMENSIONS.items():
            q = own.normal(0.64, 0.12, len(ids)).clip(0.05, 0.95).astype(np.float32)[:, None]
            noise = directions(own, len(ids), d, WITHIN)
            vectors = q * people[m][person[video]] + np.sqrt(1 - q * q) * noise
            write_embeddings(folder / f"{m}/{shard}.parquet", ids, vectors.astype(np.float16))
    plan = pd.concat(whole)
    write_train_list(folder / "train_all.txt", plan["utterance"].tolist(), plan["seconds"].tolist())


def directions(rng: np.random.Generator, count: int, width: int, decay: float) -> np.ndarray:
    """Return ``count`` vectors of length 1 whose spread falls by e in ``decay`` coordinates."""
    scale = np.exp(-np.arange(width) / decay).astype(np.float32)
    return unit(rng.standard_normal((count, width), dtype=np.float32) * scale)


def join(folder: Path) -> None:
    """Write the embeddings of all shards as one npz per modality."""
    for m in MODALITIES:
        parts = [read_embeddings(p) for p in sorted((folder / m).glob("*.parquet"))]
        names = np.array([u for ids, _ in parts for u in ids])
        np.savez(folder / f"{m}.npz", utterance=names, embedding=np.concatenate([matrix for _, matrix in parts]))


def from_npz(folder: Path, threads: int) -> None:
    """Run `avsieve cleanse` on one npz per modality; print time and peak memory."""
    if not all((folder / f"{m}.npz").exists() for m in MODALITIES):
        join(folder)
    files = [word for m in MODALITIES for word in (f"--{m}", folder / f"{m}.npz")]
    arguments = ["cleanse", "--train-list", folder / "train_all.txt", *files, "--out", folder / "npz"]
    seconds, gigabytes = run(ENTRY, *arguments, threads=threads)
    print(f"avsieve cleanse from npz, {threads} threads: {seconds:.1f} s, {gigabytes:.2f} GB")


def score(
    folder: Path, plans: list[Path], embeddings: dict[str, list[Path]], centres: Path, cores: int
) -> tuple[float, float]:
    """Score the shards, as many at a time as there are cores, as Snakemake does; return seconds and peak memory."""

    def one(i: int) -> float:
        inputs = ["--plan", plans[i], "--audio", embeddings["audio"][i], "--visual", embeddings["visual"][i]]
        out = folder / "scores" / plans[i].name
        return step("score_utterances", *inputs, "--centres", centres, "--scores", out, threads=1)[1]

    start = time.monotonic()
    with ThreadPoolExecutor(cores) as pool:
        gigabytes = max(pool.map(one, range(len(plans))))
    return time.monotonic() - start, gigabytes


def step(name: str, *arguments: str | Path, threads: int) -> tuple[float, float]:
    """Run a script of the workflow; return seconds and peak memory in GB."""
    script = str(SCRIPTS / f"{name}.py")
    return run(f"runpy.run_path({script!r}, run_name='__main__')", *arguments, threads=threads)


def run(statement: str, *arguments: str | Path, threads: int) -> tuple[float, float]:
    """Run a statement of Python in a process of its own; return seconds and peak memory in GB."""
    environment = os.environ | {k: str(threads) for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    # VmHWM: the counter of getrusage still knows the size of the process that started this one.
    code = (
        "import runpy,sys;code=0\n"
        f"try: {statement}\n"
        "except SystemExit as e: code=e.code\n"
        "print(next(x.split()[1] for x in open('/proc/self/status') if x.startswith('VmHWM')));sys.exit(code)"
    )
    start = time.monotonic()
    command = [sys.executable, "-c", code, *map(str, arguments)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{statement} failed: {result.stderr[-2000:]}")
    return time.monotonic() - start, int(result.stdout.split()[-1]) / 1e6


def _peak() -> float:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))) / 1e6


def main() -> None:
    """Generate where needed, run the four scripts, print a table."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--share", type=float, default=1.0, help="of VoxCeleb2's size")
    ap.add_argument("--folder", type=Path, default=Path("benchmarks/out/cleanse"))
    ap.add_argument("--threads", type=int, default=2)
    ap.add_argument("--npz", action="store_true", help="measure `avsieve cleanse` from one npz per modality")
    args = ap.parse_args()
    folder = args.folder / f"{args.share:g}"
    if not (folder / "train_all.txt").exists():
        generate(folder, args.share)
    if args.npz:
        from_npz(folder, args.threads)
        return
    plans = sorted((folder / "plan").glob("*.parquet"))
    embeddings = {m: [folder / m / p.name for p in plans] for m in MODALITIES}
    start = time.monotonic()
    count = sum(len(read_embeddings(p)[0]) for paths in embeddings.values() for p in paths) // len(MODALITIES)
    reading = time.monotonic() - start
    found = {"read once": (reading, _peak())}
    centres, scores = folder / "centres.parquet", folder / "scores.parquet"
    files = ["--audio", *embeddings["audio"], "--visual", *embeddings["visual"]]
    found["pool_speakers"] = step(
        "pool_speakers", "--plans", *plans, *files, "--centres", centres, threads=args.threads
    )
    found["score_utterances"] = score(folder, plans, embeddings, centres, args.threads)
    parts = [folder / "scores" / p.name for p in plans]
    found["merge_scores"] = step("merge_scores", "--inputs", *parts, "--out", scores, threads=args.threads)
    lists = folder / "lists"
    decide = [
        "--train-list",
        folder / "train_all.txt",
        "--scores",
        scores,
        "--out-dir",
        lists,
        *shlex.split(flags(Cleansing())),
    ]
    found["clean_list"] = step("clean_list", *decide, threads=args.threads)
    total = sum(t for name, (t, _) in found.items() if name != "read once")
    print(f"{count:,} utterances, {args.threads} threads")
    for name, (seconds, gigabytes) in found.items():
        print(f"{name:18s}{seconds:9.1f} s{gigabytes:8.2f} GB")
    print(f"{'all':18s}{total:9.1f} s, {total / reading:.1f} times reading the embeddings once")
    result = {"utterances": count, "threads": args.threads, "steps": found, "ratio": total / reading}
    (folder / "result.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()

"""Make up the files that a run of VoxCeleb2's size leaves, and time the commands that look at it.

    python benchmarks/made_up_run.py FOLDER            # writes the files; then times each command, with its memory
    python benchmarks/made_up_run.py FOLDER --keep     # times on files that are there

Numbers are drawn at random: they have the sizes of real ones and no meaning.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.cleansing.scores import Evidence, Scores, write_scores
from avsieve.cleansing.settings import Cleansing
from avsieve.lists.train_list import write_clean_list, write_train_list
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.tables import write_table

UTTERANCES, VIDEOS, SPEAKERS, SHARDS = 1_092_009, 145_569, 5_994, 256


def make(results: Path, seed: int = 0) -> str:
    """Write plan, status tables, scores, decisions and lists; return an utterance that is flagged."""
    rng = np.random.default_rng(0)  # both runs have the same utterances
    speaker_of_video = np.sort(np.r_[np.arange(SPEAKERS), rng.integers(0, SPEAKERS, VIDEOS - SPEAKERS)])
    video = np.sort(np.r_[np.arange(VIDEOS), rng.integers(0, VIDEOS, UTTERANCES - VIDEOS)])
    speaker = speaker_of_video[video].astype(np.int32)
    names = [f"id{k:05d}" for k in range(SPEAKERS)]
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"))
    tags = ["A" + "".join(row) for row in letters[rng.integers(0, 64, (VIDEOS, 10))]]
    first = np.flatnonzero(np.r_[True, video[1:] != video[:-1]])
    number = np.arange(UTTERANCES) - first[video] + 1
    videos = [f"{names[s]}/{t}" for s, t in zip(speaker_of_video, tags, strict=True)]
    utterance = [f"{videos[v]}/{n:05d}" for v, n in zip(video.tolist(), number.tolist(), strict=True)]
    rng = np.random.default_rng([seed, 1])
    bad = rng.random(VIDEOS)[video] < 0.02
    noisy = bad | (rng.random(UTTERANCES) < 0.01)
    kind = np.where(noisy, np.where(bad, "video", rng.choice(["audio", "visual"], UTTERANCES)), "")
    p = np.where(noisy, 1 - 0.4 * rng.random(UTTERANCES) ** 3, 0.3 * rng.random(UTTERANCES) ** 6).astype(np.float32)
    incomplete = ~noisy & (rng.random(UTTERANCES) < 0.01)
    suggested = np.where(noisy & (rng.random(UTTERANCES) < 0.7), rng.integers(0, SPEAKERS, UTTERANCES), -1)
    texts = np.array([*names, None], dtype=object)
    decision = np.where(noisy, "noisy", np.where(incomplete, "incomplete", "clean"))
    reason = np.where(noisy, np.char.add("wrong_", kind), np.where(incomplete, "no_visual", "ok"))
    similarity = {m: rng.normal(0.6, 0.1, UTTERANCES).astype(np.float32) for m in ("audio", "visual")}
    columns = {
        "utterance": pa.array(utterance),
        "speaker": pa.array(texts[speaker]),
        **{name: pa.array(p) for name in ("p_audio_wrong", "p_visual_wrong", "p_wrong")},
        "kind": pa.array(kind.astype(object)),
        "suggested_speaker": pa.array(texts[suggested], pa.string()),
        "p_suggested": pa.array(np.where(suggested < 0, np.nan, 0.9).astype(np.float32)),
        "decision": pa.array(decision.astype(object)),
        "reason": pa.array(reason.astype(object)),
    }
    for m, values in similarity.items():
        columns |= {
            f"{m}_similarity": pa.array(values),
            f"{m}_nearest_speaker": pa.array(texts[suggested], pa.string()),
            f"{m}_nearest_similarity": pa.array(values / 2),
            f"{m}_margin": pa.array(values / 2),
            f"{m}_fallback": pa.array(np.zeros(UTTERANCES, bool)),
        }
    write_table(P.below(results, P.lists.decisions), pa.table(columns))
    seconds = [f"{x:.2f}" for x in rng.gamma(3, 2.6, UTTERANCES).tolist()]
    write_clean_list(P.below(results, P.lists.flagged), utterance, seconds, *similarity.values(), ~(noisy | incomplete))
    write_train_list(P.below(results, P.lists.all), utterance, seconds)
    estimated = {"precision": 0.97, "recall": 0.9, "f1": 0.93}
    counted = {"utterances": UTTERANCES, "speakers": SPEAKERS}
    summary = counted | {"settings": Cleansing().model_dump(), "estimated": estimated, "warnings": {}}
    write_json(P.below(results, P.lists.summary), summary)
    shard = np.array([shard_of(s, SHARDS) for s in names])[speaker]
    order = np.argsort(shard, kind="stable")
    _scores(P.below(results, P.scores.scores), order, utterance, speaker, video, videos, names, similarity, rng)
    labels = np.array(shard_names(SHARDS), dtype=object)
    plan = pd.DataFrame(
        {
            "utterance": utterance,
            "speaker": texts[speaker],
            "video": np.array(videos, dtype=object)[video],
            "subset": "train",
            "held_out": False,
            "shard": labels[shard],
            "path": "",
            "seconds": seconds,
        }
    )
    write_table(P.below(results, P.plan.utterances), plan)
    write_json(P.below(results, P.plan.source), {"kind": "voxceleb"})
    for name, rows in plan.groupby("shard", sort=True):
        write_table(P.below(results, P.plan.shard, shard=name), rows)
        codes = np.where(rng.random(len(rows)) < 0.01, "media_truncated", "ok")
        status = pd.DataFrame({"utterance": rows["utterance"], "code": codes, "detail": ""})
        for path in (P.media.status, P.extract.status, P.align.status):
            write_table(P.below(results, path, shard=name), status)
        for m in ("audio", "visual"):
            write_table(P.below(results, P.embed.status, modality=m, shard=name), status)
    return utterance[int(np.flatnonzero(noisy)[1000])]


def _scores(path, order, utterance, speaker, video, videos, names, similarity, rng) -> None:
    n = len(order)
    evidence = {}
    for m, values in similarity.items():
        e = Evidence.empty(n)
        e.similarity, e.other = values[order], rng.normal(0.2, 0.1, (n, 3)).astype(np.float32)
        e.agreement, e.quality = values[order], values[order]
        e.other_speaker = rng.integers(0, len(names), (n, 3)).astype(np.int32)
        e.present = np.ones(n, bool)
        evidence[m] = e
    ids = np.array(utterance, dtype=object)[order]
    keys = np.array(videos, dtype=object)[video[order]]
    joint = evidence["audio"]
    persons = {name: np.zeros(n, np.float32) for name in ("second", "doubt", "rival")}
    scores = Scores(ids, speaker[order], keys, names, evidence, evidence, joint.other, joint.other_speaker, **persons)
    write_scores(path, scores)


# What a process used at most is asked of itself: what the system tells of a child counts its parent's memory too.
_CHILD = """
import atexit, os, re, sys
from pathlib import Path
from avsieve.cli import main
most = lambda: re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
atexit.register(lambda: sys.stderr.write(f"{sum(os.times()[:2])} {most()}" + chr(10)))
main()
"""


def timed(words: list[str]) -> tuple[float, float, float]:
    """Run a command; return its seconds, those of the processor, and its largest memory in MB (Linux)."""
    begin = time.monotonic()
    done = subprocess.run([sys.executable, "-c", _CHILD, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"avsieve {' '.join(words)} ended with {done.returncode}: {done.stderr}")
    cpu, kilobytes = done.stderr.split()[-2:]
    return time.monotonic() - begin, float(cpu), int(kilobytes) / 1024


def main() -> None:
    """Make the files and time the commands."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=Path)
    ap.add_argument("--keep", action="store_true", help="time on files that are there")
    args = ap.parse_args()
    results, note = args.folder / "results", args.folder / "example.json"
    if not args.keep:
        write_json(note, [make(results), make(args.folder / "other" / "results", 1)])
    example = json.loads(note.read_text())[0]
    speaker = example.split("/")[0]
    lists = [str(P.below(r, P.lists.flagged)) for r in (results, args.folder / "other" / "results")]
    for words in (
        ["inspect", str(results)],
        ["inspect", str(results), "--json"],
        ["inspect", str(results), "--speaker", speaker],
        ["inspect", str(results), "--worst", "20", "--by", "utterance"],
        ["inspect", lists[0]],
        ["show", example, "--results", str(results)],
        ["status", str(results)],
        ["compare", str(results), str(args.folder / "other")],
        ["compare", *lists],
    ):
        seconds, cpu, mb = timed(words)
        told = " ".join(word.replace(str(args.folder), "FOLDER") for word in words)
        print(f"{seconds:6.1f} s {cpu:6.1f} s CPU {mb:6.0f} MB  avsieve {told}", flush=True)


if __name__ == "__main__":
    main()

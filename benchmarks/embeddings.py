"""Break labels of real embeddings on purpose, cleanse, and count what is found.

    python benchmarks/embeddings.py FILE.npz [--labels 27] [--rates 0 0.02 0.05 0.1 0.2] [--seeds 5] [--single 0]
                                    [--list]

FILE.npz has ``utterance`` (person/video/clip), ``audio`` and ``visual`` (n, D). So many people are labels, the others
strangers of the list. Of what is broken, half is whole videos, half single utterances; of these, the share ``--single``
is wrong in one modality only. Two of five donors are strangers, the others are other labels'; donors leave the list. A
row is a rate and a seed. The labels that are the data's own may be wrong too: ``--list`` prints what is flagged of them
where nothing was broken, with what the list says of it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from detection import figures, oracle

from avsieve.cleansing.decisions import decide, expected
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.judge import judge
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.suggestions import suggest
from avsieve.cleansing.table import EmbeddingTable, score_table

KINDS = {"video": MODALITIES, "audio": ("audio",), "visual": ("visual",)}
STRANGERS = 0.4


@dataclass
class Corpus:
    """Rows of the file that stay, whose embeddings they take per modality, and what was broken, (n,) each."""

    rows: np.ndarray
    source: dict[str, np.ndarray]
    kind: np.ndarray


def broken(person: np.ndarray, video: np.ndarray, labels: int, rate: float, single: float, seed: int) -> Corpus:
    """Draw the labels, and break about ``rate`` of their utterances."""
    rng = np.random.default_rng([seed, round(1e4 * rate)])
    inside = np.isin(person, rng.permutation(np.unique(person))[:labels])
    kind, gone = np.full(len(person), "", dtype=object), np.zeros(len(person), bool)
    source = {m: np.arange(len(person)) for m in MODALITIES}
    free = ~inside  # what may be given: strangers' utterances, and those of labels that are not broken

    def give(rows: np.ndarray, name: str) -> None:
        strange = bool(rng.random() < STRANGERS)
        donors = np.flatnonzero(
            free & ~inside if strange else inside & ~gone & (kind == "") & (person != person[rows[0]])
        )
        big = np.bincount(video[donors], minlength=video.max() + 1) >= len(rows)
        donors = donors[big[video[donors]] & ~np.isin(video[donors], video[rows])]
        if not len(donors):
            return
        given = donors[video[donors] == video[rng.choice(donors)]]
        given = rng.permutation(given)[: len(rows)]
        kind[rows], gone[given[inside[given]]], free[given] = name, True, False
        for m in KINDS[name]:
            source[m][rows] = given

    want = rate * inside.sum()
    for v in rng.permutation(np.unique(video[inside])):
        rows = np.flatnonzero((video == v) & ~gone & inside)
        done = (kind != "").sum()
        if len(rows) and (done + len(rows) <= want / 2 or (not done and len(rows) <= want)):
            give(rows, "video")
    for i in rng.permutation(np.flatnonzero(inside)):
        if (kind != "").sum() >= round(want):
            break
        if kind[i] == "" and not gone[i]:
            give(np.array([i]), str(rng.choice(["video", "audio", "visual"], p=[1 - single, single / 2, single / 2])))
    rows = np.flatnonzero(inside & ~gone)
    return Corpus(rows, {m: x[rows] for m, x in source.items()}, kind[rows])


def described(scores: Scores, p: np.ndarray, rows: np.ndarray, named: np.ndarray) -> pd.DataFrame:
    """Say of utterances how alike they are to their label, to the nearest other, and to the rest of their video."""
    table = {"utterance": scores.utterance[rows], "p_wrong": p[rows].round(3)}
    for m in MODALITIES:
        e = scores.evidence[m]
        usual = pd.Series(e.similarity).groupby(scores.speaker).transform("median").to_numpy()
        table |= {m: e.similarity[rows], f"{m}_usual": usual[rows], f"{m}_other": e.other[rows, 0]}
        table[f"{m}_own_video"] = e.agreement[rows]
    table["suggested"] = [scores.speakers[k] if k >= 0 else "" for k in named[rows]]
    return pd.DataFrame(table).round(2)


def main() -> None:
    """Print a line a corpus and the means."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("file", type=Path)
    ap.add_argument("--labels", type=int, default=27)
    ap.add_argument("--rates", type=float, nargs="+", default=[0.0, 0.02, 0.05, 0.1, 0.2])
    ap.add_argument("--seeds", type=int, default=5)
    ap.add_argument("--seed-offset", type=int, default=0, help="first seed")
    ap.add_argument("--single", type=float, default=0.0)
    ap.add_argument("--list", action="store_true")
    args = ap.parse_args()
    with np.load(args.file) as data:
        utterance = data["utterance"].astype(str)
        arrays = {m: data[m].astype(np.float32) for m in MODALITIES}
    person = np.array([u.split("/")[0] for u in utterance])
    video = np.unique([u.rsplit("/", 1)[0] for u in utterance], return_inverse=True)[1]
    found = []
    for rate in args.rates:
        for seed in range(args.seed_offset, args.seed_offset + args.seeds):
            corpus = broken(person, video, args.labels, rate, args.single, seed)
            names = utterance[corpus.rows].tolist()
            tables = {m: EmbeddingTable(names, arrays[m][corpus.source[m]]) for m in MODALITIES}
            scores = score_table(pd.DataFrame({"utterance": names, "speaker": person[corpus.rows]}), tables)
            judgement = judge(scores, "posterior")
            decisions = decide(scores, judgement, "either", 0.5)
            promise, wrong = expected(decisions), corpus.kind != ""
            smaller = np.nan_to_num(np.fmin(scores.audio.similarity, scores.visual.similarity), nan=1.0)
            row = {
                "rate": rate,
                "seed": seed,
                "n": len(wrong),
                "wrong": wrong.mean(),
                "flagged": decisions.noisy.mean(),
            }
            if wrong.any():
                row |= figures(wrong, decisions.noisy, np.nan_to_num(judgement.wrong))
                row["oracle"] = figures(wrong, oracle(wrong, smaller), -smaller)["f1"]
            row |= {f"expected_{name}": promise[name] for name in ("precision", "recall")}
            found.append(row)
            print(" ".join(f"{k} {v:.4g}" for k, v in row.items() if v is not None), flush=True)
            if args.list and not wrong.any():
                named = suggest(scores, 1 - np.nan_to_num(judgement.wrong), decisions.kind).speaker
                rows = np.flatnonzero(decisions.noisy)
                print(described(scores, np.nan_to_num(judgement.wrong), rows, named).to_string(index=False))
    print(pd.DataFrame(found).groupby("rate").mean(numeric_only=True).drop(columns="seed").round(3).to_string())


if __name__ == "__main__":
    main()

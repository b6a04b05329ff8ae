"""Are the probabilities true? Reliability diagram, calibration error, and estimated against measured figures.

    python benchmarks/calibration.py [--speakers 400] [--out benchmarks/out/calibration]

Merge suggestions are measured too: a tenth of the speakers is given a second label.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from avsieve.cleansing.decisions import decide, expected
from avsieve.cleansing.judge import judge
from avsieve.cleansing.suggestions import find_merges
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


def reliability(p: np.ndarray, wrong: np.ndarray, bins: int = 15) -> tuple[np.ndarray, float]:
    """Return per bin (mean probability, share wrong, count), and the expected calibration error."""
    k = np.minimum((p * bins).astype(int), bins - 1)
    rows = np.array([(p[k == i].mean(), wrong[k == i].mean(), (k == i).sum()) for i in range(bins) if (k == i).any()])
    return rows, float((np.abs(rows[:, 0] - rows[:, 1]) * rows[:, 2]).sum() / len(p))


def tables_of(corpus: SimulatedCorpus) -> dict[str, EmbeddingTable | None]:
    """Return a corpus's embeddings as tables."""
    ids = corpus.plan["utterance"].tolist()
    return {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}


def merges(corpus: SimulatedCorpus, seed: int) -> tuple[float, float, int]:
    """Give a tenth of the speakers a second label for half of their videos; return precision, recall, planted."""
    rng = np.random.default_rng(seed)
    frame = corpus.plan[["utterance", "speaker"]].copy()
    names = sorted(frame["speaker"].unique())
    videos = corpus.plan.groupby("speaker")["video"].nunique()
    chosen = [s for s in rng.permutation(names) if videos[s] >= 6][: len(names) // 10]
    for s in chosen:
        own = sorted(corpus.plan.loc[corpus.plan["speaker"] == s, "video"].unique())
        rows = corpus.plan["video"].isin(own[::2]).to_numpy() & (frame["speaker"] == s).to_numpy()
        frame.loc[rows, "speaker"] = f"{s}b"
    scores = score_table(frame, tables_of(corpus))
    judgement = judge(scores, "posterior")
    found = {(m.first, m.second) for m in find_merges(scores, 1 - np.nan_to_num(judgement.wrong))}
    hit = len(found & {(s, f"{s}b") for s in chosen})
    return hit / max(len(found), 1), hit / max(len(chosen), 1), len(chosen)


def main() -> None:
    """Print a table and draw the diagram."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--speakers", type=int, default=400)
    ap.add_argument("--rates", type=float, nargs="+", default=[0.05, 0.2, 0.5])
    ap.add_argument("--out", type=Path, default=Path("benchmarks/out/calibration"))
    args = ap.parse_args()
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(5, 5), layout="constrained")
    axis.plot([0, 1], [0, 1], color="0.7")
    for rate in args.rates:
        corpus = simulate(
            WorldSpec(speakers=args.speakers, outsiders=args.speakers // 2), NoiseSpec(rate=rate), seed=11
        )
        scores = score_table(corpus.plan[["utterance", "speaker"]], tables_of(corpus))
        judgement = judge(scores, "posterior")
        wrong = (corpus.truth["kind"] != "clean").to_numpy()
        decisions = decide(scores, judgement, "either", 0.5)
        # A speaker's only utterance is not judged: it counts as right, as in the list.
        rows, error = reliability(np.nan_to_num(judgement.wrong), wrong)
        flagged, promise = ~decisions.clean, expected(decisions)
        hit = (flagged & wrong).sum()
        print(
            f"noise {rate:.0%}: calibration error {error:.4f}; precision expected {promise['precision']:.3f} measured "
            f"{hit / flagged.sum():.3f}; recall expected {promise['recall']:.3f} measured {hit / wrong.sum():.3f}",
            flush=True,
        )
        axis.plot(rows[:, 0], rows[:, 1], marker="o", label=f"noise {rate:.0%}, error {error:.3f}")
    axis.set(xlabel="probability of being wrong", ylabel="share that is wrong")
    axis.legend()
    args.out.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out / "reliability.png", dpi=120)
    corpus = simulate(WorldSpec(speakers=args.speakers, outsiders=args.speakers // 2), NoiseSpec(rate=0.05), seed=12)
    precision, recall, planted = merges(corpus, 0)
    print(f"merge suggestions: precision {precision:.3f}, recall {recall:.3f} of {planted} planted pairs")


if __name__ == "__main__":
    main()

"""Find wrong labels on simulated corpora: every method side by side in one run, with bounds from above and below.

    python benchmarks/detection.py [--speakers 400] [--rates 0.05 0.2 0.5] [--seeds 3] [--out FILE.csv]

``oracle threshold`` is the best single threshold on the smaller similarity, chosen with the truth in hand;
``supervised`` is a boosted classifier trained with the truth on the same evidence (out of fold, by speaker).

What users of insightface do stands beside ours, each modality by itself, and what is outside in either is noisy:
``centre`` drops what lies more than 75 degrees (cosine .26) from the mean of its speaker's embeddings, the angle by
which sub-center ArcFace (Deng et al., ECCV 2020) drops noise from MS-Celeb-1M; ``centre, oracle`` drops below the best
threshold on the smaller similarity to the mean of the speaker's other videos, chosen with the truth in hand.
``dbscan`` keeps the largest DBSCAN cluster within a speaker (cosine distance, eps .5 and two samples, as scripts that
clean face datasets have it); ``dbscan, oracle`` has the best eps of .3 to .8, chosen with the truth. All others see no
truth.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.cleansing.judge import judge
from avsieve.cleansing.registry import METHODS
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.suggestions import suggest
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec

_CENTRE = float(np.cos(np.radians(75)))
_EPS, _SAMPLES = 0.5, 2
_ALL_EPS = (0.3, 0.4, 0.6, 0.7, 0.8)


def figures(wrong: np.ndarray, flagged: np.ndarray, score: np.ndarray) -> dict[str, float]:
    """Return precision, recall, F1 and the area under the ROC curve."""
    from sklearn.metrics import roc_auc_score

    hit = float((wrong & flagged).sum())
    return {
        "precision": hit / max(flagged.sum(), 1),
        "recall": hit / max(wrong.sum(), 1),
        "f1": 2 * hit / max(wrong.sum() + flagged.sum(), 1),
        "auc": float(roc_auc_score(wrong, score)),
    }


def oracle(wrong: np.ndarray, similarity: np.ndarray) -> np.ndarray:
    """Return the flags of the best threshold."""
    order = np.argsort(similarity)
    hits = np.cumsum(wrong[order])
    best = int((2 * hits / (np.arange(1, len(wrong) + 1) + wrong.sum())).argmax())
    return similarity <= similarity[order[best]]


def evidence_matrix(scores: Scores) -> np.ndarray:
    """Return what a classifier may see: similarities, margins, agreement, the same over the rest of the video."""
    video = scores.video_code()
    count = np.bincount(video)[video]
    columns = [count]

    def rest(x: np.ndarray) -> np.ndarray:
        return (np.bincount(video, weights=x)[video] - x) / np.maximum(count - 1, 1)

    for m in MODALITIES:
        e = scores.evidence[m]
        s, d = np.nan_to_num(e.similarity).astype(float), np.nan_to_num(e.margin).astype(float)
        columns += [s, d, e.other[:, 0], e.other[:, 1], e.agreement, rest(s), rest(d), e.support]
    return np.stack(columns, axis=1)


def supervised(scores: Scores, wrong: np.ndarray) -> np.ndarray:
    """Return the out-of-fold probabilities of a classifier that is told the truth."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold

    X, p = evidence_matrix(scores), np.zeros(len(scores))
    for train, test in GroupKFold(4).split(X, wrong, scores.speaker):
        model = HistGradientBoostingClassifier(
            max_iter=150, learning_rate=0.07, max_leaf_nodes=15, l2_regularization=1.0
        )
        p[test] = model.fit(X[train], wrong[train]).predict_proba(X[test])[:, 1]
    return p


def centre_similarity(embeddings: np.ndarray, speaker: np.ndarray) -> np.ndarray:
    """Return cosines (n,) to the mean of all embeddings (n, D), of length 1 each, of the speaker."""
    sums = np.zeros((int(speaker.max()) + 1, embeddings.shape[1]), np.float32)
    np.add.at(sums, speaker, embeddings)
    return np.einsum("ij,ij->i", embeddings, unit_rows(sums)[speaker])


def outside_the_largest_cluster(embeddings: np.ndarray, speaker: np.ndarray, eps: float) -> np.ndarray:
    """Tell (n,) what is not in the largest cluster of its speaker; where there is no cluster nothing is dropped."""
    from sklearn.cluster import DBSCAN

    outside = np.zeros(len(speaker), bool)
    for s in np.unique(speaker):
        rows = np.flatnonzero(speaker == s)
        cluster = DBSCAN(eps=eps, min_samples=_SAMPLES, metric="cosine").fit(embeddings[rows]).labels_
        if (cluster >= 0).any():
            outside[rows] = cluster != np.bincount(cluster[cluster >= 0]).argmax()
    return outside


def of_the_field(corpus: SimulatedCorpus, scores: Scores, wrong: np.ndarray) -> dict[str, dict[str, float]]:
    """Return the figures of the baselines that users of insightface have; the order is that of the corpus."""
    modalities = (corpus.audio, corpus.visual)
    near = np.minimum(*(centre_similarity(e, scores.speaker) for e in modalities))
    plain = np.nan_to_num(np.fmin(scores.audio.plain, scores.visual.plain), nan=1.0)
    found = {
        "centre": figures(wrong, near < _CENTRE, -near),
        "centre, oracle": figures(wrong, oracle(wrong, plain), -plain),
    }
    by_eps = {}
    for eps in (_EPS, *_ALL_EPS):
        flagged = np.logical_or(*(outside_the_largest_cluster(e, scores.speaker, eps) for e in modalities))
        by_eps[eps] = figures(wrong, flagged, flagged.astype(float))
    best = max(by_eps, key=lambda eps: by_eps[eps]["f1"])
    return found | {"dbscan": by_eps[_EPS], "dbscan, oracle": by_eps[best]}


def run(corpus: SimulatedCorpus) -> dict[str, dict[str, float]]:
    """Return the figures of every method on one corpus."""
    ids = corpus.plan["utterance"].tolist()
    scores = score_table(
        corpus.plan[["utterance", "speaker"]],
        {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)},
    )
    wrong = (corpus.truth["kind"] != "clean").to_numpy()
    smaller = np.nan_to_num(np.fmin(scores.audio.similarity, scores.visual.similarity), nan=1.0)
    found = {"oracle threshold": figures(wrong, oracle(wrong, smaller), -smaller)}
    p = supervised(scores, wrong)
    found["supervised"] = figures(wrong, p > 0.5, p)
    found |= of_the_field(corpus, scores, wrong)
    for method in METHODS:
        judgement = judge(scores, method)
        found[method] = figures(wrong, judgement.wrong > 0.5, np.nan_to_num(judgement.wrong))
        if method == "posterior":
            found[method] |= _suggested(corpus, scores, judgement)
    return found


def _suggested(corpus: SimulatedCorpus, scores: Scores, judgement) -> dict[str, float]:
    """Return how often a suggested speaker is right, and how often one is made where one exists."""
    decisions = decide(scores, judgement, "either", 0.5)
    named = suggest(scores, 1 - np.nan_to_num(judgement.wrong), decisions.kind)
    truth = np.where(decisions.kind == "audio", corpus.truth["audio_of"], corpus.truth["visual_of"])
    inside = np.isin(truth, scores.speakers) & (truth != corpus.truth["speaker"].to_numpy())
    made = named.speaker >= 0
    right = made & (np.array([*scores.speakers, ""], dtype=object)[named.speaker] == truth)
    closed = inside & ~decisions.clean
    return {
        "suggestion_precision": float(right.sum() / max(made.sum(), 1)),
        "suggestion_accuracy_inside": float((right & closed).sum() / max(closed.sum(), 1)),
    }


def main() -> None:
    """Run all, print a table, write it."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--speakers", type=int, default=400)
    ap.add_argument("--rates", type=float, nargs="+", default=[0.05, 0.2, 0.5])
    ap.add_argument("--seeds", type=int, default=3)
    ap.add_argument("--out", type=Path, default=Path("benchmarks/out/detection.csv"))
    args = ap.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    rows = []
    for rate in args.rates:
        for seed in range(args.seeds):
            world = WorldSpec(speakers=args.speakers, outsiders=args.speakers // 2)
            for method, values in run(simulate(world, NoiseSpec(rate=rate), seed)).items():
                rows.append({"rate": rate, "seed": seed, "method": method, **values})
        frame = pd.DataFrame(rows)
        print(f"noise {rate:.0%}")
        table = frame[frame["rate"] == rate].drop(columns=["rate", "seed"]).groupby("method").mean()
        print(table.sort_values("f1", ascending=False).round(4).to_string(), flush=True)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(args.out, index=False)


if __name__ == "__main__":
    main()

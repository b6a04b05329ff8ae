"""Find wrong labels in the family of nasty worlds, with bounds from both sides, and what the list says of itself.

    python benchmarks/worlds.py [--worlds plain hubs ...] [--seeds 3] [--seed-offset 0] [--out FILE.csv]
                                [--figures FOLDER] [--audit]

A row is a world and a seed:

``f1``, ``precision``, ``recall``, ``flagged``
    Of the method `posterior`, policy ``either``, at 0.5; ``flagged`` is the share of the list.
``oracle``
    F1 of the best single threshold on the smaller plain cosine, chosen with the truth in hand.
``supervised``
    F1 of a logistic regression that is told the truth of half of the speakers and judges the other half, both ways;
    empty below 40 speakers, of whom half are too few to learn from.
``confident``
    F1 of confident learning, as cleanlab does it.
``expected_*``
    What the list promises.
``calibration``
    Expected calibration error of the probabilities.
``suggestions``, ``kinds``, ``merges``
    Share of suggested speakers that are right, and of the kinds of what was found; how many labels are said to be one
    person, which none are.
``audit_precision``, ``audit_recall``, and ``_low``, ``_high`` of both
    With ``--audit``: what `avsieve.cleansing.audit` measures, and its interval. The mean table then also says in how
    many of the corpora the interval holds the truth.

Where nothing is wrong, F1, precision and recall are empty.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from calibration import reliability, tables_of
from detection import evidence_matrix, figures, oracle

from avsieve.cleansing.audit import audit
from avsieve.cleansing.decisions import Decisions, decide, expected
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.suggestions import find_merges, suggest
from avsieve.cleansing.table import score_table
from avsieve.simulation.corpus import SimulatedCorpus
from avsieve.simulation.worlds import WORLDS

THRESHOLD = 0.5
ENOUGH_SPEAKERS = 40
DRAWN = ("plain", "anisotropic", "hard-videos", "halves", "interviewer")
SHOWN = ("f1", "precision", "recall", "oracle", "supervised", "confident", "flagged", "expected_precision",
         "expected_recall", "calibration", "suggestions", "kinds", "merges", "seconds")  # fmt: skip


def supervised(scores: Scores, wrong: np.ndarray) -> np.ndarray:
    """Return probabilities (n,) of a classifier that is told the truth of the other half of the speakers."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    X, p = np.nan_to_num(evidence_matrix(scores), posinf=0.0, neginf=0.0), np.zeros(len(scores))
    half = np.random.default_rng(0).permutation(len(scores.speakers)) % 2 == 0
    first = half[scores.speaker]
    for train, test in ((first, ~first), (~first, first)):
        if np.unique(wrong[train]).size == 1:  # nothing to learn; all is what was seen
            p[test] = float(wrong[train][0])
            continue
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        p[test] = model.fit(X[train], wrong[train]).predict_proba(X[test])[:, 1]
    return p


def f1_of(wrong: np.ndarray, flagged: np.ndarray) -> float:
    """Return F1, NaN where nothing is wrong."""
    return figures(wrong, flagged, flagged)["f1"] if 0 < wrong.sum() < len(wrong) else np.nan


def right_suggestions(corpus: SimulatedCorpus, scores: Scores, judgement: Judgement, decisions: Decisions) -> float:
    """Return the share of suggested speakers who are heard or seen, NaN where none was suggested."""
    named = suggest(scores, 1 - np.nan_to_num(judgement.wrong), decisions.kind).speaker
    truth = np.where(decisions.kind == "audio", corpus.truth["audio_of"], corpus.truth["visual_of"])
    made = named >= 0
    return float((np.array(scores.speakers, dtype=object)[named[made]] == truth[made]).mean()) if made.any() else np.nan


def audited(corpus: SimulatedCorpus) -> dict[str, float]:
    """Return what the audit measures, NaN where it measures nothing."""
    found = audit(corpus.plan[["utterance", "speaker"]], tables_of(corpus), Audit(), Cleansing(threshold=THRESHOLD))
    columns = {"value": "", "low": "_low", "high": "_high"}
    return {
        f"audit_{name}{suffix}": np.nan if (value := found["measured"][name][key]) is None else value
        for name in ("precision", "recall")
        for key, suffix in columns.items()
    }


def held(frame: pd.DataFrame) -> str:
    """Say in how many corpora the interval of the audit holds the truth."""
    lines = []
    for name in ("precision", "recall"):
        known = frame.dropna(subset=[name, f"audit_{name}"])
        holds = known[name].between(known[f"audit_{name}_low"] - 1e-9, known[f"audit_{name}_high"] + 1e-9)
        missed = ", ".join(f"{row.world} {row.seed}" for row in known[~holds].itertuples())
        width = (known[f"audit_{name}_high"] - known[f"audit_{name}_low"]).mean()
        lines.append(f"audit, {name}: holds {holds.sum()} of {len(known)}, mean width {width:.3f}; not: {missed}")
    return "\n".join(lines)


def measure(corpus: SimulatedCorpus) -> tuple[dict[str, float], tuple[np.ndarray, np.ndarray]]:
    """Return the figures of one corpus, and the probabilities (n,) and what is wrong (n,) for its reliability."""
    start = time.perf_counter()
    scores = score_table(corpus.plan[["utterance", "speaker"]], tables_of(corpus))
    judgement = judge(scores, "posterior")
    decisions = decide(scores, judgement, "either", THRESHOLD)
    promise = expected(decisions)
    seconds = time.perf_counter() - start

    wrong = (corpus.truth["kind"] != "clean").to_numpy()
    hit = wrong & decisions.noisy
    flagged, hits = decisions.noisy, int(hit.sum())
    right = np.where(np.isnan(judgement.wrong), 0.0, 1 - np.nan_to_num(judgement.wrong))
    smaller = np.nan_to_num(np.fmin(scores.audio.similarity, scores.visual.similarity), nan=1.0)
    # A speaker's only utterance is not judged: it counts as right, as in the list.
    p = np.nan_to_num(decisions.probability)
    _, error = reliability(p, wrong)
    enough = len(scores.speakers) >= ENOUGH_SPEAKERS
    confident = np.nan_to_num(judge(scores, "confident").wrong) > THRESHOLD
    found = {
        "utterances": len(wrong),
        "wrong": wrong.mean(),
        "f1": f1_of(wrong, flagged),
        "precision": hits / flagged.sum() if wrong.any() and flagged.any() else np.nan,
        "recall": hits / wrong.sum() if wrong.any() else np.nan,
        "oracle": f1_of(wrong, oracle(wrong, smaller)),
        "supervised": f1_of(wrong, supervised(scores, wrong) > THRESHOLD) if enough else np.nan,
        "confident": f1_of(wrong, confident),
        "flagged": flagged.mean(),
        "expected_precision": np.nan if promise["precision"] is None else promise["precision"],
        "expected_recall": np.nan if promise["recall"] is None else promise["recall"],
        "calibration": error,
        "suggestions": right_suggestions(corpus, scores, judgement, decisions),
        "kinds": (decisions.kind[hit] == corpus.truth["kind"].to_numpy()[hit]).mean() if hits else np.nan,
        "merges": len(find_merges(scores, right)),
        "seconds": seconds,
    }
    return {name: float(value) for name, value in found.items()}, (p, wrong)


def draw_reliability(judged: dict[str, tuple[np.ndarray, np.ndarray]], path: Path) -> None:
    """Draw the reliability diagrams of some worlds, side by side, with intervals of 95 % and counts."""
    from matplotlib import pyplot as plt
    from scipy.stats import beta

    figure, axes = plt.subplots(1, len(judged), figsize=(3.1 * len(judged), 3.6), sharey=True, layout="constrained",
                                squeeze=False)  # fmt: skip
    for axis, (world, (p, wrong)) in zip(axes[0], judged.items(), strict=True):
        rows, error = reliability(p, wrong, bins=10)
        hits = rows[:, 1] * rows[:, 2]
        ends = beta.ppf([[0.025], [0.975]], hits + 0.5, rows[:, 2] - hits + 0.5)
        axis.plot([0, 1], [0, 1], color="0.7", lw=1)
        axis.vlines(rows[:, 0], *ends, color="C0", lw=1)
        axis.plot(rows[:, 0], rows[:, 1], "o", color="C0", ms=4)
        for x, y, count in rows[1:-1]:
            axis.annotate(f"{count:.0f}", (x, y), xytext=(4, -2), textcoords="offset points", fontsize=6, color="0.4")
        axis.set(title=f"{world}, error {error:.3f}", xlabel="probability of being wrong")
        axis.set_box_aspect(1)
    axes[0, 0].set_ylabel("share that is wrong")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_promises(frame: pd.DataFrame, path: Path) -> None:
    """Draw expected against measured precision and recall, a point a world (mean of the seeds)."""
    from matplotlib import pyplot as plt

    mean = frame.groupby("world", sort=False).mean(numeric_only=True)
    figure, axes = plt.subplots(1, 2, figsize=(11, 5.5), layout="constrained")
    for axis, name in zip(axes, ("precision", "recall"), strict=True):
        known = mean[[name, f"expected_{name}"]].dropna()
        low = min(float(known.min(axis=None)), 0.9) - 0.03
        axis.fill_between([0, 1], [-0.03, 0.97], [0.03, 1.03], color="0.9", label="within 0.03")
        axis.plot([0, 1], [0, 1], color="0.7", lw=1)
        axis.scatter(known[f"expected_{name}"], known[name], s=18, color="C0")
        for world, row in known.iterrows():
            off = abs(row[name] - row[f"expected_{name}"]) > 0.03
            if off:  # the others lie on each other
                axis.annotate(str(world), (row[f"expected_{name}"], row[name]), xytext=(-5, -3), ha="right",
                              textcoords="offset points", fontsize=7)  # fmt: skip
        axis.set(xlabel=f"{name}, expected", ylabel=f"{name}, measured", xlim=(low, 1.01), ylim=(low, 1.01))
        axis.set_box_aspect(1)
        axis.legend(loc="upper left")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Run all, print a line a corpus and a table of means, write both tables and the figures."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--worlds", nargs="+", default=list(WORLDS), choices=list(WORLDS), metavar="NAME")
    ap.add_argument("--seeds", type=int, default=3)
    ap.add_argument("--seed-offset", type=int, default=0, help="first seed")
    ap.add_argument("--out", type=Path, default=Path("benchmarks/out/worlds.csv"))
    ap.add_argument("--audit", action="store_true", help="run the audit too, which takes three times as long")
    ap.add_argument("--figures", type=Path, help="folder for reliability.png and promises.png")
    args = ap.parse_args()
    warnings.filterwarnings("ignore", category=FutureWarning)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, object]] = []
    judged: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for world in args.worlds:
        for seed in range(args.seed_offset, args.seed_offset + args.seeds):
            corpus = WORLDS[world].simulate(seed)
            found, outcome = measure(corpus)
            found |= audited(corpus) if args.audit else {}
            rows.append({"world": world, "seed": seed, **found})
            judged.setdefault(world, []).append(outcome)
            print(f"{world} {seed}: " + " ".join(f"{name} {found[name]:.3f}" for name in SHOWN), flush=True)
        pd.DataFrame(rows).to_csv(args.out, index=False)
    frame = pd.DataFrame(rows)
    print(frame.groupby("world", sort=False)[list(SHOWN)].mean().round(3).to_string())
    if args.audit:
        print(held(frame))
    if args.figures:
        import matplotlib as mpl

        mpl.use("Agg")
        args.figures.mkdir(parents=True, exist_ok=True)
        chosen = {world: judged[world] for world in DRAWN if world in judged} or judged
        whole = {
            world: (np.concatenate([p for p, _ in outcomes]), np.concatenate([w for _, w in outcomes]))
            for world, outcomes in chosen.items()
        }
        draw_reliability(whole, args.figures / "reliability.png")
        draw_promises(frame, args.figures / "promises.png")


if __name__ == "__main__":
    main()

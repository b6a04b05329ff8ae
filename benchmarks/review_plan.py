"""Do the intervals of a reviewed plan hold what they promise? Simulated corpora, and reviewers who know the truth.

    python benchmarks/review_plan.py [--seeds 101 102] [--repeats 100] [--counts 100 200 500]

Of each corpus many plans are drawn, judged and estimated; printed is in what share of them the 95 % interval holds the
true precision and recall, with the median width. The posterior is the method's own, the same made overconfident (log
odds times 1.7), or the method's own where 0.15 % of the clips are wrong besides and look right.
"""

from __future__ import annotations

import argparse
import hashlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.cleansing.decisions import decide
from avsieve.cleansing.judge import judge
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.review.draw import draw
from avsieve.review.estimate import estimate
from avsieve.review.plan import plan_of
from avsieve.review.population import Population
from avsieve.review.table import Reviewed
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.simulation.worlds import WORLDS

POSTERIORS = ("own", "overconfident", "unknown unknowns")
WORLD_NAMES = ("default", "two-videos", "mixed-voices")
HIDDEN, SHARPER = 0.0015, 1.7
THRESHOLD = 0.5


@dataclass(frozen=True)
class Case:
    """A corpus as the method sees it, and the truth (n,) bool."""

    population: Population
    wrong: np.ndarray


def corpus_of(world: str, seed: int, noise: float, speakers: int) -> tuple[pd.DataFrame, Case]:
    """Simulate and judge a corpus; return its truth table, too."""
    sizes, spec = (
        (WorldSpec(speakers=speakers, outsiders=speakers // 2), NoiseSpec(rate=noise))
        if world == "default"
        else (WORLDS[world].sizes, WORLDS[world].noise)
    )
    corpus = simulate(sizes, spec, seed)
    ids = corpus.plan["utterance"].tolist()
    tables = {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}
    scores = score_table(corpus.plan[["utterance", "speaker"]], tables)
    judgement = judge(scores, "posterior")
    decisions = decide(scores, judgement, "either", THRESHOLD)
    rows = np.flatnonzero(~np.isnan(decisions.probability))
    wrong = (corpus.truth["kind"] != "clean").to_numpy()[rows]
    speaker = scores.speaker[rows].astype(np.int64)
    unit = np.unique([ids[k].rsplit("/", 1)[0] for k in rows], return_inverse=True)[1].astype(np.int64)
    full = np.ones(len(rows), bool)
    population = Population(
        pa.array([ids[k] for k in rows]), speaker, unit, np.array(scores.speakers, dtype=object),
        decisions.probability[rows], decisions.noisy[rows], np.full(len(rows), np.nan), full, full,
        decisions_sha256="0" * 64,
    )  # fmt: skip
    return corpus.truth.iloc[rows], Case(population, wrong)


def cached(world: str, seed: int, noise: float, speakers: int, folder: Path) -> Case:
    """Return a corpus, judged once."""
    key = hashlib.sha256(f"{world} {seed} {noise} {speakers}".encode()).hexdigest()[:12]
    path = folder / f"review_plan_{key}.npz"
    names = ("speaker", "unit", "p", "flagged")
    if not path.exists():
        _, case = corpus_of(world, seed, noise, speakers)
        folder.mkdir(parents=True, exist_ok=True)
        ids = np.array(case.population.utterance.to_pylist())
        np.savez(path, ids=ids, wrong=case.wrong, **{name: getattr(case.population, name) for name in names})
    with np.load(path) as found:
        n = len(found["p"])
        full, open_, speakers_ = np.ones(n, bool), np.full(n, np.nan), np.arange(int(found["speaker"].max()) + 1)
        columns = [found[name] for name in names]
        return Case(
            Population(pa.array(found["ids"].tolist()), *columns[:2], speakers_.astype(object), *columns[2:], open_,
                       full, full, decisions_sha256="0" * 64),
            found["wrong"],
        )  # fmt: skip


def with_posterior(case: Case, posterior: str, seed: int) -> Case:
    """Return the case with another posterior, or with errors that nothing shows."""
    p, wrong = case.population.p, case.wrong.copy()
    if posterior == "overconfident":
        z = SHARPER * (np.log(np.clip(p, 1e-9, 1)) - np.log(np.clip(1 - p, 1e-9, 1)))
        return Case(replace(case.population, p=1 / (1 + np.exp(-z))), wrong)
    if posterior == "unknown unknowns":
        rng = np.random.default_rng(seed)
        sure = np.flatnonzero(~wrong & (p < np.median(p)))
        wrong[rng.choice(sure, round(HIDDEN * len(p)), replace=False)] = True
    return Case(case.population, wrong)


def row_of(case: Case, count: int, repeats: int, first: int) -> dict[str, float]:
    """Return coverage, widths and the mean of the unbiased estimates of many plans."""
    population, wrong = case.population, case.wrong
    flagged = population.flagged
    truth = {"precision": float(wrong[flagged].mean()), "recall": float(wrong[flagged].sum() / wrong.sum())}
    holds: dict[str, list[bool]] = {name: [] for name in (*truth, "bound precision", "bound recall")}
    widths: dict[str, list[float]] = {name: [] for name in truth}
    for k in range(repeats):
        drawn = draw(population, count, first + k)
        plan, rows = plan_of(population, drawn, count, first + k), drawn.row
        said = [
            Reviewed(u, "", *(("wrong",) * 2 if bad else ("right",) * 2))
            for u, bad in zip(plan.utterance, wrong[rows].tolist(), strict=True)
        ]
        found = estimate(plan, population, said)
        for name, value in truth.items():
            item = found.assisted["right"][name]
            holds[name].append(item.low - 1e-9 <= value <= item.high + 1e-9)
            holds[f"bound {name}"].append(found.bound["right"][name].low - 1e-9 <= value)
            widths[name].append(item.high - item.low)
    return {
        **{f"true {name}": value for name, value in truth.items()},
        **{f"{name} holds": float(np.mean(values)) for name, values in holds.items()},
        **{f"{name} width": float(np.median(values)) for name, values in widths.items()},
    }


def _work(task: tuple[str, int, str, int, int, Path]) -> dict[str, object]:
    world, seed, posterior, count, repeats, folder = task
    case = with_posterior(cached(world, seed, 0.05, 300, folder), posterior, seed)
    found = row_of(case, count, repeats, 1000 * seed)
    return {"world": world, "seed": seed, "posterior": posterior, "n": count, **found}


def main() -> None:
    """Print a line a row, and the lowest coverage."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--worlds", nargs="+", default=list(WORLD_NAMES), choices=WORLD_NAMES)
    ap.add_argument("--seeds", nargs="+", type=int, default=[101, 102])
    ap.add_argument("--counts", nargs="+", type=int, default=[100, 200, 500])
    ap.add_argument("--repeats", type=int, default=100)
    ap.add_argument("--processes", type=int, default=2)
    ap.add_argument("--out", type=Path, default=Path("benchmarks/out"))
    args = ap.parse_args()
    for world in args.worlds:
        for seed in args.seeds:
            cached(world, seed, 0.05, 300, args.out)
    tasks = [
        (world, seed, posterior, count, args.repeats, args.out)
        for world in args.worlds for posterior in POSTERIORS for count in args.counts for seed in args.seeds
    ]  # fmt: skip
    rows = []
    with ProcessPoolExecutor(args.processes) as pool:
        for row in pool.map(_work, tasks):
            rows.append(row)
            print(" ".join(f"{v:.3f}" if isinstance(v, float) else str(v) for v in row.values()), flush=True)
    frame = pd.DataFrame(rows)
    frame.to_csv(args.out / "review_plan.csv", index=False)
    print(frame.round(3).to_string(index=False))
    print(frame.groupby("world", sort=False)[[c for c in frame if c.endswith("holds")]].min().round(3).to_string())


if __name__ == "__main__":
    main()

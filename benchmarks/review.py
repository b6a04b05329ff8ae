"""What are 200 decisions of people worth? Simulated worlds, and reviewers who know the truth.

    python benchmarks/review.py [--speakers 300] [--reviews 200] [--worlds default hard-videos domains mixed-voices]
                                [--noise 0.1] [--seed 5]

The most uncertain utterances are reviewed, or random ones, or half of each; or the videos that the certain arm of a
plan takes, or a whole plan. Of these, third clips are judged where they are due, within the same number of judgements,
and a video of which all three are wrong alike is decided as a whole. F1 is that of the whole list, and of what nobody
has reviewed; the expected figures are those of `summary.json`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pyarrow as pa

from avsieve.cleansing.decisions import Decisions, decide, expected
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.reviewed import match, with_review
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.review.draw import CERTAIN, CERTAIN_SHARE, draw
from avsieve.review.entry import Verdict
from avsieve.review.follow_up import follow_up, whole_videos
from avsieve.review.plan import plan_of
from avsieve.review.population import Population
from avsieve.review.table import Reviewed
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.simulation.worlds import WORLDS

WORDS = {"clean": Verdict.RIGHT, "audio": Verdict.WRONG_VOICE, "visual": Verdict.WRONG_FACE}


def truths(corpus: SimulatedCorpus, rows: np.ndarray) -> list[Reviewed]:
    """Return what a reviewer who knows everything says of some rows."""
    found = []
    for row in corpus.truth.iloc[rows].itertuples():
        audio, visual = (
            "right" if of == row.speaker else "wrong" for of in (row.audio_of, row.visual_of)
        )  # fmt: skip
        word = WORDS.get(row.kind, Verdict.WRONG_CLIP)
        found.append(Reviewed(row.utterance, word.value, audio, visual))
    return found


def population_of(scores: Scores, judgement: Judgement, decisions: Decisions) -> Population:
    """Return the population that plans are drawn from."""
    rows = np.flatnonzero(~np.isnan(judgement.wrong))
    names = scores.utterance[rows]
    videos = [name.rsplit("/", 1)[0] for name in names]
    full = np.ones(len(rows), bool)
    return Population(
        pa.array(names.tolist()), scores.speaker[rows].astype(np.int64), np.unique(videos, return_inverse=True)[1],
        np.array(scores.speakers, dtype=object), judgement.wrong[rows], decisions.noisy[rows],
        np.full(len(rows), np.nan), full, full,
    )  # fmt: skip


def by_plan(corpus: SimulatedCorpus, population: Population, count: int, how: str, seed: int) -> list[Reviewed]:
    """Judge a plan, or its certain arm alone, third clips with it, until so many clips are judged."""
    asked = count if how == "plan" else round(count / CERTAIN_SHARE)
    plan = plan_of(population, draw(population, asked, seed), asked, seed)
    row = {name: k for k, name in enumerate(corpus.truth["utterance"])}
    said: dict[str, Reviewed] = {}
    queue = [u for u, arm in zip(plan.utterance, plan.arm, strict=True) if how == "plan" or arm == CERTAIN]
    while len(said) < count:
        words = {name: found.decision for name, found in said.items()}
        due = follow_up(plan, words) or [name for name in queue if name not in said][:1]
        if not due:
            break
        (found,) = truths(corpus, np.array([row[due[0]]]))
        said[due[0]] = found
    whole = set(whole_videos(plan, {name: found.decision for name, found in said.items()}))
    return [replace(found, spread=name.rsplit("/", 1)[0] in whole) for name, found in said.items()]


def choose(judgement: Judgement, count: int, how: str, seed: int) -> np.ndarray:
    """Return rows to review."""
    judged = np.flatnonzero(~np.isnan(judgement.wrong))
    doubtful = judged[np.argsort(np.abs(judgement.wrong[judged] - 0.5), kind="stable")]
    random = np.random.default_rng(seed).permutation(judged)
    if how == "uncertain":
        return doubtful[:count]
    if how == "random":
        return random[:count]
    first = doubtful[: count // 2]
    return np.concatenate([first, random[~np.isin(random, first)][: count - len(first)]])


def f1(wrong: np.ndarray, flagged: np.ndarray) -> float:
    """Return the F1 of flags."""
    return 2 * (wrong & flagged).sum() / max(wrong.sum() + flagged.sum(), 1)


def line(name: str, decisions: Decisions, wrong: np.ndarray, reviewed: np.ndarray) -> str:
    """Return the figures of a cleansing."""
    flagged, promise = decisions.noisy, expected(decisions)
    hit = (flagged & wrong).sum()
    figures = f"F1 {f1(wrong, flagged):.4f}, of the others {f1(wrong[~reviewed], flagged[~reviewed]):.4f}"
    return (
        f"  {name:20} {figures}; precision expected {promise['precision']:.3f} is {hit / max(flagged.sum(), 1):.3f}, "
        f"recall {promise['recall']:.3f} is {hit / max(wrong.sum(), 1):.3f}"
    )


def main() -> None:
    """Print a block of figures per world."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--speakers", type=int, default=300)
    ap.add_argument("--reviews", type=int, default=200)
    ap.add_argument("--worlds", nargs="+", default=["default", "hard-videos", "domains", "mixed-voices"])
    ap.add_argument("--noise", type=float, default=0.1, help="share that is wrong in the world default")
    ap.add_argument("--seed", type=int, default=5)
    args = ap.parse_args()
    for name in args.worlds:
        sizes, noise = (
            (WorldSpec(), NoiseSpec(rate=args.noise)) if name == "default" else (WORLDS[name].sizes, WORLDS[name].noise)
        )
        sizes = replace(sizes, speakers=args.speakers, outsiders=args.speakers // 2)
        corpus = simulate(sizes, noise, args.seed)
        ids = corpus.plan["utterance"].tolist()
        tables = {"audio": EmbeddingTable(ids, corpus.audio), "visual": EmbeddingTable(ids, corpus.visual)}
        scores = score_table(corpus.plan[["utterance", "speaker"]], tables)
        wrong = (corpus.truth["kind"] != "clean").to_numpy()
        machine = judge(scores, "posterior")
        alone = decide(scores, machine, "either", 0.5)
        print(f"{name}: {len(ids):,} utterances, {wrong.mean():.1%} wrong", flush=True)
        population = population_of(scores, machine, alone)
        for how in ("uncertain", "random", "half of each", "certain arm", "plan"):
            if how in ("certain arm", "plan"):
                found = by_plan(corpus, population, args.reviews, how, args.seed)
            else:
                found = truths(corpus, choose(machine, args.reviews, how, args.seed))
            reviewed = np.isin(np.array(ids), [row.utterance for row in found])
            review = match(scores, found, how)
            judgement = with_review(machine, review)
            fitted = judgement.facts["recalibration"]
            told = f"shift {fitted['shift']:+.2f}, slope {fitted['slope']:.2f}" if fitted["used"] else "none"
            print(f"  {how}: {fitted['right']} right, {fitted['wrong']} wrong; map: {told}")
            print(line("by the method", alone, wrong, reviewed))
            print(
                line("with the reviews", decide(scores, judgement, "either", 0.5, review.decided), wrong, reviewed),
                flush=True,
            )


if __name__ == "__main__":
    main()

"""Fusion models that score, on simulated embeddings: whole, damaged, incomplete, wrong, and all of it pooled.

    python benchmarks/fusion_scores.py [--seeds 3] [--seed-offset 0] [--training-damage 0.3] [--models NAME ...]
                                       [--encoders directed|even] [--world NAME] [--out FILE.csv]

The list has 550 people with 12 utterances in 4 videos each, the trials have 200 others. An utterance is mean + person +
video + noise: people vary mostly in some directions and so does the noise, whose size has heavy tails, videos in some
of their own. Embeddings have length 1, but for the pooled embedding's own length, which tells the noise noisily, as do
duration and face quality. With ``--encoders even`` people, videos and noise vary alike in the same 40 directions and
the mean is zero: cosines are then the best there is, and what a model gains it gains by knowing the noise. A world of
`avsieve.simulation` may stand in place of that (``--world``): then there are no measures, and the list has its errors.

Strata, by what is done to the trial's test side (and, where damaged, to half of the other sides):

``clean``
    Nothing.
``damaged``
    The noise of the voice, the face or both grows by a factor of 1.3 to 3.
``missing``
    Voice or face is not there.
``other``
    Voice or face is somebody else's.
``pooled``
    58, 30, 10 and 2 % of these under one threshold.

Columns: EER in percent, minDCF at 0.01 and 0.05, and Cllr in bits where the scores are log-likelihood ratios, means
over the seeds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from avsieve.evaluation.metrics import summarise
from avsieve.fusion.base import FusionModel, TrainedModel
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train as train_model
from avsieve.simulation.corpus import simulate
from avsieve.simulation.worlds import WORLDS

SHOWN = ("audio", "visual", "score_average", "score_weighted", "calibrated", "calibrated_qmf", "evidence", "linear",
         "gated")  # fmt: skip
LIST, TEST = 550, 200
VIDEOS, UTTERANCES = 4, 3
NONTARGETS = 200_000
SHARES = {"clean": 0.58, "damaged": 0.30, "missing": 0.10, "other": 0.02}
FIGURES = ["eer", "min_dcf_0.01", "min_dcf_0.05", "cllr"]
ByModality = dict[str, np.ndarray]
Axes = dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Encoder:
    """How one modality's encoder behaves; spreads are root mean squares over all directions together."""

    dim: int
    person: float = 1.0
    video: float = 0.55
    noise: float = 0.95
    decay: float = 40.0  # directions in which the spread of people falls by the root of e
    flat: bool = False  # whether it is the same in so many directions instead, and none in all others
    round: float = 0.2  # share of the noise that is alike in all directions; the rest is as people differ
    own: float = 0.3  # share of what varies between videos that has directions of its own; the rest is as people differ
    tails: float = 5.0  # degrees of freedom
    mean: float = 0.3  # of all embeddings


ENCODERS = {
    "directed": {"audio": Encoder(192, noise=1.1), "visual": Encoder(512, noise=1.15)},
    "even": {
        "audio": Encoder(192, noise=0.75, flat=True, round=0.0, own=0.0, mean=0.0),
        "visual": Encoder(512, noise=0.8, flat=True, round=0.0, own=0.0, mean=0.0),
    },
}


@dataclass(frozen=True)
class People:
    """What is random about a set of people, so that versions of them differ by what is done to them alone."""

    speaker: np.ndarray
    video: np.ndarray
    signal: ByModality
    noise: ByModality
    size: ByModality  # logarithm

    @property
    def names(self) -> list[str]:
        """Ids of the utterances."""
        return [f"p{s:04d}/v{v:05d}/{i:05d}" for i, (s, v) in enumerate(zip(self.speaker, self.video, strict=True))]


def world_axes(encoders: dict[str, Encoder], rng: np.random.Generator) -> Axes:
    """Return, per modality, the directions of people and of videos (D, D), and the mean (D,)."""
    axes = {}
    for m, e in encoders.items():
        place = np.arange(e.dim)
        spread = np.where(place < e.decay, 1.0, 0.0) if e.flat else np.exp(-place / e.decay / 2)
        spread /= np.sqrt((spread**2).sum())
        sides = [spread[:, None] * np.linalg.qr(rng.standard_normal((e.dim, e.dim)))[0] for _ in range(2)]
        mean = rng.standard_normal(e.dim) / np.sqrt(e.dim) * e.mean
        axes[m] = (sides[0], sides[1], mean)
    return axes


def draw_people(count: int, encoders: dict[str, Encoder], axes: Axes, rng: np.random.Generator) -> People:
    """Draw people and their utterances."""
    speaker = np.repeat(np.arange(count), VIDEOS * UTTERANCES)
    video = np.repeat(np.arange(count * VIDEOS), UTTERANCES)
    signal, noise, size = {}, {}, {}
    for m, e in encoders.items():
        of_people, of_videos, mean = axes[m]
        person = e.person * rng.standard_normal((count, e.dim)) @ of_people
        draws = rng.standard_normal((2, count * VIDEOS, e.dim))
        channel = e.video * (np.sqrt(1 - e.own) * draws[0] @ of_people + np.sqrt(e.own) * draws[1] @ of_videos)
        signal[m] = mean + person[speaker] + channel[video]
        scale = np.sqrt(e.tails / rng.chisquare(e.tails, len(speaker)))
        shaped = rng.standard_normal((len(speaker), e.dim)) @ of_people
        even = rng.standard_normal((len(speaker), e.dim)) / np.sqrt(e.dim)
        noise[m] = e.noise * scale[:, None] * (np.sqrt(1 - e.round) * shaped + np.sqrt(e.round) * even)
        size[m] = np.log(scale)
    return People(speaker, video, signal, noise, size)


def version(people: People, kind: str, share: float, rng: np.random.Generator) -> Inputs:
    """Return the embeddings of people of whose utterances a share is ``damaged``, ``missing`` or ``other``."""
    n = len(people.speaker)
    hit = rng.random(n) < share
    which = rng.integers(3, size=n)  # voice, face, both
    streams = []
    for k, m in enumerate(people.signal):
        mine = hit & ((which == k) | ((which == 2) & (kind == "damaged")) | ((which == 2) & (k == 0)))
        damage = np.where(mine & (kind == "damaged"), rng.uniform(0.3, 1.1, n), 0.0)
        vectors = people.signal[m] + np.exp(damage)[:, None] * people.noise[m]
        size = people.size[m] + damage
        if kind == "other":
            rows = np.where(mine, rng.integers(n, size=n), np.arange(n))
            vectors, size = vectors[rows], size[rows]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

        def told(slope: float, mean: float, spread: float, size: np.ndarray = size) -> np.ndarray:
            return (mean - slope * size + spread * rng.standard_normal(n)).astype(np.float32)

        length = np.exp(np.minimum(told(0.2, -0.2, 0.12), 0.0))
        measures = {
            "audio": lambda told=told: {"duration_s": np.exp(told(0.15, 2.0, 0.5))},
            "visual": lambda told=told: {"n_faces": np.exp(told(0.1, 2.5, 0.5)), "quality": told(0.15, 0.7, 0.1)},
        }[m]()
        stream = Stream((vectors * length[:, None]).astype(np.float32), np.ones(n, dtype=bool), measures=measures)
        streams.append(stream.without(mine) if kind == "missing" else stream)
    return Inputs(people.names, *streams)


def stack(parts: list[Inputs]) -> Inputs:
    """Put several inputs below each other."""
    streams = []
    for m in ("audio", "visual"):
        of = [part.streams[m] for part in parts]
        measures = {name: np.concatenate([s.measures[name] for s in of]) for name in of[0].measures}
        pooled, present = (np.concatenate([getattr(s, name) for s in of]) for name in ("pooled", "present"))
        streams.append(Stream(pooled, present, measures=measures))
    return Inputs([f"{u}-{k}" for k, part in enumerate(parts) for u in part.utterances], *streams)


def simulated(
    encoders: dict[str, Encoder], seed: int, damage: float
) -> tuple[Inputs, list[str], dict[str, Inputs], np.ndarray, np.ndarray]:
    """Return the list and its speakers, the test people in all versions, their number and their video."""
    rng = np.random.default_rng(seed)
    axes = world_axes(encoders, rng)
    people, test = (draw_people(count, encoders, axes, rng) for count in (LIST, TEST))
    train = version(people, "damaged", damage, rng)
    versions = {kind: version(test, kind, float(kind != "clean"), rng) for kind in SHARES}
    return train, [f"p{s:04d}" for s in people.speaker], versions, test.speaker, test.video


def of_world(name: str, seed: int) -> tuple[Inputs, list[str], dict[str, Inputs], np.ndarray, np.ndarray]:
    """Return the same from a world of `avsieve.simulation`: the last third of its speakers, as they are, is tested."""
    world = WORLDS[name]
    corpus = simulate(world.sizes, world.noise, seed)
    speaker = corpus.plan["speaker"].to_numpy()
    names, rank = np.unique(speaker, return_inverse=True)
    video = np.unique(corpus.plan["video"], return_inverse=True)[1]
    tested = rank >= 2 * len(names) // 3

    def some(rows: np.ndarray) -> Inputs:
        return Inputs(
            [str(u) for u in corpus.plan["utterance"].to_numpy()[rows]],
            *(Stream(x[rows], np.ones(rows.sum(), dtype=bool)) for x in (corpus.audio, corpus.visual)),
        )

    # What is wrong is not tested: a trial has to have an answer.
    right = tested & (corpus.truth["kind"] == "clean").to_numpy()
    train, test = some(~tested), some(right)
    gone = np.random.default_rng(seed).random(len(test)) < 0.5
    missing = Inputs(test.utterances, test.audio.without(gone), test.visual.without(~gone))
    return train, list(speaker[~tested]), {"clean": test, "missing": missing}, rank[right], video[right]


def trials(
    speaker: np.ndarray, video: np.ndarray, kinds: list[str], rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Return rows of the stacked versions of enrol and test side, and whether they are targets, per stratum."""
    n = len(speaker)
    i, j = np.triu_indices(n, 1)
    target = np.flatnonzero((speaker[i] == speaker[j]) & (video[i] != video[j]))
    target = target if len(target) <= NONTARGETS // 4 else rng.choice(target, NONTARGETS // 4, replace=False)
    drawn = np.unique(rng.integers(len(i), size=NONTARGETS))
    nontarget = drawn[speaker[i[drawn]] != speaker[j[drawn]]]
    chosen = np.concatenate([target, nontarget])
    flip = rng.random(len(chosen)) < 0.5
    e, t = np.where(flip, j[chosen], i[chosen]), np.where(flip, i[chosen], j[chosen])
    is_target = np.repeat([True, False], [len(target), len(nontarget)])
    shares = np.array([SHARES[kind] for kind in kinds])
    of_trial = rng.choice(len(kinds), len(e), p=shares / shares.sum())
    out, pooled = {}, ([], [])
    for k, kind in enumerate(kinds):
        left = e + n * k * ((kind == "damaged") & (rng.random(len(e)) < 0.5))
        out[kind] = (left, t + n * k, is_target)
        mine = of_trial == k
        pooled[0].append(np.stack([left[mine], t[mine] + n * k]))
        pooled[1].append(is_target[mine])
    rows = np.concatenate(pooled[0], axis=1)
    return out | {"pooled": (rows[0], rows[1], np.concatenate(pooled[1]))}


def cllr(ratio: np.ndarray, is_target: np.ndarray) -> float:
    """Return the cost of log-likelihood ratios in bits (Brümmer and du Preez, 2006); 1 is that of knowing nothing."""
    miss, false_alarm = np.logaddexp(0, -ratio[is_target]).mean(), np.logaddexp(0, ratio[~is_target]).mean()
    return float((miss + false_alarm) / 2 / np.log(2))


def new(name: str, train: Inputs, speakers: list[str], seed: int) -> FusionModel:
    """Return a model, trained where it is to be."""
    kind = MODELS[name]
    if not issubclass(kind, TrainedModel):
        return kind()
    settings = Fusion()
    torch.manual_seed(seed)
    model = kind(train.audio.dim, train.visual.dim, settings.dim, kind.settings())
    train_model(model, train, speakers, settings, seed=seed, device=torch.device("cpu"))
    return model


def measure(args: argparse.Namespace, seed: int) -> list[dict[str, object]]:
    """Return a row per model and stratum."""
    made = of_world(args.world, seed) if args.world else simulated(ENCODERS[args.encoders], seed, args.training_damage)
    train, speakers, versions, speaker, video = made
    strata = trials(speaker, video, list(versions), np.random.default_rng([seed, 1]))
    inputs, rows = stack(list(versions.values())), []
    for name in args.models:
        start = time.perf_counter()
        model = new(name, train, speakers, seed)
        fitted = time.perf_counter() - start
        encoded = model.encode(inputs)
        for stratum, (enrol, test, is_target) in strata.items():
            start = time.perf_counter()
            scores = model.score(encoded, enrol, test)
            seconds = time.perf_counter() - start
            there = ~np.isnan(scores)
            row = {"model": name, "seed": seed, "stratum": stratum, "n": len(enrol), "unscored": int((~there).sum())}
            row |= summarise(scores[there], is_target[there])
            if model.calibrated:
                row["cllr"] = cllr(scores[there].astype(np.float64), is_target[there])
            rows.append(row | {"fit_s": fitted, "score_s": seconds})
    return rows


def main() -> None:
    """Print a table per figure."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seeds", type=int, default=3)
    ap.add_argument("--seed-offset", type=int, default=0)
    ap.add_argument("--training-damage", type=float, default=0.3, help="share of the list's utterances")
    ap.add_argument("--encoders", choices=list(ENCODERS), default="directed")
    ap.add_argument("--models", nargs="+", default=list(SHOWN))
    ap.add_argument("--world", choices=sorted(WORLDS))
    ap.add_argument("--out", type=Path)
    args = ap.parse_args()
    rows = [row for k in range(args.seeds) for row in measure(args, args.seed_offset + k)]
    frame = pd.DataFrame(rows).reindex(columns=[*rows[0], "cllr"] if "cllr" not in rows[0] else list(rows[0]))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        frame.to_csv(args.out, index=False)
    frame["eer"] *= 100
    order = list(dict.fromkeys(frame["stratum"]))
    for figure in FIGURES:
        table = frame.pivot_table(index="model", columns="stratum", values=figure, sort=False, dropna=False)
        print(f"\n{figure}\n{table.reindex(columns=order).round(3).dropna(how='all').to_string()}")
    pooled = frame[frame["stratum"] == "pooled"].groupby("model", sort=False)
    print(
        f"\nseconds, pooled trials: {int(pooled['n'].mean().iloc[0])}\n{pooled[['fit_s', 'score_s']].mean().round(2)}"
    )
    print("seeds, pooled EER %:\n", frame[frame["stratum"] == "pooled"].pivot_table(
        index="model", columns="seed", values="eer", sort=False).round(2).to_string())  # fmt: skip


if __name__ == "__main__":
    main()

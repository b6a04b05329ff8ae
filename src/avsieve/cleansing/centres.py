"""Pass 1: the centres of all speakers, and what similarities mean (their files: `avsieve.cleansing.centre_files`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from avsieve.cleansing.calibration import BINS, PairCalibration, calibrate, histogram
from avsieve.cleansing.claims import Claims, Named, named
from avsieve.cleansing.inputs import MODALITIES, Shard, read_shard, unit_rows
from avsieve.cleansing.metric import Metric, learn
from avsieve.cleansing.pooling import SpeakerModel, centre_of, pool_speaker
from avsieve.cleansing.rivals import Rivals
from avsieve.cleansing.two_covariance import Scatter
from avsieve.errors import AvsieveError
from avsieve.runtime.cores import one_core_for_blas
from avsieve.runtime.prefetch import prefetched
from avsieve.runtime.progress import progress

Shards = Callable[[], Iterator[Shard]]
_IMPOSTORS = 2000  # speakers among whom impostor pairs are formed: four million pairs are plenty
_ENOUGH = 100_000  # utterances, some 600 speakers of VoxCeleb2, to learn the metric and the similarities from
_RIVAL = 0.02  # smallest odds, before it is known who has a label, of whom a label may be given to
_FEW = 4  # up to so many speakers, one utterance of each makes too few pairs to learn from: more of each are taken
_PROBES = 200  # utterances, and videos, of each of so few speakers


@dataclass
class Centres:
    """All speakers, sorted by name.

    ``centre[m]`` and ``sample[m]`` are (K, d) float32 in the metric, ``plain[m]`` (K, D) the centres of the embeddings
    as they are; a zero row means "none". ``metric[m]`` is None where there was too little to learn one from: then the
    embeddings are taken as they are. ``coherence[m]`` is the mean cosine of two videos' means of one person, NaN where
    no label has two videos; ``turned`` (K,) is that of the file.
    """

    speakers: list[str]
    utterances: np.ndarray
    videos: np.ndarray
    centre: dict[str, np.ndarray]
    sample: dict[str, np.ndarray]
    plain: dict[str, np.ndarray]
    support: dict[str, np.ndarray]
    calibration: dict[str, PairCalibration]
    metric: dict[str, Metric | None]
    coherence: dict[str, float]
    turned: np.ndarray

    def claims(self) -> Claims:
        """Return what tells whether a person has a label of their own."""
        videos = {m: self.videos * self.support[m] / np.maximum(self.utterances, 1) for m in MODALITIES}
        return Claims(self.centre, videos, self.coherence)

    def has(self, modality: str) -> np.ndarray:
        """Tell which speakers have a centre in ``modality``, (K,) bool."""
        return (self.centre[modality] != 0).any(axis=1)


def pool(shards: Shards) -> Centres:
    """Find the centres, a shard at a time.

    Before that a part of the corpus, which is enough, is read to learn the metric and what similarities mean.

    Parameters
    ----------
    shards
        Called for each reading; yields the shards.
    """
    metric, calibration = _learn(list(_enough(shards())))
    found: dict[str, _Label] = {}
    coherence: dict[str, list[float]] = {m: [] for m in MODALITIES}
    for shard in progress(shards(), "pool speakers", None):
        inner = mapped(shard, metric)
        for speaker, index in shard.speakers():
            if speaker in found:
                raise AvsieveError(f"speaker {speaker} lies in two shards; a speaker's utterances must share one shard")
            embeddings = {m: inner.embeddings[m][index] for m in MODALITIES}
            video = shard.video[index]
            model = pool_speaker(embeddings, video, calibration)
            people = [_person(shard, index, model)]
            of = model.rivals.people(_RIVAL)
            people += [_person(shard, index, pool_speaker(embeddings, video, calibration, turned)) for turned in of]
            found[speaker] = _Label(len(index), len(set(video)), people, [-1, *of], named(model), model.rivals)
            for m in MODALITIES:
                coherence[m].append(model.centre[m].coherence)
    names = sorted(found)
    if not names:
        raise AvsieveError("the plan has no training utterance; nothing can be pooled")
    labels = [found[s] for s in names]
    typical = {m: float(np.nanmean(x)) if np.isfinite(x).any() else float("nan") for m, x in coherence.items()}
    claims = _stacked(names, labels, [0] * len(labels), calibration, metric, typical).claims()
    chosen = [label.speaker(claims, k) for k, label in enumerate(labels)]
    return _stacked(names, labels, chosen, calibration, metric, typical)


@dataclass
class _Person:
    """One of the people of a label; per modality (D,) vectors and a weight, as in `Centres`."""

    centre: dict[str, np.ndarray]
    sample: dict[str, np.ndarray]
    plain: dict[str, np.ndarray]
    support: dict[str, float]


@dataclass
class _Label:
    """A label and the people who may be its speaker: that of its mode, and its rivals by videos ``turned``."""

    utterances: int
    videos: int
    people: list[_Person]
    turned: list[int]
    named: Named | None
    rivals: Rivals

    def speaker(self, claims: Claims, own: int) -> int:
        """Return which of the people the label is."""
        if len(self.people) == 1:
            return 0
        ratio, centre = claims.of_label(self.named, own)
        odds = [centre, *(self.rivals.of_person(video, ratio) for video in self.turned[1:])]
        return int(np.argmax(odds))


def _person(shard: Shard, index: np.ndarray, model: SpeakerModel) -> _Person:
    video = shard.video[index]
    return _Person(
        {m: model.centre[m].vector for m in MODALITIES},
        {m: model.sample(m) for m in MODALITIES},
        {m: centre_of(shard.embeddings[m][index], video, model.weight[m]) for m in MODALITIES},
        {m: float(model.weight[m].sum()) for m in MODALITIES},
    )


def _stacked(
    names: list[str],
    labels: list[_Label],
    chosen: list[int],
    calibration: dict[str, PairCalibration],
    metric: dict[str, Metric | None],
    coherence: dict[str, float],
) -> Centres:
    people = [label.people[k] for label, k in zip(labels, chosen, strict=True)]
    centre, sample, plain = (
        {m: np.stack(_aligned([getattr(p, kind)[m] for p in people])) for m in MODALITIES}
        for kind in ("centre", "sample", "plain")
    )
    return Centres(
        names,
        np.array([label.utterances for label in labels]),
        np.array([label.videos for label in labels]),
        centre,
        sample,
        plain,
        {m: np.array([p.support[m] for p in people]) for m in MODALITIES},
        calibration,
        metric,
        coherence,
        np.array([label.turned[k] for label, k in zip(labels, chosen, strict=True)]),
    )


def _learn(sample: list[Shard]) -> tuple[dict[str, Metric | None], dict[str, PairCalibration]]:
    """Learn the metric of each modality and what similarities mean in it: a part of a large corpus says enough."""
    metric = learn_metric(sample)
    return metric, learn_calibration(mapped(shard, metric) for shard in sample)


def learn_metric(sample: list[Shard]) -> dict[str, Metric | None]:
    """Learn the metric of each modality."""
    calibration = learn_calibration(sample)
    scatter: dict[str, Scatter] = {}
    for shard in sample:
        for _, index in shard.speakers():
            model = pool_speaker({m: shard.embeddings[m][index] for m in MODALITIES}, shard.video[index], calibration)
            video = np.unique(shard.video[index], return_inverse=True)[1].reshape(-1)
            for m in MODALITIES:
                E = shard.embeddings[m][index]
                if E.shape[1]:
                    scatter.setdefault(m, Scatter(E.shape[1])).add(E, video, model.weight[m])
    return {m: learn(scatter[m]) if m in scatter else None for m in MODALITIES}


def _enough(shards: Iterator[Shard]) -> Iterator[Shard]:
    """Yield shards until there are utterances enough to learn a metric from; shards are drawn at random by speaker."""
    seen = 0
    for shard in shards:
        yield shard
        seen += len(shard.utterance)
        if seen >= _ENOUGH:
            return


def mapped(shard: Shard, metric: dict[str, Metric | None]) -> Shard:
    """Return the shard with its embeddings in the metric.

    Every speaker is mapped alone: products of other sizes are rounded otherwise, and how a corpus is cut into shards
    should not show in its lists.
    """
    embeddings = dict(shard.embeddings)
    for m in MODALITIES:
        if (f := metric[m]) is not None and shard.present[m].any():
            inner = np.zeros((len(shard.utterance), f.axes.shape[1]), np.float32)
            for _, rows in shard.speakers():
                inner[rows] = f(shard.embeddings[m][rows])
            embeddings[m] = inner
    return replace(shard, embeddings=embeddings)


def pool_files(paths: Sequence[tuple[Path, Path | None, Path | None]]) -> Centres:
    """`pool` the shards of these files: the plan, voice and face embeddings of each; one is read ahead."""
    with one_core_for_blas():
        return pool(lambda: prefetched((read_shard(*files) for files in paths), ahead=1))


def _aligned(vectors: list[np.ndarray]) -> list[np.ndarray]:
    """Give speakers of a shard without the modality (width 0) the width of the others."""
    width = max(len(v) for v in vectors)
    if wrong := {len(v) for v in vectors} - {0, width}:
        raise AvsieveError(
            f"embeddings of {sorted(wrong)} and of {width} dimensions in one modality; embed all shards alike"
        )
    return [v if len(v) else np.zeros(width, np.float32) for v in vectors]


def learn_calibration(sample: Iterable[Shard]) -> dict[str, PairCalibration]:
    """Learn, per modality, the similarities of an utterance to other videos."""
    same = {m: np.zeros(len(BINS) - 1) for m in MODALITIES}
    probes: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {m: {} for m in MODALITIES}
    many: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]] = {m: {} for m in MODALITIES}
    for shard in sample:
        for speaker, index in shard.speakers():
            code = np.unique(shard.video[index], return_inverse=True)[1].reshape(-1)
            onehot = np.zeros((int(code.max()) + 1, len(code)), np.float32)
            onehot[code, np.arange(len(code))] = 1
            for m in MODALITIES:
                E = shard.embeddings[m][index]
                here = shard.present[m][index]
                if not here.any():
                    continue
                means = unit_rows(onehot @ E)
                cross = E @ means.T
                valid = here[:, None] & (means != 0).any(axis=1)[None] & (onehot.T == 0)
                # Every speaker counts by the number of utterances, not of pairs.
                if valid.any():
                    weight = here.sum() / valid.sum()
                    same[m] += weight * histogram(cross[valid])
                middle = int(np.flatnonzero(here)[here.sum() // 2])
                # Copies: a view of one row would keep the embeddings of the whole speaker, and so of the corpus.
                probes[m][speaker] = (E[middle].copy(), means[code[middle]].copy())
                if len(probes[m]) <= _FEW:
                    videos = means[(means != 0).any(axis=1)]
                    many[m][speaker] = (_evenly(E[here], _PROBES), _evenly(videos, _PROBES))
                else:
                    many[m].clear()
    return {m: calibrate(same[m], _impostor_histogram(probes[m], many[m])) for m in MODALITIES}


def _evenly(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).astype(int))]


def _impostor_histogram(
    probes: dict[str, tuple[np.ndarray, np.ndarray]], many: dict[str, tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    if len(many) > 1:
        pairs = [histogram((a[0] @ b[1].T).ravel()) for s, a in many.items() for t, b in many.items() if s != t]
        return np.sum(pairs, axis=0)
    names = sorted(probes)
    step = max(1, len(names) // _IMPOSTORS)
    names = names[::step][:_IMPOSTORS]
    if len(names) < 2:
        return np.zeros(len(BINS) - 1)
    utterances, means = (np.stack([probes[s][i] for s in names]) for i in range(2))
    cosine = utterances @ means.T
    return histogram(cosine[~np.eye(len(names), dtype=bool)])


def nearest_centres(centres: Centres, modality: str, block: int = 1024) -> tuple[np.ndarray, np.ndarray]:
    """Return, per speaker, the most similar other centre (K,) int64 (-1 where none) and its cosine (K,) float32."""
    C, has = centres.plain[modality], centres.has(modality)
    index, value = np.full(len(C), -1), np.full(len(C), np.nan, np.float32)
    if has.sum() < 2:
        return index, value
    for start in range(0, len(C), block):
        cosine = C[start : start + block] @ C.T
        cosine[:, ~has] = -np.inf
        rows = np.arange(len(cosine))
        cosine[rows, start + rows] = -np.inf
        index[start : start + block] = cosine.argmax(axis=1)
        value[start : start + block] = cosine.max(axis=1)
    index[~has], value[~has] = -1, np.nan
    return index, value

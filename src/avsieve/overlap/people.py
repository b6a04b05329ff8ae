"""The people of one corpus: a robust centre for each, two centres from halves of the videos, and typical utterances.

Who a label is, and which of its utterances are that person, is what pooling finds (`avsieve.cleansing.pooling`). The
centre is the mean of the videos' means over the utterances that are believed, so that a person of many clips in one
video has no more than that video's say. Halves that share no video are two pictures of one person that are known to be
one: what similarities of the same person are like is learned from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.centres import learn_calibration, learn_metric, mapped
from avsieve.cleansing.inputs import MODALITIES, Shard, unit_rows
from avsieve.cleansing.pooling import pool_speaker
from avsieve.cleansing.two_covariance import Scatter
from avsieve.errors import AvsieveError
from avsieve.runtime.progress import progress

Shards = Callable[[], Iterator[Shard]]
EXAMPLES = 2  # utterances named for each person
LEARNED_FROM = 4000  # speakers; the space and the calibration are learned from no more of a corpus
_TRUSTED = 0.5
_ENOUGH = 100_000  # utterances from which it is learned what a person's videos have in common


@dataclass
class People:
    """The K people of a corpus, sorted by name.

    Attributes
    ----------
    speaker
        K names.
    centre
        Per modality (K, D) float32, means of unit vectors; a zero row where there is none.
    videos, utterances
        Per modality (K,) int64: how many videos and utterances are behind the centre.
    half
        Per modality (2, H, D) float32: the centres of two halves of the videos of some people.
    half_videos
        Per modality (2, H) int64.
    half_of
        Per modality (H,) int64: whose halves, positions in ``speaker``.
    scatter
        Per modality the sums that the space is learned from; None where nobody has the modality.
    examples
        Up to `EXAMPLES` utterances of each, the nearest to the centre first, each of another video where there are
        two.
    """

    speaker: list[str]
    centre: dict[str, np.ndarray]
    videos: dict[str, np.ndarray]
    utterances: dict[str, np.ndarray]
    half: dict[str, np.ndarray]
    half_videos: dict[str, np.ndarray]
    half_of: dict[str, np.ndarray]
    scatter: dict[str, Scatter | None]
    examples: list[list[str]]

    def __len__(self) -> int:
        return len(self.speaker)

    def has(self, modality: str) -> np.ndarray:
        """Tell who has a centre in a modality, (K,) bool."""
        return np.asarray(self.videos[modality] > 0)


@dataclass
class _Modality:
    """One modality of one person."""

    centre: np.ndarray
    videos: int
    utterances: int
    halves: tuple[np.ndarray, np.ndarray, int, int] | None


def gather(shards: Shards, name: str) -> People:
    """Find the people of a corpus, a shard at a time.

    Parameters
    ----------
    shards
        Called for each reading, of which there are two: the first ends when enough is known of the similarities.
    name
        What messages call the corpus.

    Raises
    ------
    AvsieveError
        If the corpus has no utterance, lengths of embeddings differ, or a speaker lies in two shards.
    """
    sample, seen = [], 0
    for shard in shards():
        sample.append(shard)
        seen += len(shard.utterance)
        if seen >= _ENOUGH:
            break
    if not seen:
        raise AvsieveError(f"{name}: no utterance; expected a corpus with embeddings")
    metric = learn_metric(sample)
    calibration = learn_calibration(mapped(shard, metric) for shard in sample)
    del sample
    found: dict[str, tuple[dict[str, _Modality], list[str]]] = {}
    scatter: dict[str, Scatter] = {}
    for shard in progress(shards(), f"pool the speakers of {name}", None):
        inner = mapped(shard, metric)
        for speaker, index in shard.speakers():
            if speaker in found:
                raise AvsieveError(
                    f"{name}: speaker {speaker} lies in two shards; a speaker's utterances must share one shard"
                )
            video = np.unique(shard.video[index], return_inverse=True)[1].reshape(-1)
            embeddings = {m: shard.embeddings[m][index] for m in MODALITIES}
            if len(index) == 1:
                weight = {m: shard.present[m][index].astype(np.float32) for m in MODALITIES}
            else:
                weight = pool_speaker({m: inner.embeddings[m][index] for m in MODALITIES}, video, calibration).weight
            learning = len(found) < LEARNED_FROM
            person = {m: _modality(embeddings[m], video, weight[m], halves=learning) for m in MODALITIES}
            for m in MODALITIES:
                if learning and embeddings[m].shape[1]:
                    scatter.setdefault(m, Scatter(embeddings[m].shape[1])).add(embeddings[m], video, weight[m])
            typical = _typical(embeddings, video, weight, person)
            found[speaker] = (person, [shard.utterance[index[k]] for k in typical])
    return _stacked(found, scatter, name)


def _modality(E: np.ndarray, video: np.ndarray, weight: np.ndarray, *, halves: bool) -> _Modality:
    present = E.any(axis=1)
    rows = np.flatnonzero(present & (weight > _TRUSTED))
    if not len(rows):  # nobody is believed: all are as good
        rows = np.flatnonzero(present)
    if not len(rows):
        return _Modality(np.zeros(E.shape[1], np.float32), 0, 0, None)
    code, count = np.unique(video[rows], return_inverse=True, return_counts=True)[1:]
    onehot = np.zeros((len(count), len(rows)), np.float32)
    onehot[code, np.arange(len(rows))] = 1
    means = (onehot @ E[rows]) / count[:, None].astype(np.float32)
    both = None
    if halves and len(means) > 1:
        both = (means[::2].mean(axis=0), means[1::2].mean(axis=0), len(means[::2]), len(means[1::2]))
    return _Modality(means.mean(axis=0), len(means), len(rows), both)


def _typical(
    embeddings: dict[str, np.ndarray], video: np.ndarray, weight: dict[str, np.ndarray], person: dict[str, _Modality]
) -> list[int]:
    """Return the rows nearest to the centres, of different videos as far as there are."""
    score, modalities = np.zeros(len(video)), np.zeros(len(video))
    for m in MODALITIES:
        E, there = embeddings[m], embeddings[m].any(axis=1)
        if person[m].videos:
            near = E @ unit_rows(person[m].centre[None])[0]
            score += np.where(there, near - (weight[m] <= _TRUSTED), 0.0)
            modalities += there
    # An utterance that lacks a modality says less of the person.
    order = np.lexsort((np.arange(len(video)), -score / np.maximum(modalities, 1), -modalities))
    first: list[int] = []
    for k in order.tolist():
        if modalities[k] and video[k] not in video[first]:
            first.append(k)
        if len(first) == EXAMPLES:
            return first
    return (first + [k for k in order.tolist() if modalities[k] and k not in first])[:EXAMPLES]


def _stacked(
    found: dict[str, tuple[dict[str, _Modality], list[str]]], scatter: dict[str, Scatter], name: str
) -> People:
    names = sorted(found)
    people = People(names, {}, {}, {}, {}, {}, {}, {}, [found[s][1] for s in names])
    for m in MODALITIES:
        parts = [found[s][0][m] for s in names]
        lengths = {len(p.centre) for p in parts} - {0}
        if len(lengths) > 1:
            raise AvsieveError(f"{name}: {m} embeddings of {sorted(lengths)} dimensions; embed all shards alike")
        dim = max(lengths, default=0)
        people.centre[m] = np.zeros((len(names), dim), np.float32)
        for k, part in enumerate(parts):
            if part.videos:
                people.centre[m][k] = part.centre
            part.centre = np.zeros(0, np.float32)  # hundreds of thousands of people are not kept twice
        people.videos[m] = np.array([p.videos for p in parts], np.int64)
        people.utterances[m] = np.array([p.utterances for p in parts], np.int64)
        rows = [k for k, p in enumerate(parts) if p.halves]
        both = [h for p in parts if (h := p.halves)]
        halves, numbers = [[h[s] for h in both] for s in (0, 1)], [[h[s] for h in both] for s in (2, 3)]
        people.half[m] = np.array(halves, np.float32).reshape(2, len(both), dim)
        people.half_videos[m] = np.array(numbers, np.int64).reshape(2, len(both))
        people.half_of[m] = np.array(rows, np.int64)
        people.scatter[m] = scatter.get(m) if people.has(m).any() else None
    return people

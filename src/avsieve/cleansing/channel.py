"""Give embeddings the channel of another video: what a wrong utterance within a right recording would look like.

Someone else's single utterance, as it stands in another video, is found too easily: it differs from the rest of the
video in microphone, room and light as well. A real error of this kind (the interviewer's question, a track that jumps
to another face) lies in the same recording. Residuals of a speaker's embeddings are taken as r = u + n, with a channel
``u`` that a video's utterances share (variance c) and what is each one's own (variance s). The mean residual of k other
utterances of the video, of which the part along the label's centre without the video is left out, has the variance
c + s / k + b, with b for the error of that centre. So c / (c + s / k + b) times that mean is the best linear prediction
of ``u``: an embedding to which it is added agrees with the video, on average, as much as one recorded with it would,
and its similarity to the label stays what it was. The donor's own channel is predicted likewise and taken off.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from avsieve.cleansing.inputs import unit_rows
from avsieve.embedding_files.table import EmbeddingTable

_BLOCK = 20_000
_LEARN = 5_000  # videos from which the channel's share is learned


def embeddings_of(table: EmbeddingTable, names: list[str], rows: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield rows of the list and their unit embeddings (k, D) float32, a block at a time."""
    for start in range(0, len(rows), _BLOCK):
        part = rows[start : start + _BLOCK]
        at = [table.row[names[i]] for i in part.tolist()]
        yield part, unit_rows(np.asarray(table.embedding[at], np.float32))


@dataclass
class Listed:
    """One modality of a list: names of the embeddings (n,), speakers and videos as numbers (n,), trusted rows (n,)."""

    table: EmbeddingTable
    names: list[str]
    speaker: np.ndarray
    video: np.ndarray
    trusted: np.ndarray

    def sums(self, group: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the sum (G, D) float32 and the number (G,) of the trusted embeddings of each group 0 to G - 1.

        Rows of group -1 are left out.
        """
        count = int(group.max()) + 1
        total = np.zeros((count, self.table.embedding.shape[1]), np.float32)
        rows = np.flatnonzero(self.trusted & (group >= 0))
        for part, E in embeddings_of(self.table, self.names, rows):
            np.add.at(total, group[part], E)
        return total, np.bincount(group[rows], minlength=count).astype(float)


def with_channels(
    listed: Listed, pairs: list[tuple[int, int]], name: str, own: Sequence[float] | None = None
) -> tuple[EmbeddingTable, list[str]]:
    """Return the table with one row more per pair, and the names of these rows.

    Parameters
    ----------
    pairs
        Rows of the list: whose video lends the channel, and whose embedding gets it.
    name
        The new rows' names begin with it.
    own
        What the first row of each pair keeps of its own embedding, 0 to 1: the rest is the second's. Nothing, if it is
        not given.
    """
    total, size = listed.sums(listed.speaker)
    ends = np.array(pairs, dtype=np.int64).reshape(-1)
    some = np.unique(listed.video)
    some = some[:: max(1, len(some) // _LEARN)]
    wanted = np.unique(np.concatenate([listed.video[ends], some]))
    position = np.full(int(listed.video.max()) + 1, -1)
    position[wanted] = np.arange(len(wanted))
    sums, count = listed.sums(position[listed.video])
    videos, first = np.unique(listed.video, return_index=True)
    owner = listed.speaker[first[np.searchsorted(videos, wanted)]]
    rest_sum, rest_count = total[owner] - sums, size[owner] - count
    direction = unit_rows(rest_sum)
    variance = variances(sums, count, rest_sum, rest_count)

    def embedding(i: int) -> np.ndarray:
        return next(embeddings_of(listed.table, listed.names, np.array([i])))[1][0]

    def channel(i: int) -> np.ndarray:
        k = position[listed.video[i]]
        there = bool(listed.trusted[i])
        others = count[k] - there
        if others < 1 or rest_count[k] < 1:
            return np.zeros(sums.shape[1], np.float32)
        rest = sums[k] - embedding(i) if there else sums[k]
        mean = (rest - (rest @ direction[k]) * direction[k]) / others
        return np.asarray(variance.prediction(others) * mean)

    made = []
    for (to, donor), share in zip(pairs, own or [0.0] * len(pairs), strict=True):
        other = embedding(donor) - channel(donor) + channel(to)
        made.append(share * embedding(to) + (1 - share) * unit_rows(other[None])[0] if share else other)
    names = [f"{name}{k}" for k in range(len(pairs))]
    new = unit_rows(np.array(made)).astype(listed.table.embedding.dtype)
    table = replace(
        listed.table,
        utterance=[*listed.table.utterance, *names],
        embedding=np.concatenate([listed.table.embedding, new]),
    )
    return table, names


@dataclass
class Variances:
    """Of residuals: ``common`` to a video, ``single`` of each utterance, ``error`` of the centre without the video."""

    common: float
    single: float
    error: float

    def prediction(self, count: float) -> float:
        """Return by what the mean residual of ``count`` utterances of a video is to be multiplied."""
        total = self.common + self.single / count + self.error
        return self.common / total if total > 0 else 0.0


def variances(sums: np.ndarray, count: np.ndarray, rest_sum: np.ndarray, rest_count: np.ndarray) -> Variances:
    """Learn how much of what varies within people a video's utterances have in common.

    Two utterances of a video are as similar as two of different videos of the speaker, and by the channel's variance
    more so.

    Parameters
    ----------
    sums, count
        Per video, the sum (V, D) and number (V,) of its unit embeddings.
    rest_sum, rest_count
        The same of the other videos of its speaker.
    """
    pairs, across_pairs = float((count * (count - 1)).sum()), float((count * rest_count).sum())
    if not pairs or not across_pairs:
        return Variances(0.0, 1.0, 0.0)
    within = float(((sums**2).sum(axis=1) - count).sum()) / pairs
    across = float((sums * rest_sum).sum()) / across_pairs
    common, single = max(within - across, 0.0), max(1 - within, 0.0)
    known = (count > 0) & (rest_count > 0)
    mean = sums[known] / count[known, None]
    along = np.einsum("ij,ij->i", mean, unit_rows(rest_sum[known]))
    orthogonal = float(((mean**2).sum(axis=1) - along**2).mean())
    return Variances(common, single, max(orthogonal - common - single * float((1 / count[known]).mean()), 0.0))

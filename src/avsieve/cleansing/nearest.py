"""The nearest other speakers of every utterance: a search among all centres.

Utterances x centres is most of the work of cleansing a large corpus. It is multiplied in full, in blocks that stay in
the cache: the metric (`avsieve.cleansing.metric`) spreads people over all of the few directions that it keeps, so that
bounds by leading directions leave nearly all products to be taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from avsieve.cleansing.scores import NEAREST
from avsieve.runtime.cores import granted_cores, one_core_for_blas

_BLOCK = 64  # rows
_OUT = np.float32(-16)  # not in the competition: far below every sum of cosines
_IN = -8  # what lies above is in it
_TAKEN = np.float32(-128)


class Nearest(NamedTuple):
    """The nearest other speakers of n utterances, most similar first."""

    value: np.ndarray
    """(n, 3) float32 cosines; NaN where there is no other."""
    speaker: np.ndarray
    """(n, 3) int32 rows of the centres; -1 where there is no other."""


class Competition:
    """The centres of all speakers, ready to be compared with the utterances of one shard after another.

    Parameters
    ----------
    centres
        Per modality (K, D) float32: rows of length 1, or zero where a speaker has none. D may be 0.
    """

    def __init__(self, centres: Mapping[str, np.ndarray]) -> None:
        self._centres = {m: np.ascontiguousarray(c.T, np.float32) for m, c in centres.items()}
        self._lacks = {m: np.flatnonzero(~(c != 0).any(axis=1)) for m, c in centres.items()}

    def find(
        self,
        embeddings: Mapping[str, np.ndarray],
        present: Mapping[str, np.ndarray],
        own: np.ndarray,
        threads: int | None = None,
    ) -> tuple[dict[str, Nearest], Nearest]:
        """Return the nearest other speakers per modality, and by the mean of the modalities that an utterance has.

        A centre takes part where the speaker has one in the modality; by the mean, in all modalities that the utterance
        has. The utterance's own label does not take part. Of equal values the first centre comes first.

        Parameters
        ----------
        embeddings
            Per modality (n, D) float32, rows of length 1 where ``present``.
        present
            Per modality (n,) bool.
        own
            (n,) rows of the centres: the label of each utterance.
        threads
            How many blocks are compared at once; on all cores granted unless told.
        """
        n = len(own)
        found = {m: _nothing(n) for m in self._centres}
        joint = _nothing(n)

        def fill(block: tuple[np.ndarray, list[str]]) -> None:
            rows, modalities = block
            products = {m: self._products(m, embeddings[m][rows], own[rows]) for m in modalities}
            if len(modalities) > 1:
                total = np.add.reduce(list(products.values()))
                joint.value[rows], joint.speaker[rows] = _largest(total)
                joint.value[rows] /= np.float32(len(modalities))
            for m, product in products.items():
                found[m].value[rows], found[m].speaker[rows] = _largest(product)
            if len(modalities) == 1:
                (m,) = modalities
                joint.value[rows], joint.speaker[rows] = found[m].value[rows], found[m].speaker[rows]

        # Each core has blocks of its own: products as thin as these gain little from several.
        with one_core_for_blas(), ThreadPoolExecutor(threads or granted_cores()) as pool:
            list(pool.map(fill, _blocks(present, list(self._centres))))
        return found, joint

    def _products(self, m: str, x: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Return the products (n, K) with all centres, `_OUT` where one is not in the competition."""
        product = np.asarray(x, np.float32) @ self._centres[m]
        product[:, self._lacks[m]] = _OUT
        product[np.arange(len(own)), own] = _OUT
        return product


def _blocks(present: Mapping[str, np.ndarray], modalities: list[str]) -> list[tuple[np.ndarray, list[str]]]:
    """Part the rows into blocks that have the same modalities; those that have none are left out."""
    pattern = np.zeros(len(next(iter(present.values()))), np.int64)
    for i, m in enumerate(modalities):
        pattern += np.asarray(present[m], np.int64) << i
    blocks = []
    for p in np.unique(pattern[pattern > 0]):
        rows = np.flatnonzero(pattern == p)
        has = [m for i, m in enumerate(modalities) if p >> i & 1]
        blocks += [(rows[start : start + _BLOCK], has) for start in range(0, len(rows), _BLOCK)]
    return blocks


def _nothing(n: int) -> Nearest:
    return Nearest(np.full((n, NEAREST), np.nan, np.float32), np.full((n, NEAREST), -1, np.int32))


def _largest(values: np.ndarray) -> Nearest:
    """Return the `NEAREST` largest values of each row and where they stand; overwrites ``values``."""
    rows = np.arange(len(values))
    nearest = _nothing(len(values))
    for k in range(min(NEAREST, values.shape[1])):
        best = values.argmax(axis=1)
        value = values[rows, best]
        there = value > _IN
        nearest.value[there, k] = value[there]
        nearest.speaker[there, k] = best[there]
        values[rows, best] = _TAKEN
    return nearest

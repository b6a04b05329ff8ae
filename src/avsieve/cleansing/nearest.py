"""The nearest other speakers of every utterance: an exact search among all centres that multiplies little in full.

Utterances x centres is most of the work of cleansing a large corpus, and all but three of a row's products are thrown
away. By Cauchy and Schwarz the leading r coordinates bound a product from above,

    x . c  <=  x[:r] . c[:r] + |x[r:]| |c[r:]|,

so that centres whose bound lies below the third best product found so far need not be multiplied. It pays where few
directions hold most of the centres, as those of networks do: r is taken from a sample of the rows, along the
coordinates as they come or along the principal axes of the centres. Where it would not pay (centres spread alike in all
directions) the product is taken in full. Either way the result is that of the full product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from avsieve.cleansing.scores import NEAREST
from avsieve.runtime.cores import granted_cores, one_core_for_blas

_BLOCK = 192  # rows that share the centres to be multiplied in full
_GROUP = 4  # blocks whose bounds are taken at once
_STRIP = 512  # centres at a time
_RUN, _LOOKS = 8, 6  # of each so many rows, the centres that are multiplied first, to know what others must reach
_MEAN = ""  # stands for the mean of the modalities
_OUT = np.float32(-16)  # not in the competition: far below every sum of cosines
_IN = -8  # what lies above is in it
_TAKEN = np.float32(-128)
_PASSES = 20  # going over the bounds takes the time of so many more coordinates
_WORTH = 0.9  # bounds must cost less than this share of the full product
_FULL = 2.5  # products with centres here and there take so much longer, with all that belongs to them
_SAMPLE = 2  # blocks from which r is taken
_WIDTHS = (16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512)


class Nearest(NamedTuple):
    """The nearest other speakers of n utterances, most similar first."""

    value: np.ndarray
    """(n, 3) float32 cosines; NaN where there is no other."""
    speaker: np.ndarray
    """(n, 3) int32 rows of the centres; -1 where there is no other."""


@dataclass
class _Bound:
    """Upper bounds in one modality: ``left(x) @ right.T`` is at least each product, and equal at ``width`` D."""

    width: int
    axes: np.ndarray | None
    """(D, width) principal axes; None: the coordinates as they come."""
    right: np.ndarray
    """(K, width + 2) leading coordinates, length of the rest, and `_OUT` for centres that are not there."""
    exact: bool

    def left(self, x: np.ndarray) -> np.ndarray:
        """Return the rows that go with ``right``, (n, width + 2)."""
        made = np.empty((len(x), self.width + 2), np.float32)
        made[:, : self.width] = x[:, : self.width] if self.axes is None else x @ self.axes
        made[:, self.width] = 0.0 if self.exact else _rest(x, made[:, : self.width], self.axes is None)
        made[:, self.width + 1] = 1.0
        return made


class Competition:
    """The centres of all speakers, ready to be compared with the utterances of one shard after another.

    Parameters
    ----------
    centres
        Per modality (K, D) float32: rows of length 1, or zero where a speaker has none. D may be 0.
    """

    def __init__(self, centres: Mapping[str, np.ndarray]) -> None:
        self._centres = {m: np.ascontiguousarray(c, np.float32) for m, c in centres.items()}
        self._has = {m: (c != 0).any(axis=1) for m, c in self._centres.items()}
        self._axes: dict[str, np.ndarray] = {}

    def find(
        self,
        embeddings: Mapping[str, np.ndarray],
        present: Mapping[str, np.ndarray],
        own: np.ndarray,
        threads: int | None = None,
    ) -> tuple[dict[str, Nearest], Nearest]:
        """Return the nearest other speakers per modality, and by the mean of the modalities that an utterance has.

        A centre takes part where the speaker has one in the modality; by the mean, in all modalities that the utterance
        has. The utterance's own label does not take part. Of values equal to the bit the first centre comes first.

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
        blocks = [block for block in _blocks(present, own, list(self._centres)) if block[1]]
        if not blocks:
            return found, joint
        beside = [list(group) for _, group in groupby(blocks, key=itemgetter(1))]
        groups = [g[i : i + _GROUP] for g in beside for i in range(0, len(g), _GROUP)]
        # Each core has blocks of its own: products as thin as these gain little from several.
        with one_core_for_blas(), ThreadPoolExecutor(threads or granted_cores()) as pool:
            mine = [m for m in self._centres if self._has[m].any()]
            made = pool.map(lambda m: self._bound(m, embeddings[m], own, blocks), mine)
            bounds = dict(zip(mine, made, strict=True))
            list(pool.map(lambda group: self._fill(group, embeddings, own, bounds, found, joint), groups))
        return found, joint

    def _fill(
        self,
        group: list[tuple[np.ndarray, list[str]]],
        embeddings: Mapping[str, np.ndarray],
        own: np.ndarray,
        bounds: dict[str, _Bound],
        found: dict[str, Nearest],
        joint: Nearest,
    ) -> None:
        """Find the nearest of some blocks with the same modalities, and put them where they belong."""
        modalities = group[0][1]
        there = [m for m in modalities if m in bounds]
        if not there:
            return
        blocks = [rows for rows, _ in group]
        rows = np.concatenate(blocks)
        starts = np.cumsum([0, *(len(block) for block in blocks)])
        x = {m: np.asarray(embeddings[m][rows], np.float32) for m in there}
        nearest = self._compete(x, own[rows], starts, {m: bounds[m] for m in there})
        for block, (each, mean) in zip(blocks, nearest, strict=True):
            for m, one in each.items():
                found[m].value[block], found[m].speaker[block] = one
            if len(there) == len(modalities):
                joint.value[block], joint.speaker[block] = mean

    def _compete(
        self, x: dict[str, np.ndarray], own: np.ndarray, starts: np.ndarray, bounds: dict[str, _Bound]
    ) -> Iterator[tuple[dict[str, Nearest], Nearest]]:
        """Find the nearest of blocks, which begin and end at ``starts``; all rows have the same modalities."""
        left = {m: bound.left(x[m]) for m, bound in bounds.items()}
        blocks = [slice(*ends) for ends in pairwise(starts)]
        if all(bound.exact for bound in bounds.values()):
            for block in blocks:
                yield self._in_full({m: rows[block] for m, rows in left.items()}, own[block], bounds)
            return
        kinds = [*bounds, _MEAN] if len(bounds) > 1 else [*bounds]
        parts = [({m: rows[block] for m, rows in x.items()}, own[block]) for block in blocks]
        slack = {k: sum(_rounding(x[m].shape[1]) for m in (x if k == _MEAN else [k])) for k in kinds}
        # 1. What is known: products with a few centres, those of the highest bounds of each run of rows.
        floor = {k: np.empty((len(own), 1), np.float32) for k in kinds}
        for block, part, seen in zip(blocks, parts, self._looked_at(left, own, starts, bounds), strict=True):
            for k, (_, product) in self._products(*part, dict.fromkeys(kinds, seen)).items():
                floor[k][block, 0] = _third(product) - slack[k]  # both sides err by rounding
        # 2. Who may do better, a strip of centres at a time: what is gone over several times stays in the cache.
        count = len(self._has[next(iter(bounds))])
        reach = {k: np.empty((len(blocks), count), bool) for k in kinds}
        for start in range(0, count, _STRIP):
            strip = slice(start, start + _STRIP)
            total: np.ndarray | None = None
            for m, bound in bounds.items():
                upper = left[m] @ bound.right[strip].T
                reach[m][:, strip] = _any(upper >= floor[m], blocks)
                total = upper if total is None else np.add(total, upper, out=total)
            if total is not None and _MEAN in kinds:
                reach[_MEAN][:, strip] = _any(total >= floor[_MEAN], blocks)
        # 3. Those in full.
        for i, part in enumerate(parts):
            products = self._products(*part, {k: np.flatnonzero(reach[k][i]) for k in kinds})
            each = {k: _largest(product, which) for k, (which, product) in products.items()}
            yield each, _mean(each.pop(_MEAN), len(bounds)) if _MEAN in kinds else next(iter(each.values()))

    def _in_full(
        self, left: dict[str, np.ndarray], own: np.ndarray, bounds: dict[str, _Bound]
    ) -> tuple[dict[str, Nearest], Nearest]:
        """Find the nearest of one block among the products with all centres."""
        rows, each = np.arange(len(own)), {}
        total: np.ndarray | None = None
        for m, bound in bounds.items():
            product = left[m] @ bound.right.T
            product[rows, own] = _OUT
            if len(bounds) > 1:
                total = product.copy() if total is None else np.add(total, product, out=total)
            each[m] = _largest(product)
        return each, next(iter(each.values())) if total is None else _mean(_largest(total), len(bounds))

    def _looked_at(
        self, left: dict[str, np.ndarray], own: np.ndarray, starts: np.ndarray, bounds: dict[str, _Bound]
    ) -> list[np.ndarray]:
        """Return, for each block, some centres, ascending, that are likely near: those of the means of runs of rows."""
        runs = np.concatenate([np.arange(a, b, _RUN) for a, b in pairwise(starts)])
        upper = []
        for m, bound in bounds.items():
            upper.append(np.add.reduceat(left[m], runs, axis=0) @ bound.right.T)
            upper[-1][np.arange(len(runs)), own[runs]] = _TAKEN * _RUN
        if len(upper) > 1:
            upper.append(np.sum(upper, axis=0))
        looks = np.concatenate([_highest(u) for u in upper])
        return [np.unique(looks[:, a:b]) for a, b in pairwise(np.searchsorted(runs, starts))]

    def _products(
        self, x: dict[str, np.ndarray], own: np.ndarray, columns: dict[str, np.ndarray]
    ) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Multiply in full with some centres, or more, per kind: which, ascending, and the products.

        A product is `_OUT` or less where the centre is not in the competition; `_MEAN` has the sum of the modalities.
        """
        made: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        total: np.ndarray | None = None
        mean = columns.get(_MEAN)
        for m in x:
            which = columns[m] if mean is None or mean is columns[m] else np.union1d(columns[m], mean)
            product = x[m] @ self._centres[m][which].T
            if not (has := self._has[m][which]).all():
                product[:, ~has] = _OUT
            _leave_out(product, own, which, _OUT)
            if mean is not None:
                part = product.copy() if len(mean) == len(which) else product.take(np.searchsorted(which, mean), axis=1)
                total = part if total is None else np.add(total, part, out=total)
            made[m] = which, product
        return made if mean is None or total is None else {**made, _MEAN: (mean, total)}

    def _bound(
        self, m: str, embeddings: np.ndarray, own: np.ndarray, blocks: Sequence[tuple[np.ndarray, list[str]]]
    ) -> _Bound:
        """Choose how many coordinates to bound by: the number that leaves least to multiply on a sample of the rows."""
        centres = self._centres[m]
        count, width = centres.shape
        full = self._right(m, width, None)
        mine = [rows for rows, modalities in blocks if m in modalities]
        if len(mine) < 2 * _SAMPLE or width <= _WIDTHS[0] or count < 2 * _BLOCK:
            return full
        sample = [mine[i] for i in np.linspace(0, len(mine) - 1, _SAMPLE + 2).astype(int)[1:-1]]
        x = np.asarray(embeddings[np.concatenate(sample)], np.float32)
        blocks_of = [slice(*ends) for ends in pairwise(np.cumsum([0, *(len(s) for s in sample)]))]
        product = x @ centres.T + full.right[:, width + 1]
        product[np.arange(len(x)), own[np.concatenate(sample)]] = _OUT
        floor = _third(product)[:, None]
        best, width_of, axes = _WORTH * width, width, None
        for turned in (False, True):
            if turned and best < width / 3:
                break  # the coordinates come sorted: principal axes would save little more
            turn = self._principal(m) if turned else None
            cx, cc = (x, centres) if turn is None else (x @ turn, centres @ turn)
            partial, done = np.zeros_like(product), 0
            for r in (w for w in _WIDTHS if w < width):
                if (spent := r + _PASSES + (width * r / count if turned else 0)) >= best:
                    break
                rest = [np.sqrt(np.einsum("ij,ij->i", a[:, r:], a[:, r:])) for a in (cx, cc)]
                if np.median(rest[0]) * np.median(rest[1]) > np.median(floor):
                    continue  # the rest alone would let half of them pass
                partial += cx[:, done:r] @ cc[:, done:r].T
                done = r
                reach = np.outer(*rest)
                reach += partial
                left = _any(reach >= floor, blocks_of).mean()
                if (cost := spent + _FULL * width * float(left)) < best:
                    best, width_of, axes = cost, r, turn
        if width_of == width:
            return full
        return self._right(m, width_of, None if axes is None else np.ascontiguousarray(axes[:, :width_of]))

    def _right(self, m: str, width: int, axes: np.ndarray | None) -> _Bound:
        centres = self._centres[m]
        right = np.empty((len(centres), width + 2), np.float32)
        leading = centres[:, :width] if axes is None else centres @ axes
        right[:, :width] = leading
        exact = width == centres.shape[1]
        right[:, width] = 0.0 if exact else _rest(centres, leading, axes is None)
        right[:, width + 1] = np.where(self._has[m], 0, _OUT)
        return _Bound(width, axes, right, exact)

    def _principal(self, m: str) -> np.ndarray:
        """Return the principal axes of the centres, about the origin, as columns (D, D), the leading first."""
        if m not in self._axes:
            centres = self._centres[m]
            self._axes[m] = np.linalg.eigh(centres.T @ centres)[1][:, ::-1].astype(np.float32)
        return self._axes[m]


def _blocks(
    present: Mapping[str, np.ndarray], own: np.ndarray, modalities: list[str]
) -> list[tuple[np.ndarray, list[str]]]:
    """Part the rows into blocks of the same modalities, and of one speaker or few: they share their neighbours."""
    pattern = np.zeros(len(own), np.int64)
    for i, m in enumerate(modalities):
        pattern += np.asarray(present[m], np.int64) << i
    order = np.lexsort((own, pattern))
    ends = np.flatnonzero(np.diff(own[order], prepend=-1))  # where one speaker's rows end and the next one's begin
    blocks = []
    for p in np.unique(pattern):
        start, stop = np.searchsorted(pattern[order], [p, p + 1])
        while start < stop:
            end = min(start + _BLOCK, stop)
            # Speakers are not cut in two where whole ones fill at least half a block.
            whole = int(ends[np.searchsorted(ends, end, side="right") - 1])
            if end < stop and whole > start + _BLOCK // 2:
                end = whole
            blocks.append((order[start:end], [m for i, m in enumerate(modalities) if p >> i & 1]))
            start = end
    return blocks


def _nothing(n: int) -> Nearest:
    return Nearest(np.full((n, NEAREST), np.nan, np.float32), np.full((n, NEAREST), -1, np.int32))


def _any(reach: np.ndarray, blocks: list[slice]) -> np.ndarray:
    """Return, per block of rows, which columns any of them reaches; `logical_or.reduceat` takes twenty times longer."""
    return np.stack([reach[block].any(axis=0) for block in blocks])


def _leave_out(values: np.ndarray, own: np.ndarray, which: np.ndarray, value: np.float32) -> None:
    """Put ``value`` where the column is the row's own; ``which`` centres the columns are, ascending."""
    place = np.searchsorted(which, own).clip(max=len(which) - 1)
    mine = np.flatnonzero(which[place] == own)
    values[mine, place[mine]] = value


def _rounding(width: int) -> np.float32:
    """Return by how much a product, its bound and a turn of the axes may err: each sums ``width`` products."""
    return np.float32(4 * (width + 8) * np.finfo(np.float32).eps)


def _rest(x: np.ndarray, leading: np.ndarray, as_is: bool) -> np.ndarray:
    """Return the lengths (n,) of what the leading coordinates leave of rows, not less than they are."""
    if as_is:
        return np.sqrt(np.einsum("ij,ij->i", x[:, leading.shape[1] :], x[:, leading.shape[1] :]))
    left = np.einsum("ij,ij->i", x, x) - np.einsum("ij,ij->i", leading, leading)
    return np.sqrt(np.maximum(left, 0) + _rounding(x.shape[1]))


def _highest(upper: np.ndarray) -> np.ndarray:
    """Return the columns of the `_LOOKS` largest values of all rows, (up to `_LOOKS`, n); overwrites."""
    rows = np.arange(len(upper))
    took = []
    for _ in range(min(_LOOKS, upper.shape[1])):
        took.append(upper.argmax(axis=1))
        upper[rows, took[-1]] = _TAKEN * _RUN
    return np.stack(took)


def _third(values: np.ndarray) -> np.ndarray:
    """Return the `NEAREST`-th largest value of each row, less than `_IN` where there are fewer; overwrites."""
    if values.shape[1] < NEAREST:
        return np.full(len(values), _TAKEN, np.float32)
    rows = np.arange(len(values))
    for _ in range(NEAREST - 1):
        values[rows, values.argmax(axis=1)] = _TAKEN
    return values.max(axis=1)


def _largest(values: np.ndarray, columns: np.ndarray | None = None) -> Nearest:
    """Return the `NEAREST` largest values of each row and where they stand; overwrites ``values``.

    Parameters
    ----------
    columns
        Which centres the columns are, ascending; all of them unless told.
    """
    rows = np.arange(len(values))
    nearest = _nothing(len(values))
    for k in range(min(NEAREST, values.shape[1])):
        best = values.argmax(axis=1)
        value = values[rows, best]
        there = value > _IN
        nearest.value[there, k] = value[there]
        nearest.speaker[there, k] = (best if columns is None else columns[best])[there]
        values[rows, best] = _TAKEN
    return nearest


def _mean(total: Nearest, count: int) -> Nearest:
    return Nearest(total.value / np.float32(count), total.speaker)

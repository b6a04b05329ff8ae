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

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from threadpoolctl import ThreadpoolController

NEAREST = 3  # other speakers found for each utterance

_BLOCK = 192  # rows at a time: the matrix of a block stays in the processor's cache
_LOOKS = 2  # centres by bound whose product is taken first, to know what the others must reach
_OUT = np.float32(-16)  # not in the competition: far below every sum of cosines
_IN = -8  # what lies above is in it
_TAKEN = np.float32(-128)
_PASSES = 24  # going over the bounds takes the time of so many more coordinates
_WORTH = 0.9  # bounds must cost less than this share of the full product
_SAMPLE = 4  # blocks from which r is taken
_WIDTHS = (16, 32, 48, 64, 96, 128, 160, 192, 256, 320, 384, 512, 768)


class Nearest(NamedTuple):
    """The nearest other speakers of n utterances, most similar first."""

    value: np.ndarray
    """(n, 3) float32 cosines; NaN where there is no other."""
    index: np.ndarray
    """(n, 3) int32 rows of the centres; -1 where there is no other."""


@dataclass
class _Bound:
    """Upper bounds in one modality: ``left(x) @ right`` is at least each product; ``width`` D is the product itself."""

    width: int
    axes: np.ndarray | None
    """(D, width) principal axes; None: the coordinates as they come."""
    right: np.ndarray
    """(width + 2, K) leading coordinates, length of the rest, and `_OUT` for centres that are not there."""
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
            How many blocks are compared at once; as many as the environment grants to BLAS unless told.
        """
        n = len(own)
        found = {m: _nothing(n) for m in self._centres}
        joint = _nothing(n)
        blocks = [
            (rows, modalities) for rows, modalities in _blocks(present, own, list(self._centres)) if len(modalities)
        ]
        if not blocks:
            return found, joint
        controller = ThreadpoolController().select(user_api="blas")
        count = threads or max([1, *(library["num_threads"] for library in controller.info())])
        # Blocks beside each other, each on one core: products as thin as these do not gain from more.
        with controller.limit(limits=1), ThreadPoolExecutor(count) as pool:
            mine = [m for m in self._centres if self._has[m].any()]
            made = pool.map(lambda m: self._bound(m, embeddings[m], own, blocks), mine)
            bounds = dict(zip(mine, made, strict=True))
            list(pool.map(lambda block: self._fill(block, embeddings, own, bounds, found, joint), blocks))
        return found, joint

    def _fill(
        self,
        block: tuple[np.ndarray, list[str]],
        embeddings: Mapping[str, np.ndarray],
        own: np.ndarray,
        bounds: dict[str, _Bound],
        found: dict[str, Nearest],
        joint: Nearest,
    ) -> None:
        """Find the nearest of one block and put them where they belong."""
        rows, modalities = block
        there = [m for m in modalities if m in bounds]
        if not there:
            return
        x = {m: np.asarray(embeddings[m][rows], np.float32) for m in there}
        each, mean = self._compete(x, own[rows], {m: bounds[m] for m in there})
        for m, nearest in each.items():
            found[m].value[rows], found[m].index[rows] = nearest
        if len(there) == len(modalities):
            joint.value[rows], joint.index[rows] = mean

    def _compete(
        self, x: dict[str, np.ndarray], own: np.ndarray, bounds: dict[str, _Bound]
    ) -> tuple[dict[str, Nearest], Nearest]:
        """Find the nearest of one block, whose rows all have the same modalities."""
        rows = np.arange(len(own))
        upper = {}
        for m, bound in bounds.items():
            upper[m] = bound.left(x[m]) @ bound.right
            upper[m][rows, own] = _OUT
        both = len(upper) > 1
        if all(bound.exact for bound in bounds.values()):
            mean = np.sum(list(upper.values()), axis=0) if both else None
            each = {m: _largest(u) for m, u in upper.items()}
            return each, _mean(_largest(mean), len(upper)) if mean is not None else next(iter(each.values()))
        kinds = dict(upper)
        if both:
            kinds[""] = sum(upper.values())  # the mean's, times the number of modalities
        # 1. What is known: products with a few centres, those of the highest bounds of all rows of the block.
        seen = np.unique(np.concatenate([_highest(u) for u in kinds.values()]))
        floor = {k: _third(v) for k, v in self._products(x, own, dict.fromkeys(kinds, seen)).items()}
        # 2. Who may do better; both sides err by rounding.
        columns = {}
        for k, u in kinds.items():
            slack = sum(_rounding(x[m].shape[1]) for m in (x if k == "" else [k]))
            columns[k] = np.flatnonzero((u >= (floor[k] - slack)[:, None]).any(axis=0))
        # 3. Those in full.
        nearest = {k: _largest(v, columns[k]) for k, v in self._products(x, own, columns).items()}
        mean = _mean(nearest.pop(""), len(upper)) if both else next(iter(nearest.values()))
        return nearest, mean

    def _products(
        self, x: dict[str, np.ndarray], own: np.ndarray, columns: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return products with some centres per kind (``""``: the sum of the modalities), `_OUT` where not in it."""
        made, total = {}, None
        mean = columns.get("", np.zeros(0, np.intp))
        for m in x:
            union = np.union1d(columns[m], mean)
            product = x[m] @ self._centres[m][union].T
            product[:, ~self._has[m][union]] = _OUT
            product[own[:, None] == union[None]] = _OUT
            if "" in columns:
                part = product[:, np.searchsorted(union, mean)]
                total = part if total is None else total + part
            made[m] = product[:, np.searchsorted(union, columns[m])]
        return made if total is None else {**made, "": total}

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
        who = own[np.concatenate(sample)]
        starts = np.cumsum([0, *(len(s) for s in sample[:-1])])
        product = x @ full.right[:width]
        product[:, ~self._has[m]] = _OUT
        product[np.arange(len(x)), who] = _OUT
        floor = _third(product.copy())[:, None]
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
                partial += cx[:, done:r] @ cc[:, done:r].T
                done = r
                reach = partial + np.outer(*(np.linalg.norm(a[:, r:], axis=1) for a in (cx, cc)))
                reach[product == _OUT] = _OUT
                left = np.logical_or.reduceat(reach >= floor, starts, axis=0).mean()
                if (cost := spent + width * float(left)) < best:
                    best, width_of, axes = cost, r, turn
        if width_of == width:
            return full
        return self._right(m, width_of, None if axes is None else np.ascontiguousarray(axes[:, :width_of]))

    def _right(self, m: str, width: int, axes: np.ndarray | None) -> _Bound:
        centres = self._centres[m]
        right = np.empty((width + 2, len(centres)), np.float32)
        leading = centres[:, :width] if axes is None else centres @ axes
        right[:width] = leading.T
        exact = width == centres.shape[1]
        right[width] = 0.0 if exact else _rest(centres, leading, axes is None)
        right[width + 1] = np.where(self._has[m], 0, _OUT)
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
    """Return the columns of the `_LOOKS` largest values of all rows; ``upper`` is as before afterwards."""
    rows = np.arange(len(upper))
    took = []
    for _ in range(min(_LOOKS, upper.shape[1])):
        best = upper.argmax(axis=1)
        took.append((best, upper[rows, best]))
        upper[rows, best] = _TAKEN
    for best, value in reversed(took):
        upper[rows, best] = value
    return np.unique(np.concatenate([best for best, _ in took]))


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
        nearest.index[there, k] = (best if columns is None else columns[best])[there]
        values[rows, best] = _TAKEN
    return nearest


def _mean(total: Nearest, count: int) -> Nearest:
    return Nearest(total.value / np.float32(count), total.index)

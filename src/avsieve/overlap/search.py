"""Which people of one corpus are in another: pairs with the probability that both are one person."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.errors import AvsieveError
from avsieve.overlap.calibration import Calibration, Tail, duplicates_from, fit
from avsieve.overlap.people import LEARNED_FROM, People
from avsieve.overlap.posterior import Number, Prior, counted, number_of, prior_of
from avsieve.overlap.space import Pairs, Side, blocks, pairs_of

KEPT = 0.0  # calibrated log ratio above which a pair is remembered
_MOST = 300_000  # pairs that are remembered
_ROWS = 1024


@dataclass(frozen=True)
class Learned:
    """How one modality compares: its ``pairs`` and the ``calibration`` of its ratios."""

    pairs: Pairs
    calibration: Calibration


@dataclass
class Overlap:
    """Pairs (n,) of people, the likeliest first.

    Attributes
    ----------
    a, b
        (n,) int64, positions among the people of either corpus.
    probability
        (n,) that both are one person.
    ratio
        (n,) calibrated log likelihood ratio.
    similarity
        Per modality that both corpora have, (n,) cosine of the centres, NaN where one of the pair has none.
    shared
        How many people of the first corpus are in the second.
    share
        Expected share of all pairs that are one person.
    learned
        Per modality, how it compares.
    together
        The calibration of the sum of both modalities; None where there is one.
    compared
        How many pairs were compared: all that have a modality in common.
    of_a
        (Ka,) the probability that a person of the first corpus is anywhere in the second.
    """

    a: np.ndarray
    b: np.ndarray
    probability: np.ndarray
    ratio: np.ndarray
    similarity: dict[str, np.ndarray]
    shared: Number
    share: float
    learned: dict[str, Learned]
    together: Calibration | None
    compared: int
    of_a: np.ndarray


def overlap(a: People, b: People, modalities: list[str] | None = None) -> Overlap:
    """Find the people that two corpora share.

    Parameters
    ----------
    a, b
        The people of both corpora, of embeddings by the same models.
    modalities
        What to compare; all that both corpora have unless given.

    Raises
    ------
    AvsieveError
        If no modality is in both, or their embeddings have different lengths.
    """
    chosen = [m for m in modalities or MODALITIES if a.has(m).any() and b.has(m).any()]
    if not chosen:
        told = (", ".join(m for m in MODALITIES if people.has(m).any()) or "nothing" for people in (a, b))
        raise AvsieveError(
            f"the first corpus has {next(told)}, the second {next(told)}: nothing to compare; give embeddings of the "
            "same modality, by the same model, of both"
        )
    for m in chosen:
        lengths = [people.centre[m].shape[1] for people in (a, b)]
        if lengths[0] != lengths[1]:
            raise AvsieveError(
                f"{m} embeddings have {lengths[0]} numbers in the first corpus and {lengths[1]} in the second: they "
                "are of different models; embed both with the same one"
            )
    learned, same, different = {}, {}, {}
    labels = len(_evenly(len(a))) + len(_evenly(len(b)))
    compare = {m: pairs_of(a, b, m) for m in chosen}
    for m, pairs in compare.items():
        same[m], different[m] = _known(pairs, a, b, m)
    double = _forget_duplicates(same, different)
    for m, pairs in compare.items():
        parts = [d[np.isfinite(d)] for d in different[m]]
        learned[m] = Learned(pairs, fit(same[m][np.isfinite(same[m])], Tail.of(parts), labels))
    together = None
    if len(chosen) > 1:
        total = np.sum([learned[m].calibration(same[m]) for m in chosen], axis=0)
        sums = [
            np.sum([learned[m].calibration(different[m][k]) for m in chosen], axis=0)
            for k in range(len(different[chosen[0]]))
        ]
        together = fit(total[np.isfinite(total)], Tail.of([s[np.isfinite(s)] for s in sums]), labels)
        together = replace(together, duplicates=together.duplicates + double)
    del different
    return _pairs(a, b, learned, together)


def _forget_duplicates(same: dict[str, np.ndarray], different: dict[str, list[np.ndarray]]) -> int:
    """Make pairs NaN that both modalities together tell to be one person; return how many there are.

    Either modality alone tells fewer of them.
    """
    if len(same) < 2:
        return 0
    total = np.sum(list(same.values()), axis=0)
    sums = [np.sum(parts, axis=0) for parts in zip(*different.values(), strict=True)]
    least = duplicates_from(total[np.isfinite(total)], Tail.of([s[np.isfinite(s)] for s in sums]))
    count = 0
    for k, ratio in enumerate(sums):
        rows = np.flatnonzero(ratio >= least)
        count += len(rows)
        for parts in different.values():
            parts[k][rows] = np.nan
    return count


def _known(pairs: Pairs, a: People, b: People, modality: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the ratios of halves of each person, and of different people of each corpus, NaN where one has none.

    Both are aligned over the modalities: halves by person, different people by pair.
    """
    same, different = [], []
    for corpus, people in enumerate((a, b)):
        of_each = np.full(len(people), np.nan)
        half, videos = people.half[modality], people.half_videos[modality]
        if len(people.half_of[modality]):
            sides = [pairs.side(corpus, half[k], videos[k]) for k in (0, 1)]
            of_each[people.half_of[modality]] = pairs.paired(*sides)
        same.append(of_each)
        some = _evenly(len(people))
        side = pairs.side(corpus, people.centre[modality][some], people.videos[modality][some])
        lacking = ~people.has(modality)[some]
        rows = []
        for block in blocks(len(some)):
            ratio = pairs.against(Side(side.z[block], side.videos[block]), side)
            ratio[lacking[block]] = np.nan
            ratio[:, lacking] = np.nan
            # Each pair once.
            rows += [ratio[k - block.start, k + 1 :] for k in range(block.start, block.stop)]
        different.append(np.concatenate(rows) if rows else np.zeros(0, np.float32))
    return np.concatenate(same), different


def _evenly(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, LEARNED_FROM)).astype(int))


def _pairs(a: People, b: People, learned: dict[str, Learned], together: Calibration | None) -> Overlap:
    theirs = {m: x.pairs.side(1, b.centre[m], b.videos[m]) for m, x in learned.items()}
    count = counted(np.zeros(0))
    rows, columns, ratios = [], [], []
    least, held = KEPT, 0
    for block in blocks(len(a), _ROWS):
        ratio = np.zeros((block.stop - block.start, len(b)), np.float32)
        seen = np.zeros(ratio.shape, np.int8)
        for m, x in learned.items():
            mine = x.pairs.side(0, a.centre[m][block], a.videos[m][block])
            here = a.has(m)[block][:, None] & b.has(m)[None]
            ratio += np.where(here, x.calibration(x.pairs.against(mine, theirs[m])), 0).astype(np.float32)
            seen += here
        if together is not None:
            ratio = np.where(seen > 1, together(ratio), ratio).astype(np.float32)
        count += counted(ratio[seen > 0])
        r, c = np.nonzero((ratio > least) & (seen > 0))
        rows.append(r + block.start)
        columns.append(c)
        ratios.append(ratio[r, c])
        held += len(r)
        if held > _MOST:
            least, (rows, columns, ratios) = _highest(rows, columns, ratios)
            held = len(rows[0])
    row, column = np.concatenate(rows), np.concatenate(columns)
    ratio = np.concatenate(ratios).astype(np.float64)
    prior = prior_of(count, min(len(a), len(b)) * 2)
    probability = prior.probability(ratio)
    order = np.lexsort((column, row, -probability))
    row, column, ratio, probability = row[order], column[order], ratio[order], probability[order]
    similarity = {m: _cosines(a, b, m, row, column) for m in learned}
    of_a = 1 - np.exp(_sums(np.log1p(-np.minimum(probability, 1 - 1e-15)), row, len(a)))
    shared = _number(row, ratio, probability, prior, count)
    return Overlap(
        row, column, probability, ratio, similarity, shared, prior.mean, learned, together, int(count.sum()), of_a
    )


def _highest(
    rows: list[np.ndarray], columns: list[np.ndarray], ratios: list[np.ndarray]
) -> tuple[float, tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]]:
    """Keep the higher half of what is remembered."""
    row, column, ratio = np.concatenate(rows), np.concatenate(columns), np.concatenate(ratios)
    keep = np.sort(np.argsort(-ratio, kind="stable")[: _MOST // 2])
    return float(ratio[keep].min()), ([row[keep]], [column[keep]], [ratio[keep]])


def _number(row: np.ndarray, ratio: np.ndarray, probability: np.ndarray, prior: Prior, count: np.ndarray) -> Number:
    """Return the number of shared people: pairs that are worth a thought one by one, the others together."""
    some = probability > 1e-4
    rest = count - counted(ratio[some].astype(np.float32))
    return number_of(row[some], ratio[some], prior, rest=np.maximum(rest, 0))


def _cosines(a: People, b: People, modality: str, row: np.ndarray, column: np.ndarray) -> np.ndarray:
    found = np.full(len(row), np.nan)
    both = np.flatnonzero(a.has(modality)[row] & b.has(modality)[column])
    for block in blocks(len(both)):
        some = both[block]
        first, second = unit_rows(a.centre[modality][row[some]]), unit_rows(b.centre[modality][column[some]])
        found[some] = np.einsum("ij,ij->i", first, second)
    return found


def _sums(value: np.ndarray, row: np.ndarray, count: int) -> np.ndarray:
    return np.bincount(row, weights=value, minlength=count)

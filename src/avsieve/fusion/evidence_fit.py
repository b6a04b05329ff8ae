"""How `evidence` is fitted: covariances to people, and the numbers to pairs of people whom these were not fitted to.

Embeddings of people whom a covariance was fitted to are too tight for it. So the speakers are split into folds: the
pairs of each fold are seen in the space of the others' covariances, all of them together tell the numbers, and at the
end the space is that of all speakers (cross-fitting).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avsieve.cleansing.two_covariance import Scatter, Space, space_of
from avsieve.evaluation.scoring import Part
from avsieve.fusion.calibrated_network import logistic_loss
from avsieve.fusion.evidence_pairs import ENOUGH, Rows, draw_strangers, spoil
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.measures import all_measures
from avsieve.fusion.modality_evidence import SCALE, ModalityEvidence, Sides
from avsieve.fusion.pairs import Pairs, TooFewError, draw_pairs, labels_of
from avsieve.fusion.twins import Twins

EVEN = (0.0, 0.5, 1.0)  # how far spaces are drawn towards that of the cosine; the pairs choose
_PAIRS = 20_000  # of either sort
_SCALES = np.linspace(0.0, -4.0, 17)  # to start from


@dataclass(frozen=True)
class _Fold:
    """Some of the speakers, and the spaces of the others.

    Attributes
    ----------
    inputs, measures
        Their utterances and those utterances' twins, and the quality measures of either modality.
    pairs, strangers
        Pairs of rows to fit the numbers to, and to choose a space by.
    spoilt, clear
        The rows of each modality of both sides, of ``pairs`` and of ``strangers``; -1 where it is missing.
    spaces
        Modality -> `EVEN` -> the space of the other speakers.
    """

    inputs: Inputs
    measures: dict[str, np.ndarray]
    pairs: Pairs
    strangers: Pairs
    spoilt: Rows
    clear: Rows
    spaces: dict[str, dict[float, Space]]


def fit_evidence(
    models: dict[str, ModalityEvidence],
    inputs: Inputs,
    speakers: Sequence[str],
    *,
    folds: int,
    ridge: float,
    seed: int,
    twins: Twins | None = None,
) -> list[float]:
    """Fit the covariances and the numbers of both modalities in place.

    Parameters
    ----------
    models
        By their modality.
    inputs, speakers
        The training utterances and the speaker of each.
    folds
        How many parts the speakers are split into.
    ridge
        Weight of the squared distance to the first numbers, divided by the number of speakers.
    seed
        Of all that is drawn.
    twins
        Damaged twins of the utterances, if there are any.

    Returns
    -------
    The loss of the pairs before and after.

    Raises
    ------
    TooFewError
        If there are too few people, or utterances of them.
    """
    rng = np.random.default_rng(seed)
    names, label = labels_of(speakers)
    fold_of = rng.permutation(len(names)) % folds
    final = {m: _spaces(inputs, label, np.ones(len(names), bool), m) for m in models}
    parts = [_fold(models, inputs, speakers, label, fold_of, k, twins, rng) for k in range(folds)]
    few, sides = ridge / max(len(names), 1), {}
    known = [all_measures(inputs)] + ([] if twins is None else [all_measures(twins.inputs)])
    for m, model in models.items():
        with torch.no_grad():
            model.standard.fit(np.concatenate([measured[m] for measured in known]))
        even = _choose(model, m, parts, final[m], few)
        sides[m] = _all_sides(model, m, parts, even, "spoilt")
        with torch.no_grad():
            model.place(final[m][even])
    target = torch.from_numpy(np.concatenate([part.pairs.is_target for part in parts]))
    return list(_fit(models, sides, target, few))


def _fold(
    models: dict[str, ModalityEvidence],
    inputs: Inputs,
    speakers: Sequence[str],
    label: np.ndarray,
    fold_of: np.ndarray,
    fold: int,
    twins: Twins | None,
    rng: np.random.Generator,
) -> _Fold:
    """Draw the pairs of a fold, and make the spaces of the others."""
    spaces = {m: _spaces(inputs, label, fold_of != fold, m) for m in models}
    rows = np.flatnonzero(fold_of[label] == fold)
    held, own = inputs.of(rows), label[rows]
    pairs = draw_pairs(held, [speakers[i] for i in rows.tolist()], rng, -(-_PAIRS // (int(fold_of.max()) + 1)))
    strangers = draw_strangers(pairs, own, rng)
    # Of a large list only some are in pairs.
    used = np.unique(np.stack([pairs.enrol, pairs.test]))
    to = np.zeros(len(rows), np.int64)
    to[used] = np.arange(len(used))
    pairs, strangers = (Pairs(to[x.enrol], to[x.test], x.is_target) for x in (pairs, strangers))
    held, own, rows = held.of(used), own[used], rows[used]
    clear = spoil(strangers, held, own, rng)
    if twins is not None:
        theirs = twins.among(rows)
        pairs = theirs.exchange(pairs, len(held), rng)
        held, own = theirs.behind(held), np.concatenate([own, own[theirs.of]])
    return _Fold(held, all_measures(held), pairs, strangers, spoil(pairs, held, own, rng), clear, spaces)


def _spaces(inputs: Inputs, label: np.ndarray, wanted: np.ndarray, modality: str) -> dict[float, Space]:
    """Return the space of a modality at each of `EVEN`; ``wanted`` (K,) are the speakers."""
    stream = inputs.streams[modality]
    scatter = Scatter(stream.dim)
    rows = np.flatnonzero(wanted[label] & stream.present) if len(label) else np.zeros(0, np.int64)
    order = rows[np.argsort(label[rows], kind="stable")]
    borders = np.flatnonzero(np.diff(label[order])) + 1
    for mine in np.split(order, borders):
        _, video = np.unique([inputs.utterances[i].rsplit("/", 1)[0] for i in mine.tolist()], return_inverse=True)
        scatter.add(Part.of(stream.pooled[mine]).vectors, video, np.ones(len(mine)))
    found = {even: space_of(scatter, even) for even in EVEN}
    there = {even: space for even, space in found.items() if space is not None}
    if not there:
        raise TooFewError(
            f"evidence: {len(scatter.centres)} speakers with {modality} embeddings and {scatter.freedom:.0f} more "
            "videos than speakers among them are left for the covariances; expected at least 6 speakers and 10"
        )
    return there


def _choose(
    model: ModalityEvidence, modality: str, parts: Sequence[_Fold], final: dict[float, Space], ridge: float
) -> float:
    """Return at which of `EVEN` the modality does best by itself, and start its scale there."""
    first = model.numbers.detach().clone()
    shared = [even for even in final if all(even in part.spaces[modality] for part in parts)]
    there = [np.logical_and(*(rows >= 0 for rows in part.clear[modality])) for part in parts]
    target = torch.from_numpy(np.concatenate([p.strangers.is_target[t] for p, t in zip(parts, there, strict=True)]))
    if not shared:
        raise TooFewError(
            f"evidence: no space of {modality} can be made both of all speakers and of each fold's; expected "
            "embeddings that differ between people in every fold"
        )
    if _few(target):
        return shared[0]
    tried: list[tuple[float, float, float]] = []
    for even in shared:
        sides = _all_sides(model, modality, parts, even, "clear")
        start = _scaled(model, sides[1], target)
        alone = (torch.arange(len(target)), sides[1])
        tried.append((_fit({"": model}, {"": alone}, target, ridge)[1], even, start))
        with torch.no_grad():
            model.numbers.copy_(first)
    _, even, start = min(tried)
    with torch.no_grad():
        model.numbers[SCALE] = start
    return even


@torch.no_grad()
def _all_sides(
    model: ModalityEvidence, modality: str, parts: Sequence[_Fold], even: float, what: str
) -> tuple[Tensor, list[Sides]]:
    """Return which pairs of all folds have the modality on both sides, and these sides, each fold's in its space."""
    index, sides, before = [], [], 0
    for part in parts:
        model.place(part.spaces[modality][even])
        enrol, test = getattr(part, what)[modality]
        there = (enrol >= 0) & (test >= 0)
        vectors, q = model.encode(part.inputs.streams[modality], part.measures[modality])
        index.append(before + np.flatnonzero(there))
        sides.append(model.sides(vectors, q, enrol[there], test[there]))
        before += len(enrol)
    return torch.from_numpy(np.concatenate(index)), sides


def _few(is_target: Tensor) -> bool:
    targets = int(is_target.sum())
    return min(targets, len(is_target) - targets) < ENOUGH


@torch.no_grad()
def _scaled(model: ModalityEvidence, sides: Sequence[Sides], is_target: Tensor) -> float:
    """Start at the best of `_SCALES`: coordinates that depend on each other say the same several times."""
    losses = []
    for scale in _SCALES:
        model.numbers[SCALE] = scale
        losses.append(float(logistic_loss(_evidence(model, sides), is_target)))
    model.numbers[SCALE] = best = float(_SCALES[int(np.argmin(losses))])
    return best


def _evidence(model: ModalityEvidence, sides: Sequence[Sides]) -> Tensor:
    return torch.cat([model.evidence(own) for own in sides])


def _fit(
    models: dict[str, ModalityEvidence],
    sides: dict[str, tuple[Tensor, list[Sides]]],
    is_target: Tensor,
    ridge: float,
) -> tuple[float, float]:
    """Fit the numbers of the modalities in place to pairs (P,); return the loss before and after.

    Pairs that have nothing in common have a ratio of 0, whatever the numbers are.
    """
    numbers = [model.numbers for model in models.values()]
    first = [x.detach().clone() for x in numbers]

    def loss() -> Tensor:
        total = torch.zeros(len(is_target), dtype=torch.float64)
        for m, model in models.items():
            index, of = sides[m]
            total = total.index_add(0, index, _evidence(model, of))
        return logistic_loss(total, is_target)

    optimiser = torch.optim.LBFGS(numbers, max_iter=100, tolerance_change=1e-6, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        found = loss()
        for x, start in zip(numbers, first, strict=True):
            found = found + ridge * ((x - start) ** 2).sum()
        found.backward()
        return found

    with torch.no_grad():
        before = float(loss())
    optimiser.step(closure)
    with torch.no_grad():
        return before, float(loss())

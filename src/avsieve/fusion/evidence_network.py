"""The evidence of voice and face: the sum over the modalities that both sides of a trial have.

`avsieve.fusion.modality_evidence` has that of one. The covariances are fitted to some of the list's speakers, the rest
to pairs of the others: embeddings of people whom a covariance was fitted to are too tight for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from avsieve.cleansing.two_covariance import Scatter, Space, space_of
from avsieve.evaluation.scoring import Part, settle
from avsieve.fusion.calibrated_network import logistic_loss
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.measures import COUNTS, all_measures
from avsieve.fusion.modality_evidence import SCALE, ModalityEvidence, Sides
from avsieve.fusion.pairs import Pairs, TooFewError, draw_pairs, labels_of
from avsieve.fusion.two_streams import ScoringStreams

EVEN = (0.0, 0.5, 1.0)  # how far spaces are drawn towards that of the cosine; the development speakers choose
LOST, SWAPPED = 0.2, 0.02  # shares of the sides of pairs that lose a modality, or get that of somebody else
_PAIRS = 20_000  # of either sort
_CHOOSING = 4  # of so many pairs one serves to choose a space
_ENOUGH = 20  # pairs of either sort, else the first numbers stay
_SCALES = np.linspace(0.0, -4.0, 17)  # to start from


class EvidenceNetwork(ScoringStreams):
    """The evidence of both modalities.

    Parameters
    ----------
    audio_dim, visual_dim
        Lengths of the embeddings.
    dim
        Not used: nothing is embedded.
    """

    name = "evidence"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.audio = ModalityEvidence(audio_dim, COUNTS["audio"])
        self.visual = ModalityEvidence(visual_dim, COUNTS["visual"])

    @property
    def modalities(self) -> dict[str, ModalityEvidence]:
        """Both, by name."""
        return {"audio": self.audio, "visual": self.visual}

    @torch.no_grad()
    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the directions of voice and face in their spaces, and the standardised measures of both.

        Raises
        ------
        ModelError
            If the embeddings are of other lengths than those of the training.
        """
        self.check(inputs)
        measures = all_measures(inputs)
        parts = [model.encode(inputs.streams[m], measures[m]) for m, model in self.modalities.items()]
        return [part for part, _ in parts] + [q for _, q in parts]

    @torch.no_grad()
    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the log-likelihood ratios (T,) float32, NaN where the sides have no modality in common."""
        total, found = np.zeros(len(enrol)), np.zeros(len(enrol), dtype=bool)
        for model, part, measures in zip(self.modalities.values(), encoded[:2], encoded[2:], strict=True):
            rows = np.flatnonzero(part.present[enrol] & part.present[test])
            total[rows] += model.cpu().evidence(model.sides(part, measures, enrol[rows], test[rows])).numpy()
            found[rows] = True
        return settle(np.where(found, total, np.nan))

    def fit(
        self, inputs: Inputs, speakers: Sequence[str], *, development: float, ridge: float, seed: int
    ) -> list[float]:
        """Fit the covariances to some of the speakers and the numbers to pairs of the others.

        Returns
        -------
        The loss of these pairs before and after.

        Raises
        ------
        TooFewError
            If either have too few people, or utterances of them.
        """
        rng = np.random.default_rng(seed)
        apart = _apart(speakers, development, rng)
        spaces = {m: self._spaces(inputs, speakers, ~apart, m) for m in self.modalities}
        rows = np.flatnonzero(apart)
        names, label = labels_of([speakers[i] for i in rows.tolist()])
        held = inputs.of(rows)
        pairs = draw_pairs(held, [names[k] for k in label], rng, _PAIRS)
        strangers = _strangers(pairs, label, rng)
        chosen_by, spoilt = _spoil(strangers, held, label, rng), _spoil(pairs, held, label, rng)
        measures, of_held = all_measures(inputs), all_measures(held)
        few, sides = ridge / len(names), {}
        for m, model in self.modalities.items():
            with torch.no_grad():
                model.standard.fit(measures[m])
            stream = held.streams[m]
            _choose(model, spaces[m], stream, of_held[m], chosen_by[m], strangers.is_target, few)
            sides[m] = _sides(model, stream, of_held[m], spoilt[m])
        before, after = _fit(self.modalities, sides, torch.from_numpy(pairs.is_target), few)
        self.eval()
        return [before, after]

    def _spaces(self, inputs: Inputs, speakers: Sequence[str], wanted: np.ndarray, modality: str) -> list[Space]:
        """Return the space of a modality at each of `EVEN`."""
        stream = inputs.streams[modality]
        scatter = Scatter(stream.dim)
        rows = np.flatnonzero(wanted & stream.present)
        names, label = labels_of([speakers[i] for i in rows.tolist()])
        order = np.argsort(label, kind="stable")
        borders = np.searchsorted(label[order], np.arange(1, len(names)))
        for mine in np.split(rows[order], borders):
            _, video = np.unique([inputs.utterances[i].rsplit("/", 1)[0] for i in mine.tolist()], return_inverse=True)
            scatter.add(Part.of(stream.pooled[mine]).vectors, video, np.ones(len(mine)))
        spaces = [space_of(scatter, even) for even in EVEN]
        found = [space for space in spaces if space is not None]
        if not found:
            raise TooFewError(
                f"evidence: {len(scatter.centres)} speakers with {modality} embeddings and {scatter.freedom:.0f} more "
                "videos than speakers among them are left for the covariances; expected at least 6 speakers and 10"
            )
        return found


def _choose(
    model: ModalityEvidence,
    spaces: Sequence[Space],
    stream: Stream,
    measures: np.ndarray,
    rows: tuple[np.ndarray, np.ndarray],
    is_target: np.ndarray,
    ridge: float,
) -> None:
    """Place the modality in the space in which it does best by itself, and start its scale there."""
    first = model.numbers.detach().clone()
    tried: list[tuple[float, int, Space, float]] = []
    for space in spaces:
        with torch.no_grad():
            model.place(space)
        index, sides = _sides(model, stream, measures, rows)
        target = torch.from_numpy(is_target)[index]
        if _few(target):
            model.place(spaces[0])
            return
        start = _scaled(model, sides, target)
        loss = _fit({"": model}, {"": (torch.arange(len(index)), sides)}, target, ridge)[1]
        with torch.no_grad():
            model.numbers.copy_(first)
        tried.append((loss, len(tried), space, start))
    _, _, space, start = min(tried, key=lambda one: one[:2])
    with torch.no_grad():
        model.place(space)
        model.numbers[SCALE] = start


@torch.no_grad()
def _sides(
    model: ModalityEvidence, stream: Stream, measures: np.ndarray, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[Tensor, Sides]:
    """Return the pairs of whose sides both have the modality, and these sides."""
    enrol, test = rows
    there = (enrol >= 0) & (test >= 0)
    # Of a large list only some are in pairs.
    used, place = np.unique(np.stack([enrol[there], test[there]]), return_inverse=True)
    first, second = place.reshape(2, -1)
    part, q = model.encode(Stream(stream.pooled[used], stream.present[used]), measures[used])
    return torch.from_numpy(np.flatnonzero(there)), model.sides(part, q, first, second)


def _strangers(pairs: Pairs, label: np.ndarray, rng: np.random.Generator) -> Pairs:
    """Return some of the pairs with nontargets at random: those alike by the cosine would speak against its space."""
    targets, others = np.flatnonzero(pairs.is_target), np.flatnonzero(~pairs.is_target)
    targets = rng.permutation(targets)[: len(targets) // _CHOOSING + _ENOUGH]
    enrol, test = pairs.enrol[others], rng.permutation(pairs.test[others])
    differ = np.flatnonzero(label[enrol] != label[test])[: len(targets)]
    return Pairs(
        np.concatenate([pairs.enrol[targets], enrol[differ]]),
        np.concatenate([pairs.test[targets], test[differ]]),
        np.repeat([True, False], [len(targets), len(differ)]),
    )


def _apart(speakers: Sequence[str], share: float, rng: np.random.Generator) -> np.ndarray:
    """Mark (U,) the utterances of a share of the speakers."""
    names, label = labels_of(speakers)
    chosen = np.zeros(len(names), dtype=bool)
    chosen[rng.permutation(len(names))[: max(2, round(share * len(names)))]] = True
    return chosen[label] if len(label) else np.zeros(0, dtype=bool)


def _few(is_target: Tensor) -> bool:
    targets = int(is_target.sum())
    return min(targets, len(is_target) - targets) < _ENOUGH


def _spoil(
    pairs: Pairs, inputs: Inputs, label: np.ndarray, rng: np.random.Generator
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the rows that each modality of both sides of the pairs is taken from, -1 where it is missing.

    Some sides lose one of two modalities, some get one from another person: a calibration has to have seen both.
    """
    out: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    lost = [rng.random(len(pairs.enrol)) for _ in range(2)]
    both = inputs.audio.present & inputs.visual.present
    for k, (m, stream) in enumerate(inputs.streams.items()):
        sides = []
        there = np.flatnonzero(stream.present)
        for side, u in zip((pairs.enrol, pairs.test), lost, strict=True):
            rows = np.where(stream.present[side], side, -1)
            swap = (rng.random(len(side)) < SWAPPED) & (rows >= 0)
            other = rng.choice(there, len(side)) if len(there) else side
            rows = np.where(swap & (label[other] != label[side]), other, rows)
            gone = both[side] & (u >= k * LOST / 2) & (u < (k + 1) * LOST / 2)
            sides.append(np.where(gone, -1, rows))
        out[m] = (sides[0], sides[1])
    return out


@torch.no_grad()
def _scaled(model: ModalityEvidence, sides: Sides, is_target: Tensor) -> float:
    """Start at the best of `_SCALES`: coordinates that depend on each other say the same several times."""
    losses = []
    for scale in _SCALES:
        model.numbers[SCALE] = scale
        losses.append(float(logistic_loss(model.evidence(sides), is_target)))
    model.numbers[SCALE] = best = float(_SCALES[int(np.argmin(losses))])
    return best


def _fit(
    models: dict[str, ModalityEvidence], sides: dict[str, tuple[Tensor, Sides]], is_target: Tensor, ridge: float
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
            total = total.index_add(0, index, model.evidence(of))
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

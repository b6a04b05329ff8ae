"""Log-likelihood ratios per modality, with a noise per utterance and a doubt whether it is the person at all.

A modality follows a two-covariance model (`avsieve.cleansing.two_covariance`). In coordinates z where the
utterances of average quality vary by the identity, people vary by diag(b), and an utterance of noise n by n times
the identity. With v = b + n of either side and w = v1 v2 - b^2, two utterances of one person rather than of two are

    L = sum over the coordinates of  1/2 log(v1 v2 / w) + [b z1 z2 - b^2 / 2 (z1^2 / v1 + z2^2 / v2)] / w

times as likely, on a logarithmic scale. Of z only the direction counts: its length is set to what b and n expect, which
is what the normalisation to unit length is for PLDA (Garcia-Romero and Espy-Wilson, Interspeech 2011). Coordinates
are taken in groups of nearly equal b, so that a trial costs no more than a cosine.

The noise comes from the quality measures q (`avsieve.fusion.measures`; standardised, 0 where not known):

    n = e^g [rho + (1 - rho) e^(-c q)],   c >= 0

rho is what no quality mends. The ratio is calibrated to a L + o k1 k2, where k, 1 for an average utterance, falls to 0
with the noise: a modality that is bad beyond measure says nothing, exactly like one that is missing. With the
probability pi that a side shows somebody else, which the length of the pooled embedding may tell, the evidence

    log[(1 - pi) e^L + pi],   1 - pi = (1 - pi1) (1 - pi2)

is never below log pi. A trial's score is the sum over the modalities that both sides have. Cf. uncertainty propagation
for PLDA in one modality (Wang and Lee, arXiv 2302.11763).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.cleansing.two_covariance import Scatter, Space, space_of
from avsieve.errors import ModelError
from avsieve.evaluation.scoring import Part, settle
from avsieve.fusion.calibrated_network import logistic_loss
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.measures import COUNTS, all_measures
from avsieve.fusion.pairs import Pairs, TooFewError, draw_pairs, labels_of

GROUPS = 16
EVEN = (0.0, 0.5, 1.0)  # how far spaces are drawn towards that of the cosine; the development speakers choose
LOST, SWAPPED = 0.2, 0.02  # shares of the sides of pairs that lose a modality, or get that of somebody else
_KEPT = 0.995  # of what tells people apart
_PAIRS = 20_000  # of either sort
_CHOOSING = 4  # of so many pairs one serves to choose a space
_FARTHEST = 6.0  # standard deviations; beyond that a measure says no more
_ENOUGH = 20  # pairs of either sort, else the first numbers stay
_BLOCK = 1024  # trials
# A modality's numbers, before one weight of each of its measures.
_NAMES = ("noise", "rest", "scale", "offset", "doubt", "doubt_length")
_FIRST = {"noise": 0.0, "rest": 0.0, "scale": 0.0, "offset": 0.0, "doubt": -4.0, "doubt_length": 0.0}
_FIRST_WEIGHT = 0.1
_SCALES = np.linspace(0.0, -4.0, 17)  # to start from


@dataclass(frozen=True)
class Sides:
    """Sums of products (T, G) over the groups of coordinates of T trials, and measures (T, Q) of both sides."""

    enrol: Tensor
    test: Tensor
    across: Tensor
    enrol_measures: Tensor
    test_measures: Tensor


class ModalityEvidence(nn.Module):
    """The evidence of one modality.

    Parameters
    ----------
    dim
        Length of its embeddings.
    measures
        Number of its quality measures.

    Attributes
    ----------
    mean, axes
        (D,) and (D, D) float32; coordinates are ``(x - mean) @ axes``, scaled by the root of b / (1 + b) so that the
        cosine is a fair similarity by itself. Columns that are not used are zero.
    b, sizes
        (G,) float64: variance between people in each group of coordinates, and how many coordinates it has.
    numbers
        (6 + Q,) float64, all that is learned from pairs.
    """

    mean: Tensor
    axes: Tensor
    b: Tensor
    sizes: Tensor
    measure_mean: Tensor
    measure_scale: Tensor

    def __init__(self, dim: int, measures: int) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("axes", torch.eye(dim))
        self.register_buffer("b", torch.ones(GROUPS, dtype=torch.float64))
        self.register_buffer("sizes", torch.tensor([dim, *[0] * (GROUPS - 1)], dtype=torch.float64))
        self.register_buffer("measure_mean", torch.zeros(measures, dtype=torch.float64))
        self.register_buffer("measure_scale", torch.ones(measures, dtype=torch.float64))
        first = [*(_FIRST[name] for name in _NAMES), *[_FIRST_WEIGHT] * measures]
        self.numbers = nn.Parameter(torch.tensor(first, dtype=torch.float64))

    def standardise(self, measures: np.ndarray) -> None:
        """Learn mean and scale of the measures (U, Q), NaN where not known."""
        for k, x in enumerate(measures.T):
            if len(known := x[~np.isnan(x)]):
                mean, scale = float(known.mean()), float(known.std())
                self.measure_mean[k] = mean
                # What is the same everywhere tells nothing, and is not to be divided by its rounding.
                self.measure_scale[k] = scale if scale > 1e-6 * max(1.0, abs(mean)) else np.inf

    def place(self, space: Space) -> None:
        """Take the coordinates that tell people apart, in groups that hold equal shares of it."""
        kept = space.informative(_KEPT)
        kept = min(kept, int((space.b > 0).sum()))
        b = space.b[:kept]
        told = np.cumsum(b**2 / (1 + b))
        group = np.minimum((GROUPS * (told - told[0] / 2) / told[-1]).astype(int), GROUPS - 1)
        if b[-1] > (1 - 1e-9) * b[0]:
            group[:] = 0  # an even space
        sizes = np.bincount(group, minlength=GROUPS)
        mean = np.bincount(group, weights=b, minlength=GROUPS) / np.maximum(sizes, 1)
        mean[sizes == 0] = 1.0
        # b is that of the group: so the model is exact in itself.
        of = mean[group]
        axes = np.zeros_like(space.axes)
        axes[:, :kept] = space.axes[:, :kept] * np.sqrt(of / (1 + of))
        self.mean.copy_(torch.from_numpy(space.mean))
        self.axes.copy_(torch.from_numpy(axes))
        self.b.copy_(torch.from_numpy(mean))
        self.sizes.copy_(torch.from_numpy(sizes))

    def encode(self, stream: Stream, measures: np.ndarray) -> tuple[Part, Part]:
        """Return the directions (U, d) and the standardised measures (U, Q), 0 where not known."""
        axes = self.axes[:, : int(self.sizes.sum())].cpu().numpy().astype(np.float64)
        unit = Part.of(stream.pooled, stream.present)
        part = Part.of((unit.vectors - self.mean.cpu().numpy()) @ axes, unit.present)
        q = (measures - self.measure_mean.cpu().numpy()) / self.measure_scale.cpu().numpy()
        return part, Part(np.clip(np.nan_to_num(q), -_FARTHEST, _FARTHEST), part.present)

    def sides(self, part: Part, measures: Part, enrol: np.ndarray, test: np.ndarray) -> Sides:
        """Return what the ratio is made of; both sides have the modality."""
        sizes = self.sizes.cpu().numpy().astype(int)
        member = np.repeat(np.eye(GROUPS), sizes, axis=0) * self._weights()
        lengths = part.vectors**2 @ member
        across = np.empty((len(enrol), GROUPS))
        for start in range(0, len(enrol), _BLOCK):
            rows = slice(start, start + _BLOCK)
            across[rows] = (part.vectors[enrol[rows]] * part.vectors[test[rows]]) @ member
        found = (lengths[enrol], lengths[test], across, measures.vectors[enrol], measures.vectors[test])
        return Sides(*(torch.from_numpy(x) for x in found))

    def _weights(self) -> np.ndarray:
        """Return what undoes the scale of the axes, (G,)."""
        b = self.b.cpu().numpy()
        return (1 + b) / b

    def noise(self, measures: Tensor) -> Tensor:
        """Return the noise (T,) of utterances with these measures (T, Q)."""
        noise, rest = self.numbers[0], torch.sigmoid(self.numbers[1])
        weights = self.numbers[len(_NAMES) :].abs()
        return torch.exp(noise) * (rest + (1 - rest) * torch.exp(-(measures @ weights)))

    def ratio(self, sides: Sides, noises: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Return the calibrated log-likelihood ratios (T,), before the doubt.

        Parameters
        ----------
        sides
            Sums of products and measures.
        noises
            Noise (T,) of either side in place of what the measures tell.
        """
        n1, n2 = noises or (self.noise(sides.enrol_measures), self.noise(sides.test_measures))
        used = self.sizes > 0
        b, sizes = self.b[used], self.sizes[used]
        n1, n2 = n1[:, None], n2[:, None]
        v1, v2 = b + n1, b + n2
        # As long as the noise lets expect.
        s1 = sizes.sum() / (sides.enrol[:, used] / v1).sum(dim=1, keepdim=True)
        s2 = sizes.sum() / (sides.test[:, used] / v2).sum(dim=1, keepdim=True)
        first, second = s1 * sides.enrol[:, used], s2 * sides.test[:, used]
        across = torch.sqrt(s1 * s2) * sides.across[:, used]
        w = b * (n1 + n2) + n1 * n2
        terms = sizes / 2 * torch.log1p(b * b / w) + (b * across - b * b / 2 * (first / v1 + second / v2)) / w
        known = (sizes * b / v1).sum(dim=1) * (sizes * b / v2).sum(dim=1) / (sizes * b / (b + 1)).sum() ** 2
        return torch.exp(self.numbers[2]) * terms.sum(dim=1) + self.numbers[3] * known

    def evidence(self, sides: Sides) -> Tensor:
        """Return the evidence (T,): the ratio, bounded below by the probability that a side shows somebody else."""
        doubt, length = self.numbers[4], self.numbers[5]
        # log(1 - pi) and log pi of the trial; the last measure is the length of the pooled embedding.
        right = [F.logsigmoid(-(doubt - length * q[:, -1])) for q in (sides.enrol_measures, sides.test_measures)]
        log_right = right[0] + right[1]
        log_wrong = torch.log(-torch.expm1(log_right))
        return torch.logaddexp(log_right + self.ratio(sides), log_wrong)


class EvidenceNetwork(nn.Module):
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
        super().__init__()
        if min(audio_dim, visual_dim) < 1:
            raise ModelError(
                f"evidence: audio embeddings of length {audio_dim}, visual ones of length {visual_dim}; it needs "
                "both modalities: run the missing stage, or leave this model out"
            )
        self.audio_dim, self.visual_dim, self.dim = audio_dim, visual_dim, dim
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
        found = (inputs.audio.dim, inputs.visual.dim)
        if found != (self.audio_dim, self.visual_dim):
            raise ModelError(
                f"evidence: embeddings of lengths {found}, it was fitted to {(self.audio_dim, self.visual_dim)}; "
                "embed with the same encoders or train again"
            )
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
        held = _rows_of(inputs, rows)
        pairs = draw_pairs(held, [names[k] for k in label], rng, _PAIRS)
        strangers = _strangers(pairs, label, rng)
        chosen_by, spoilt = _spoil(strangers, held, label, rng), _spoil(pairs, held, label, rng)
        measures, of_held = all_measures(inputs), all_measures(held)
        few, sides = ridge / len(names), {}
        for m, model in self.modalities.items():
            with torch.no_grad():
                model.standardise(measures[m])
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
        model.numbers[_NAMES.index("scale")] = start


@torch.no_grad()
def _sides(
    model: ModalityEvidence, stream: Stream, measures: np.ndarray, rows: tuple[np.ndarray, np.ndarray]
) -> tuple[Tensor, Sides]:
    """Return the pairs of whose sides both have the modality, and these sides."""
    enrol, test = rows
    there = (enrol >= 0) & (test >= 0)
    part, q = model.encode(stream, measures)
    return torch.from_numpy(np.flatnonzero(there)), model.sides(part, q, enrol[there], test[there])


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


def _rows_of(inputs: Inputs, rows: np.ndarray) -> Inputs:
    streams = (
        Stream(s.pooled[rows], s.present[rows], measures={name: x[rows] for name, x in s.measures.items()})
        for s in inputs.streams.values()
    )
    return Inputs([inputs.utterances[i] for i in rows.tolist()], *streams)


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
    place, losses = _NAMES.index("scale"), []
    for scale in _SCALES:
        model.numbers[place] = scale
        losses.append(float(logistic_loss(model.evidence(sides), is_target)))
    model.numbers[place] = best = float(_SCALES[int(np.argmin(losses))])
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

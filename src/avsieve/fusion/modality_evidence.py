"""A log-likelihood ratio of one modality, with a noise per utterance and a doubt whether it is the person at all.

The modality follows a two-covariance model (`avsieve.cleansing.two_covariance`). In coordinates z where the
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

is never below log pi. Cf. uncertainty propagation for PLDA in one modality (Wang and Lee, arXiv 2302.11763).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.cleansing.two_covariance import Space
from avsieve.evaluation.scoring import Part
from avsieve.fusion.inputs import Stream
from avsieve.fusion.standard_measures import StandardMeasures

GROUPS = 16
_KEPT = 0.995  # of what tells people apart
_FARTHEST = 6.0  # standard deviations; beyond that a measure says no more
_BLOCK = 1024  # trials
# A modality's numbers, before one weight of each of its measures.
_NAMES = ("noise", "rest", "scale", "offset", "doubt", "doubt_length")
_FIRST = {"noise": 0.0, "rest": 0.0, "scale": 0.0, "offset": 0.0, "doubt": -4.0, "doubt_length": 0.0}
_FIRST_WEIGHT = 0.1
SCALE = _NAMES.index("scale")


@dataclass(frozen=True)
class Sides:
    """Both sides of T trials in the coordinates of a space, of which G groups are used.

    Attributes
    ----------
    enrol, test, across
        (T, G) float64: sums of products over the coordinates of each group.
    enrol_measures, test_measures
        (T, Q) float64, standardised.
    b, sizes
        (G,) float64: see `ModalityEvidence`.
    """

    enrol: Tensor
    test: Tensor
    across: Tensor
    enrol_measures: Tensor
    test_measures: Tensor
    b: Tensor
    sizes: Tensor


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

    def __init__(self, dim: int, measures: int) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("axes", torch.eye(dim))
        self.register_buffer("b", torch.ones(GROUPS, dtype=torch.float64))
        self.register_buffer("sizes", torch.tensor([dim, *[0] * (GROUPS - 1)], dtype=torch.float64))
        self.standard = StandardMeasures(measures)
        first = [*(_FIRST[name] for name in _NAMES), *[_FIRST_WEIGHT] * measures]
        self.numbers = nn.Parameter(torch.tensor(first, dtype=torch.float64))

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
        return part, Part(np.clip(self.standard(measures), -_FARTHEST, _FARTHEST), part.present)

    def sides(self, part: Part, measures: Part, enrol: np.ndarray, test: np.ndarray) -> Sides:
        """Return what the ratio is made of; both sides have the modality."""
        used = np.flatnonzero(self.sizes.cpu().numpy())
        b, sizes = self.b.cpu()[used], self.sizes.cpu()[used]
        # The weights undo the scale of the axes.
        member = np.repeat(np.eye(len(used)), sizes.numpy().astype(int), axis=0) * ((1 + b) / b).numpy()
        lengths = part.vectors**2 @ member
        across = np.empty((len(enrol), len(used)))
        for start in range(0, len(enrol), _BLOCK):
            rows = slice(start, start + _BLOCK)
            across[rows] = (part.vectors[enrol[rows]] * part.vectors[test[rows]]) @ member
        products = [torch.from_numpy(x) for x in (lengths[enrol], lengths[test], across)]
        q = [torch.from_numpy(measures.vectors[side]) for side in (enrol, test)]
        return Sides(products[0], products[1], products[2], q[0], q[1], b, sizes)

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
        b, sizes = sides.b, sides.sizes
        n1, n2 = n1[:, None], n2[:, None]
        v1, v2 = b + n1, b + n2
        # As long as the noise lets expect.
        s1 = sizes.sum() / (sides.enrol / v1).sum(dim=1, keepdim=True)
        s2 = sizes.sum() / (sides.test / v2).sum(dim=1, keepdim=True)
        first, second = s1 * sides.enrol, s2 * sides.test
        across = torch.sqrt(s1 * s2) * sides.across
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

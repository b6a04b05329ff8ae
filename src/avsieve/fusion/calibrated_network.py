"""Logistic regression from cosines to log-likelihood ratios, per condition of presence.

    L = w . [cos of the modalities that both sides have; sums of both sides' quality measures] + b

Trials with both modalities, with voices only and with faces only have weights of their own, so that all of them
share a threshold. They are learned from pairs of the training list by the logistic loss at two priors, .5 and .05, half
each. The scores of people whom an encoder was trained on are too good: calibrate on others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.errors import ModelError
from avsieve.evaluation.scoring import Part, cosines, mean_of_present, settle
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.measures import COUNTS, all_measures
from avsieve.fusion.pairs import Pairs, draw_pairs

CONDITIONS = {"both": ("audio", "visual"), "audio": ("audio",), "visual": ("visual",)}
PRIORS = (0.5, 0.05)
_FIRST = 10.0  # of the sum of the weights of cosines at the start
ByModality = dict[str, np.ndarray]
_ENOUGH = 20  # pairs of either sort in a condition, else its weights stay the first


class Calibration(nn.Module):
    """Weights of the cosines, of the measures, and constants, per condition.

    Parameters
    ----------
    name
        That of the model, for messages.
    audio_dim, visual_dim
        Lengths of the embeddings.
    dim
        Not used: nothing is embedded.
    with_measures
        Whether quality measures count.
    """

    measure_mean: Tensor
    measure_scale: Tensor

    def __init__(self, name: str, audio_dim: int, visual_dim: int, dim: int, *, with_measures: bool) -> None:
        super().__init__()
        self.name = name
        if min(audio_dim, visual_dim) < 1:
            raise ModelError(
                f"{self.name}: audio embeddings of length {audio_dim}, visual ones of length {visual_dim}; it needs "
                "both modalities: run the missing stage, or leave this model out"
            )
        self.audio_dim, self.visual_dim, self.dim, self.with_measures = audio_dim, visual_dim, dim, with_measures
        self.weights = nn.ParameterDict()
        for name, modalities in CONDITIONS.items():
            count = sum(COUNTS[m] for m in modalities) if with_measures else 0
            first = torch.zeros(len(modalities) + count + 1, dtype=torch.float64)
            first[: len(modalities)] = _FIRST / len(modalities)
            first[-1] = -_FIRST / 2
            self.weights[name] = nn.Parameter(first)
        total = sum(COUNTS.values())
        self.register_buffer("measure_mean", torch.zeros(total, dtype=torch.float64))
        self.register_buffer("measure_scale", torch.ones(total, dtype=torch.float64))

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the unit vectors of voice and face, and the standardised measures of both, 0 where not known."""
        found = (inputs.audio.dim, inputs.visual.dim)
        if found != (self.audio_dim, self.visual_dim):
            raise ModelError(
                f"{self.name}: embeddings of lengths {found}, the model was trained on "
                f"{(self.audio_dim, self.visual_dim)}; embed with the same encoders or train again"
            )
        parts = [Part.of(stream.pooled, stream.present) for stream in inputs.streams.values()]
        mean, scale = self.measure_mean.cpu().numpy(), self.measure_scale.cpu().numpy()
        start = 0
        for m, x in all_measures(inputs).items():
            of = slice(start, start + COUNTS[m])
            parts.append(Part(np.nan_to_num((x - mean[of]) / scale[of]), inputs.streams[m].present))
            start += COUNTS[m]
        return parts

    def score(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the log-likelihood ratios (T,) float32, NaN where the sides have no modality in common."""
        cosine, measures = _evidence(encoded, enrol, test)
        there = {m: ~np.isnan(x) for m, x in cosine.items()}
        ratio = np.full(len(enrol), np.nan)
        for name, modalities in CONDITIONS.items():
            rows = np.flatnonzero(_condition(there, name))
            weights = self.weights[name].detach().cpu().numpy()
            ratio[rows] = self._features(modalities, cosine, measures, rows) @ weights
        return settle(ratio)

    def weighted(self, encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Return the means (T,) float32 of the cosines, weighted as trials with both modalities are."""
        w = np.clip(self.weights["both"].detach().cpu().numpy()[:2], 0.0, None)
        w = w / w.sum() if w.sum() > 0 else np.array([0.5, 0.5])
        audio, visual = (cosines(part, enrol, test) for part in encoded[:2])
        both = ~np.isnan(audio + visual)
        return np.where(both, settle(w[0] * audio + w[1] * visual), mean_of_present([audio, visual]))

    @torch.no_grad()
    def _standardise(self, inputs: Inputs) -> None:
        for k, x in enumerate(np.concatenate(list(all_measures(inputs).values()), axis=1).T):
            if len(known := x[~np.isnan(x)]):
                mean, scale = float(known.mean()), float(known.std())
                self.measure_mean[k] = mean
                # What is the same everywhere tells nothing, and is not to be divided by its rounding.
                self.measure_scale[k] = scale if scale > 1e-6 * max(1.0, abs(mean)) else np.inf

    def fit(self, inputs: Inputs, speakers: Sequence[str], ridge: float, seed: int) -> list[float]:
        """Learn from pairs of the list's utterances; return the loss before and after.

        Raises
        ------
        TooFewError
            If no pairs can be made.
        """
        self._standardise(inputs)
        pairs = draw_pairs(inputs, speakers, np.random.default_rng(seed))
        encoded = self.encode(inputs)
        cosine, measures = _evidence(encoded, pairs.enrol, pairs.test)
        losses = []
        for name, modalities in CONDITIONS.items():
            # What is known of one modality is so whether or not the other is there.
            rows = np.flatnonzero(np.logical_and.reduce([~np.isnan(cosine[m]) for m in modalities]))
            if _few(pairs, rows):
                continue
            X = torch.from_numpy(self._features(modalities, cosine, measures, rows))
            losses.append(_fit(self.weights[name], X, torch.from_numpy(pairs.is_target[rows]), ridge))
        self.eval()
        return [float(x) for x in np.mean(losses, axis=0)] if losses else [0.0, 0.0]

    def _features(
        self,
        modalities: Sequence[str],
        cosine: dict[str, np.ndarray],
        measures: dict[str, np.ndarray],
        rows: np.ndarray,
    ) -> np.ndarray:
        columns = [cosine[m][rows, None] for m in modalities]
        if self.with_measures:
            columns += [measures[m][rows] for m in modalities]
        return np.concatenate([*columns, np.ones((len(rows), 1))], axis=1)


def _evidence(encoded: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> tuple[ByModality, ByModality]:
    """Return the cosines (T,) and the sums of both sides' measures (T, Q), per modality."""
    audio, visual, *measures = encoded
    cosine = {"audio": cosines(audio, enrol, test), "visual": cosines(visual, enrol, test)}
    sums = (part.vectors[enrol] + part.vectors[test] for part in measures)
    return cosine, dict(zip(cosine, sums, strict=True))


def _condition(there: dict[str, np.ndarray], name: str) -> np.ndarray:
    return np.logical_and.reduce([has == (m in CONDITIONS[name]) for m, has in there.items()])


def _few(pairs: Pairs, rows: np.ndarray) -> bool:
    targets = int(pairs.is_target[rows].sum())
    return min(targets, len(rows) - targets) < _ENOUGH


def logistic_loss(ratio: Tensor, is_target: Tensor) -> Tensor:
    """Return the logistic loss of log-likelihood ratios (P,) at `PRIORS`, each in units of knowing nothing."""
    total = ratio.new_zeros(())
    for prior in PRIORS:
        log_odds = float(np.log(prior / (1 - prior)))
        nothing = -prior * np.log(prior) - (1 - prior) * np.log(1 - prior)
        miss = F.softplus(-(ratio[is_target] + log_odds)).mean()
        false_alarm = F.softplus(ratio[~is_target] + log_odds).mean()
        total = total + (prior * miss + (1 - prior) * false_alarm) / nothing
    return total / len(PRIORS)


def _fit(weights: nn.Parameter, X: Tensor, is_target: Tensor, ridge: float) -> tuple[float, float]:
    """Fit ``weights`` in place; return the loss before and after."""
    first = weights.detach().clone()
    optimiser = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = logistic_loss(X @ weights, is_target) + ridge * ((weights - first) ** 2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        before = float(logistic_loss(X @ weights, is_target))
    optimiser.step(closure)
    with torch.no_grad():
        return before, float(logistic_loss(X @ weights, is_target))

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

from avsieve.evaluation.scoring import Part, cosines, mean_of_present, settle
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.measures import COUNTS, all_measures
from avsieve.fusion.pairs import Pairs, draw_pairs
from avsieve.fusion.standard_measures import StandardMeasures
from avsieve.fusion.twins import Twins
from avsieve.fusion.two_streams import ScoringStreams

CONDITIONS = {"both": ("audio", "visual"), "audio": ("audio",), "visual": ("visual",)}
PRIORS = (0.5, 0.05)
_FIRST = 10.0  # of the sum of the weights of cosines at the start
_ENOUGH = 20  # pairs of either sort in a condition, else its weights stay the first
_BLOCK = 8192  # pairs whose embeddings are looked up at a time
ByModality = dict[str, np.ndarray]


class Calibration(ScoringStreams):
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

    def __init__(self, name: str, audio_dim: int, visual_dim: int, dim: int, *, with_measures: bool) -> None:
        self.name = name
        super().__init__(audio_dim, visual_dim, dim)
        self.with_measures = with_measures
        self.weights = nn.ParameterDict()
        for name, modalities in CONDITIONS.items():
            count = sum(COUNTS[m] for m in modalities) if with_measures else 0
            first = torch.zeros(len(modalities) + count + 1, dtype=torch.float64)
            first[: len(modalities)] = _FIRST / len(modalities)
            first[-1] = -_FIRST / 2
            self.weights[name] = nn.Parameter(first)
        self.audio_measures, self.visual_measures = (StandardMeasures(COUNTS[m]) for m in CONDITIONS["both"])

    @property
    def measures(self) -> dict[str, StandardMeasures]:
        """Those of both modalities, by name."""
        return {"audio": self.audio_measures, "visual": self.visual_measures}

    def encode(self, inputs: Inputs) -> list[Part]:
        """Return the unit vectors of voice and face, and the standardised measures of both, 0 where not known."""
        self.check(inputs)
        parts = [Part.of(stream.pooled, stream.present) for stream in inputs.streams.values()]
        measured = all_measures(inputs)
        return parts + [Part(self.measures[m](x), inputs.streams[m].present) for m, x in measured.items()]

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

    def fit(
        self, inputs: Inputs, speakers: Sequence[str], ridge: float, seed: int, twins: Twins | None = None
    ) -> list[float]:
        """Learn from pairs of the list's utterances and of their damaged twins; return the loss before and after.

        Raises
        ------
        TooFewError
            If no pairs can be made.
        """
        self.check(inputs)
        rng = np.random.default_rng(seed)
        pairs = draw_pairs(inputs, speakers, rng)
        sets = [inputs] if twins is None else [inputs, twins.inputs]
        if twins is not None:
            pairs = twins.exchange(pairs, len(inputs), rng)
        measured = [all_measures(own) for own in sets]
        cosine, measures = {}, {}
        for m, standard in self.measures.items():
            x = np.concatenate([own[m] for own in measured])
            standard.fit(x)
            # Not encoded as a whole: all of a large list as float64 would be many times its embeddings.
            cosine[m] = _cosines_of([own.streams[m] for own in sets], pairs.enrol, pairs.test)
            standardised = standard(x)
            measures[m] = standardised[pairs.enrol] + standardised[pairs.test]
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
        self, modalities: Sequence[str], cosine: ByModality, measures: ByModality, rows: np.ndarray
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


def _cosines_of(streams: Sequence[Stream], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return the cosines (T,) of embeddings that are not normalised; NaN where a side has none.

    Rows count on from one stream to the next.
    """
    found = np.empty(len(enrol))
    ends = np.cumsum([len(stream.present) for stream in streams])
    for begin in range(0, len(enrol), _BLOCK):
        rows = np.concatenate([side[begin : begin + _BLOCK] for side in (enrol, test)])
        pooled, present = np.zeros((len(rows), streams[0].dim), np.float32), np.zeros(len(rows), bool)
        number = np.searchsorted(ends, rows, side="right")
        for k, stream in enumerate(streams):
            mine = np.flatnonzero(number == k)
            if len(mine) and stream.dim:
                own = rows[mine] - (ends[k] - len(stream.present))
                pooled[mine], present[mine] = stream.pooled[own], stream.present[own]
        first, second = np.arange(len(rows)).reshape(2, -1)
        found[begin : begin + _BLOCK] = cosines(Part.of(pooled, present), first, second)
    return found


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

"""What a similarity means for this encoder, learned from the corpus itself and without any truth.

Impostor similarities are plentiful: every other speaker is one. They fix the density of wrong pairs. The pairs that
share a label are a mixture of that known density and of one unknown bump to the right of it, which EM finds even where
most labels are wrong. Everything later that asks "same person?" before there are centres asks this calibration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BINS = np.linspace(-1.0, 1.0, 401)
MIDDLES = (BINS[:-1] + BINS[1:]) / 2


@dataclass(frozen=True)
class PairCalibration:
    """Similarity of an utterance to one other video: of different people, and of the same person.

    Means and standard deviations are cosines; ``share`` is the share of pairs with a common label that are one person.
    """

    different_mean: float
    different_sd: float
    same_mean: float
    same_sd: float
    share: float

    @property
    def slope(self) -> float:
        """By what the log odds grow with the similarity."""
        return (self.same_mean - self.different_mean) / ((self.different_sd**2 + self.same_sd**2) / 2)

    def log_odds(self, similarity: np.ndarray, limit: float = 8.0) -> np.ndarray:
        """Return the evidence for "same person" as a log likelihood ratio, linear in the similarity and clipped.

        The line is that of two Gaussians of a common variance: monotone, whatever the tails do.
        """
        middle = (self.same_mean + self.different_mean) / 2
        return np.clip(self.slope * (similarity - middle), -limit, limit)


def histogram(similarity: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Count cosines in `BINS`, (400,) float64."""
    return np.histogram(np.clip(similarity, -1, 1), BINS, weights=weights)[0].astype(float)


def calibrate(same_label: np.ndarray, different_label: np.ndarray, steps: int = 200) -> PairCalibration:
    """Fit the calibration from two histograms over `BINS`.

    Parameters
    ----------
    same_label
        Counts (400,) of cosines between an utterance and another video of its label.
    different_label
        Counts (400,) between an utterance and a video of another label.

    Notes
    -----
    With too few pairs (corpora where every speaker has one video) the bump is put where encoders have it: half-way from
    the impostors to 1.
    """
    mean0, sd0 = _moments(different_label, 0.0, 0.1)
    density0 = _smooth(different_label, sd0)
    total = same_label.sum()
    fallback = PairCalibration(mean0, sd0, (1 + mean0) / 2, max(sd0, 0.1), 0.9)
    if total < 20:
        return fallback
    h = same_label / total
    # Start at the upper part of the mixture: even at one right pair in ten there is something there.
    mean1 = max(float(np.interp(0.95, np.cumsum(h), MIDDLES)), mean0 + 2 * sd0)
    sd1, share = sd0, 0.5
    for _ in range(steps):
        density1 = _normal(mean1, sd1)
        mixture = share * density1 + (1 - share) * density0
        r = np.divide(share * density1, mixture, out=np.zeros_like(h), where=mixture > 0)
        # Nothing left of the impostors' mean can speak for "same".
        r[mean0 > MIDDLES] = 0.0
        w = h * r
        share = float(np.clip(w.sum(), 0.02, 0.98))
        mean1 = float((w * MIDDLES).sum() / max(w.sum(), 1e-12))
        sd1 = float(np.sqrt((w * (MIDDLES - mean1) ** 2).sum() / max(w.sum(), 1e-12)))
        sd1 = float(np.clip(sd1, 0.02, 0.35))
    if mean1 - mean0 < sd0:
        return fallback
    return PairCalibration(mean0, sd0, mean1, sd1, share)


def _moments(counts: np.ndarray, mean: float, sd: float) -> tuple[float, float]:
    total = counts.sum()
    if total < 20:
        return mean, sd
    mean = float((counts * MIDDLES).sum() / total)
    return mean, float(np.clip(np.sqrt((counts * (MIDDLES - mean) ** 2).sum() / total), 0.02, 0.5))


def _normal(mean: float, sd: float) -> np.ndarray:
    density = np.exp(-0.5 * ((MIDDLES - mean) / sd) ** 2)
    return density / density.sum()


def _smooth(counts: np.ndarray, sd: float) -> np.ndarray:
    """Return a density over `BINS`: the counts blurred by a quarter of their spread, and a wide floor for the tails."""
    kernel = _normal(0.0, max(sd / 4, 0.01))
    blurred = np.convolve(counts, kernel, mode="same")
    mean = (counts * MIDDLES).sum() / max(counts.sum(), 1e-12)
    floor = _normal(float(mean), 2 * sd)
    return 0.98 * blurred / max(blurred.sum(), 1e-12) + 0.02 * floor

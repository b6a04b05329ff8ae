"""Speaker-clustered bootstrap intervals: how far a figure would move with other speakers.

Trials that share a speaker share its luck, so resampling trials would give intervals that are far too narrow. Speakers
are resampled instead (with replacement, as many as there are). A speaker drawn m times stands for m people:

- its target trials count m times (each copy is compared with itself, not with its twins, which no list would hold);
- a nontarget trial between two speakers counts as often as pairs of their copies exist, the product of their counts.

This is the two-way form of the subset bootstrap (Bolle, Ratha, Pankanti: "Error analysis of pattern recognition
systems: the subsets bootstrap", 2004). Percentile intervals are reported; with fewer than some twenty speakers even
these are too narrow, which is a property of the data and not of the method.

Costs of log-likelihood ratios (actDCF, Cllr) are means over the trials, so theirs are weighted means of the same draws.

Two systems that are resampled with the same seed see the same draws, so their differences are paired.
"""

from __future__ import annotations

import numpy as np

from avsieve.evaluation.metrics import CALIBRATED, METRICS, check_scores, tie_starts


def draw_speakers(n_speakers: int, replicates: int, seed: int) -> np.ndarray:
    """Draw how often each speaker is taken: (R, S) int64, every row summing to S."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(n_speakers, np.full(n_speakers, 1.0 / n_speakers), size=replicates)


def _runs(ordered: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return where the pieces of the ROC begin: ties stay together, neighbours of one class only are merged.

    Between the ends of a piece of one class the curve is straight and the cost has no minimum, whatever the weights, so
    only these points are needed: a good system has a few thousand of them among half a million trials.
    """
    starts = tie_starts(ordered)
    n_targets = np.add.reduceat(targets.astype(np.int64), starts)
    sizes = np.diff(np.r_[starts, len(ordered)])
    kind = np.where(n_targets == sizes, 1, np.where(n_targets == 0, 0, 2))
    return starts[np.r_[True, (kind[1:] != kind[:-1]) | (kind[1:] == 2)]]


def _sums(groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for a sorted array of group numbers, the groups that occur and where each begins."""
    begins = tie_starts(groups)
    return groups[begins], begins


def _mean_costs(
    ratios: np.ndarray, targets: np.ndarray, left: np.ndarray, right: np.ndarray, draws: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the figures of `CALIBRATED` of all draws (R, S): weighted means, summed by speaker and pair beforehand.

    ``left`` and ``right`` (T,) are the speakers of both sides. A target trial counts as often as its speaker was drawn,
    a nontarget trial as often as the product of both: a bilinear form of the costs' matrix over pairs.
    """
    from scipy.sparse import csr_array  # not before scores are ratios

    times, n = draws.astype(np.float64), draws.shape[1]
    own, pairs = left[targets], (left[~targets], right[~targets])

    def of_targets(costs: np.ndarray) -> np.ndarray:
        return np.asarray(times @ np.bincount(own, weights=costs, minlength=n))

    def of_nontargets(costs: np.ndarray) -> np.ndarray:
        matrix = csr_array((costs, pairs), shape=(n, n))
        return np.einsum("rs,sr->r", times, matrix @ times.T)

    n_targets, n_nontargets = of_targets(np.ones(len(own))), of_nontargets(np.ones(len(pairs[0])))
    found = {}
    for name, metric in CALIBRATED.items():
        ones, others = metric.costs(ratios[targets], ratios[~targets])
        with np.errstate(invalid="ignore"):  # 0 / 0: a draw without them
            found[name] = of_targets(ones) / n_targets + of_nontargets(others) / n_nontargets
    return found


def speaker_bootstrap(
    scores: np.ndarray,
    is_target: np.ndarray,
    enrol_speaker: np.ndarray,
    test_speaker: np.ndarray,
    *,
    n_speakers: int,
    definition: str = "interpolated",
    calibrated: bool = False,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Resample speakers and compute the metrics of every draw.

    Parameters
    ----------
    scores, is_target
        (T,) the scored trials.
    enrol_speaker, test_speaker
        (T,) integer, the number of each side's speaker, below ``n_speakers``.
    n_speakers
        How many speakers the list has. Give the same number for systems that are to be compared.
    definition
        Of the EER, see `avsieve.evaluation.metrics`; ``interpolated`` is much the fastest.
    calibrated
        Whether the scores are log-likelihood ratios, of which there are more figures.
    replicates, seed
        Number of draws and the seed of their generator.

    Returns
    -------
    dict
        Per name of `METRICS`, and of `CALIBRATED` if asked for, its values (R,) float64; NaN where a draw left no
        target or no nontarget trial.

    Raises
    ------
    AvsieveError
        If the trials hold no target or no nontarget trial, or a score is not finite.
    """
    scores, is_target = np.asarray(scores), np.asarray(is_target, dtype=bool)
    check_scores(scores, is_target)
    order = np.argsort(-scores)
    targets = is_target[order]
    # The other definitions of the EER pick one point of the ROC, which may lie inside a straight piece.
    corners = definition == "interpolated" and all(metric.corners for metric in METRICS.values())
    starts = _runs(scores[order], targets) if corners else tie_starts(scores[order])
    group = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(order)]))
    target_speaker = enrol_speaker[order][targets]
    left, right = enrol_speaker[order][~targets], test_speaker[order][~targets]
    target_groups, target_begins = _sums(group[targets])
    nontarget_groups, nontarget_begins = _sums(group[~targets])

    values = {name: np.full(replicates, np.nan) for name in METRICS}
    accepted_targets, accepted_nontargets = np.zeros(len(starts)), np.zeros(len(starts))
    draws = draw_speakers(n_speakers, replicates, seed)
    for r, times in enumerate(draws):
        accepted_targets[target_groups] = np.add.reduceat(times[target_speaker], target_begins)
        accepted_nontargets[nontarget_groups] = np.add.reduceat(times[left] * times[right], nontarget_begins)
        hits, false_alarms = np.cumsum(accepted_targets), np.cumsum(accepted_nontargets)
        if hits[-1] == 0 or false_alarms[-1] == 0:
            continue
        fpr, fnr = np.r_[0.0, false_alarms / false_alarms[-1]], np.r_[1.0, 1.0 - hits / hits[-1]]
        for name, metric in METRICS.items():
            values[name][r] = metric.of(fpr, fnr, definition)
    if calibrated:
        values |= _mean_costs(scores.astype(np.float64), is_target, enrol_speaker, test_speaker, draws)
    return values


def interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float]:
    """Return the percentile interval of ``values`` (R,), NaN left out; (NaN, NaN) when nothing is left."""
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)

"""What one training list is worth against another: paired differences of error rates, with their intervals.

Both arms are evaluated on the same trials with the same draws of speakers, so a draw's difference is paired: what is
common to both (hard speakers, hard impostors) falls out. Where an arm was trained with several seeds, seed s of one
arm goes with seed s of the other, and the figure is the mean over the seeds. Its interval takes in both chances, that
of the speakers and that of the seeds: each draw of speakers also draws seeds with replacement. A resampled mean of S
values has only (S - 1) / S of the variance that it should have, so the seeds' part of each draw's deviation is
stretched by sqrt(S / (S - 1)) (Rao and Wu: "Resampling inference with complex survey data", JASA 1988). With fewer than
some five seeds even that is too narrow.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.evaluation.bootstrap import interval
from avsieve.evaluation.metrics import CALIBRATED, METRICS
from avsieve.evaluation.results import Result

ARMS = ("all", "clean")


def mean_over_seeds(differences: np.ndarray, seed: int = 0) -> np.ndarray:
    """Resample the seeds of each draw.

    Parameters
    ----------
    differences
        (S, R) float64, a row per seed, a column per draw of speakers.
    seed
        Of the generator.

    Returns
    -------
    (R,) float64: draws of the mean over the seeds.
    """
    n, draws = differences.shape
    mean = differences.mean(axis=0)
    if n == 1:
        return mean
    taken = np.random.default_rng([seed, n]).multinomial(n, np.full(n, 1.0 / n), size=draws) / n
    resampled = np.einsum("rs,sr->r", taken, differences)
    return mean + np.sqrt(n / (n - 1)) * (resampled - mean)


def paired_gain(
    before: Mapping[int | None, Result], after: Mapping[int | None, Result], seed: int = 0
) -> dict[str, float | int]:
    """Compare two lists.

    Parameters
    ----------
    before, after
        Seed of the training -> result on the trials, after training on the full and on the cleansed list.
    seed
        Of the resampling of seeds.

    Returns
    -------
    ``seeds``, ``seeds_better`` (in how many of them the EER fell), and for each figure that all results have its mean
    ``{figure}_all`` and ``{figure}_clean``, ``{figure}_gain`` (their difference; positive: cleansing helps) and, where
    the results have draws, the 95 % interval of each of the three: ``{figure}_gain_low`` and ``_high``, and so on;
    ``eer_gain_relative`` is the gain as a share of ``eer_all``.

    Raises
    ------
    AvsieveError
        If the arms have different seeds.
    """
    if set(before) != set(after) or not before:
        raise AvsieveError(
            f"trained with seeds {sorted(map(str, before))} on the full and {sorted(map(str, after))} on the cleansed "
            "list; a paired comparison needs the same"
        )
    pairs = [(before[s], after[s]) for s in before]
    figures = [name for name in (*METRICS, *CALIBRATED) if all(name in r.summary for pair in pairs for r in pair)]
    better = sum(b.value("eer") > a.value("eer") for b, a in pairs)
    out: dict[str, float | int] = {"seeds": len(pairs), "seeds_better": better}
    for figure in figures:
        one, other = (float(np.mean([r.value(figure) for r in arm])) for arm in zip(*pairs, strict=True))
        out |= {f"{figure}_all": one, f"{figure}_clean": other, f"{figure}_gain": one - other}
        if figure == "eer":
            out["eer_gain_relative"] = (one - other) / one if one else float("nan")
        draws = [(b.draws(figure), a.draws(figure)) for b, a in pairs]
        if all(b is not None and a is not None for b, a in draws):
            all_, clean = (np.array([d for d in arm if d is not None]) for arm in zip(*draws, strict=True))
            for name, values in (("all", all_), ("clean", clean), ("gain", all_ - clean)):
                low, high = interval(mean_over_seeds(values, seed))
                # The stretch for few seeds may lead out of what a rate can be.
                low = low if name == "gain" else max(low, 0.0)
                out[f"{figure}_{name}_low"], out[f"{figure}_{name}_high"] = low, high
    return out

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

from collections.abc import Mapping, Sequence

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
    better = sum(b.value("eer") > a.value("eer") for b, a in pairs)
    return {"seeds": len(pairs), "seeds_better": better} | paired_figures(pairs, ARMS, seed)


def paired_figures(pairs: Sequence[tuple[Result, Result]], names: tuple[str, str], seed: int = 0) -> dict[str, float]:
    """Compare the second of each pair of results with the first; a pair for each seed, on the same draws of speakers.

    Parameters
    ----------
    pairs
        At least one.
    names
        What the columns call the two.
    seed
        Of the resampling of seeds.

    Returns
    -------
    For each figure that all results have: the means ``{figure}_{name}`` and ``{figure}_gain`` (positive: the second is
    better), with 95 % intervals where the results have draws, and ``eer_gain_relative``.
    """
    figures = [name for name in (*METRICS, *CALIBRATED) if all(name in r.summary for pair in pairs for r in pair)]
    first, second = names
    out: dict[str, float] = {}
    for figure in figures:
        one, other = (float(np.mean([r.value(figure) for r in side])) for side in zip(*pairs, strict=True))
        out |= {f"{figure}_{first}": one, f"{figure}_{second}": other, f"{figure}_gain": one - other}
        if figure == "eer":
            out["eer_gain_relative"] = (one - other) / one if one else float("nan")
        draws = [(b.draws(figure), a.draws(figure)) for b, a in pairs]
        if all(b is not None and a is not None for b, a in draws):
            before, after = (np.array([d for d in side if d is not None]) for side in zip(*draws, strict=True))
            for name, values in ((first, before), (second, after), ("gain", before - after)):
                low, high = interval(mean_over_seeds(values, seed))
                # The stretch for few seeds may lead out of what a rate can be.
                low = low if name == "gain" else max(low, 0.0)
                out[f"{figure}_{name}_low"], out[f"{figure}_{name}_high"] = low, high
    return out

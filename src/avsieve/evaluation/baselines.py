"""What each model is worth against the baselines: paired differences of error rates, with their intervals.

A fusion that does not beat both the average of the scores, which needs no training, and calibrated scores with quality
measures, which have some ten numbers, has no claim. All are scored on the same trials, and the bootstrap's draws of
speakers are the same, so what is common to both falls out of a difference (`avsieve.evaluation.gains`).
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from avsieve.evaluation.gains import paired_figures
from avsieve.evaluation.results import Result

BASELINES = ("score_average", "calibrated_qmf")
Seeds = Mapping[int | None, Result]
"""Seed of the training -> result; None for what has no training."""


def against(baseline: Seeds, model: Seeds, seed: int = 0) -> dict[str, float | int]:
    """Compare a model with a baseline on the same trials.

    Seed s of one goes with seed s of the other, and what has no training with every seed.

    Parameters
    ----------
    baseline, model
        At least one result each.
    seed
        Of the resampling of seeds.

    Returns
    -------
    ``seeds``, and for each figure that all results have ``{figure}_baseline``, ``{figure}_model`` and
    ``{figure}_gain`` (positive: the model is better) with their intervals, and ``eer_gain_relative``, a share of the
    baseline's. Nothing where they have no seed in common.
    """
    known: list[int | None] = [s for s in {**baseline, **model} if s is not None]
    pairs = []
    for s in known or [None]:
        pair = tuple(side.get(s, side.get(None)) for side in (baseline, model))
        if pair[0] is not None and pair[1] is not None:
            pairs.append((pair[0], pair[1]))
    return {"seeds": len(pairs)} | paired_figures(pairs, ("baseline", "model"), seed) if pairs else {}


def rows_against(found: Mapping[tuple[str, str], Seeds], seed: int = 0) -> list[dict[str, object]]:
    """Compare every model with every baseline that there is, on one list of trials scored in one way.

    Parameters
    ----------
    found
        Model and list that it was trained on (``-`` for none) -> results by seed.
    seed
        Of the resampling of seeds.

    Returns
    -------
    A row per model, list and baseline: ``model``, ``trained_on``, ``baseline``, and what `against` returns. A baseline
    that is trained is that of the same list; of a model without training, that of the cleansed list.
    """
    rows: list[dict[str, object]] = []
    for (model, trained_on), results in found.items():
        for baseline in BASELINES:
            options = [trained_on, "-"] if trained_on != "-" else ["-", "clean"]
            known = next((found[baseline, arm] for arm in options if (baseline, arm) in found), None)
            if known is None or baseline == model:
                continue
            if row := against(known, results, seed):
                rows.append({"model": model, "trained_on": trained_on, "baseline": baseline, **row})
    return rows


def beats(table: pd.DataFrame) -> pd.DataFrame:
    """Tell which models beat every baseline beyond the interval of the paired difference of the EER.

    Parameters
    ----------
    table
        Rows as `rows_against` returns them, with more columns that tell ways and lists apart.

    Returns
    -------
    A row per model, list and way: the columns that the rows share, and ``beats`` (bool); without an interval, False.
    """
    keys = [c for c in ("model", "trained_on", "condition", "protocol", "scores", "list") if c in table]
    low = table["eer_gain_low"] if "eer_gain_low" in table else pd.Series(float("nan"), index=table.index)
    return table.assign(beats=low > 0).groupby(keys, sort=False, as_index=False)["beats"].all()

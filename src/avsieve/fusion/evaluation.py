"""Every fusion model on one trial list, whole and damaged, with what the cleansing of the list is worth."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from avsieve.evaluation.bootstrap import interval
from avsieve.evaluation.metrics import det_points, error_rates
from avsieve.evaluation.results import FIGURES, Result, evaluate, refuse_seen_speakers
from avsieve.evaluation.scoring import mean_of_cosines
from avsieve.evaluation.trials import Trials
from avsieve.fusion.damage import apply_manifest, make_manifest
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.interface import FusionModel
from avsieve.fusion.registry import UNTRAINED, untrained_model

logger = logging.getLogger(__name__)

WHOLE, DAMAGED = "whole", "damaged"


@dataclass(frozen=True)
class System:
    """A model to evaluate; ``trained_on`` is the list (``all``, ``clean``), ``-`` where nothing was trained."""

    model: FusionModel
    trained_on: str = "-"
    seed: int | None = None
    speakers: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Outcome:
    """Three tables.

    Attributes
    ----------
    results
        A row per system and condition: ``model``, ``trained_on``, ``seed``, ``condition``, the figures with the bounds
        of their 95 % intervals, ``n_trials``, ``n_targets``, ``n_missing``, ``n_speakers``.
    gains
        A row per trained model and condition: each figure on ``all`` and on ``clean`` (means over the seeds), their
        difference (positive: cleansing helps) and its paired 95 % interval.
    curves
        Points of the DET curves of the whole condition: ``model``, ``trained_on``, ``fpr``, ``fnr``.
    """

    results: pd.DataFrame
    gains: pd.DataFrame
    curves: pd.DataFrame


def untrained_systems(inputs: Inputs) -> list[System]:
    """Return the systems that need no training, as far as there are modalities for them."""
    names: Sequence[str] = UNTRAINED
    for side, other, name in ((inputs.audio, "visual", "audio"), (inputs.visual, "audio", "visual")):
        if not side.present.any():
            logger.warning("no utterance of the trials has an %s embedding: only %s is evaluated", name, other)
            names = (other,)
    return [System(untrained_model(name)) for name in names]


def evaluate_systems(
    trials: Trials,
    inputs: Inputs,
    systems: Sequence[System],
    *,
    definition: str = "interpolated",
    replicates: int = 1000,
    damage_share: float = 0.0,
    seed: int = 0,
) -> Outcome:
    """Score the list with every system.

    Parameters
    ----------
    trials, inputs
        The list, and both modalities of ``trials.utterances`` in that order.
    systems
        What to evaluate; several seeds of one model and list are averaged for the gains.
    definition, replicates, seed
        Of the EER and of the bootstrap; every system sees the same draws.
    damage_share
        Where above 0, all systems are evaluated a second time with this share of the utterances lacking one modality.

    Raises
    ------
    AvsieveError
        If a system was trained on a speaker of the list.
    """
    for system in systems:
        refuse_seen_speakers(trials, set(system.speakers), f"{system.model.name} ({system.trained_on})")
    conditions = {WHOLE: inputs}
    if damage_share > 0:
        conditions[DAMAGED] = apply_manifest(inputs, make_manifest(inputs.utterances, damage_share, seed))
    n_speakers = len(trials.speakers()[0])
    rows, curves = [], []
    found: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for condition, given in conditions.items():
        for system in systems:
            scores = mean_of_cosines(system.model.encode(given), trials.enrol, trials.test)
            result = evaluate(trials, scores, definition=definition, replicates=replicates, seed=seed)
            name = {"model": system.model.name, "trained_on": system.trained_on, "seed": system.seed}
            rows.append(name | {"condition": condition} | result.row() | {"n_speakers": n_speakers})
            found.setdefault((system.model.name, condition), {}).setdefault(system.trained_on, []).append(result)
            if condition == WHOLE:
                curves.append(_curve(name, trials, scores))
    gains = [
        {"model": model, "condition": condition} | _gain(arms["all"], arms["clean"])
        for (model, condition), arms in found.items()
        if {"all", "clean"} <= arms.keys()
    ]
    results = pd.DataFrame(rows)
    results["seed"] = results["seed"].astype("Int64")
    return Outcome(results, pd.DataFrame(gains), pd.concat(curves, ignore_index=True))


def _curve(name: dict[str, str | int | None], trials: Trials, scores: np.ndarray) -> pd.DataFrame:
    scored = ~np.isnan(scores)
    fpr, fnr = det_points(error_rates(scores[scored], trials.is_target[scored]))
    return pd.DataFrame({"model": name["model"], "trained_on": name["trained_on"], "fpr": fpr, "fnr": fnr})


def _gain(before: list[Result], after: list[Result]) -> dict[str, float | int]:
    """Compare two lists: means over the seeds, and the paired interval of their difference."""
    out: dict[str, float | int] = {"seeds": min(len(before), len(after))}
    for figure in FIGURES:
        one, other = (float(np.mean([r.row()[figure] for r in results])) for results in (before, after))
        out |= {f"{figure}_all": one, f"{figure}_clean": other, f"{figure}_gain": one - other}
        draws = [_mean_draws(results, figure) for results in (before, after)]
        if draws[0] is not None and draws[1] is not None:
            out[f"{figure}_gain_low"], out[f"{figure}_gain_high"] = interval(draws[0] - draws[1])
    return out


def _mean_draws(results: list[Result], figure: str) -> np.ndarray | None:
    draws = [r.draws(figure) for r in results]
    return None if any(d is None for d in draws) else np.mean([d for d in draws if d is not None], axis=0)

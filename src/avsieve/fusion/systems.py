"""Every fusion model on one trial list, whole and damaged, with what the cleansing of the list is worth.

Each is scored raw and, with a cohort, normalised (AS-norm); voice, face and their average also by segments.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.gains import ARMS, paired_gain
from avsieve.evaluation.results import NothingScoredError, Result, det_curve, evaluate, refuse_seen_speakers
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import RAW, Embedded, score
from avsieve.fusion.base import FusionModel
from avsieve.fusion.damage import apply_manifest, make_manifest
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.registry import MODELS

logger = logging.getLogger(__name__)

WHOLE, DAMAGED = "whole", "damaged"
FULL, SEGMENTS = "full", "segments"
# What the tables have at least, also where nothing could be evaluated.
RESULT_COLUMNS = ["model", "trained_on", "seed", "condition", "protocol", "scores", "eer", "n_trials", "n_speakers"]
GAIN_COLUMNS = ["model", "condition", "protocol", "scores", "seeds"]
CURVE_COLUMNS = ["model", "trained_on", "fpr", "fnr"]


@dataclass(frozen=True)
class System:
    """A model to evaluate; ``trained_on`` is the list (``all``, ``clean``), ``-`` where nothing was trained."""

    model: FusionModel
    trained_on: str = "-"
    seed: int | None = None
    speakers: frozenset[str] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Way:
    """One way of scoring: ``whole`` or ``damaged`` inputs, by ``full`` utterances or ``segments``, ``raw`` or not."""

    condition: str = WHOLE
    protocol: str = FULL
    scores: str = RAW

    def columns(self) -> dict[str, str]:
        """Return its columns of the tables."""
        return {"condition": self.condition, "protocol": self.protocol, "scores": self.scores}


@dataclass(frozen=True)
class Normalisation:
    """A cohort and what it is embedded with: pooled inputs, and mean vectors of segments per modality."""

    cohort: Cohort
    inputs: Inputs
    segments: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """Three tables.

    Attributes
    ----------
    results
        A row per system and `Way`: ``model``, ``trained_on``, ``seed``, ``condition``, ``protocol``, ``scores``,
        the figures with their 95 % intervals, ``n_trials``, ``n_targets``, ``n_missing``, ``n_speakers``.
    gains
        A row per trained model and `Way`, as `avsieve.evaluation.gains.paired_gain` returns it.
    curves
        Points of the DET curves of whole, full, raw scores: ``model``, ``trained_on``, ``fpr``, ``fnr``.
    """

    results: pd.DataFrame
    gains: pd.DataFrame
    curves: pd.DataFrame


def untrained_systems(inputs: Inputs) -> list[System]:
    """Return the systems that need no training, as far as there are modalities for them."""
    models = [model for model in MODELS.values() if not model.trained]
    missing = {name for name, stream in inputs.streams.items() if not stream.present.any()}
    for name in sorted(missing):
        logger.warning("no utterance of the trials has an %s embedding: what needs one is not evaluated", name)
    able = [model for model in models if not missing & set(model.needs)]
    # Where nobody has any, it is for the evaluation to say so.
    return [System(model()) for model in able or models]


def evaluate_systems(
    trials: Trials,
    inputs: Inputs,
    systems: Sequence[System],
    *,
    definition: str = "interpolated",
    replicates: int = 1000,
    damage_share: float = 0.0,
    segments: Mapping[str, Part] | None = None,
    normalisation: Normalisation | None = None,
    lenient: bool = False,
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
    segments
        Mean vectors of segments and faces (`avsieve.evaluation.segments`) per modality, for the segment protocol.
    normalisation
        The cohort of the AS-norm, which is reported beside the raw scores of whole inputs.
    lenient
        Leave out, with a warning, the systems that can score no target or no nontarget trial.

    Raises
    ------
    NothingScoredError
        If a system, or with ``lenient`` every one, can score no target or no nontarget trial.
    AvsieveError
        If a system was trained on a speaker of the list, or the cohort does not fit it.
    """
    for system in systems:
        refuse_seen_speakers(trials, set(system.speakers), f"{system.model.name} ({system.trained_on})")
    if normalisation is not None:
        normalisation.cohort.check(trials)
    conditions = {WHOLE: inputs}
    if damage_share > 0:
        conditions[DAMAGED] = apply_manifest(inputs, make_manifest(inputs.utterances, damage_share, seed))
    n_speakers = len(trials.speakers()[0])
    rows, curves, reasons = [], [], []
    found: dict[tuple[str, Way], dict[str, dict[int | None, Result]]] = {}

    def add(system: System, way: Way, scores: np.ndarray) -> None:
        try:
            # The AS-norm of log-likelihood ratios, or those of segments, would be none.
            calibrated = system.model.calibrated and way.scores == RAW and way.protocol == FULL
            result = evaluate(
                trials, scores, definition=definition, replicates=replicates, seed=seed, calibrated=calibrated
            )
        except NothingScoredError as error:
            if not lenient:
                raise
            logger.warning("%s (%s), %s: left out: %s", system.model.name, system.trained_on, way, error)
            reasons.append(str(error))
            return
        name = {"model": system.model.name, "trained_on": system.trained_on, "seed": system.seed}
        rows.append(name | way.columns() | result.row() | {"n_speakers": n_speakers})
        arms = found.setdefault((system.model.name, way), {})
        arms.setdefault(system.trained_on, {})[system.seed] = result
        if way == Way():
            curves.append(det_curve(trials, scores, model=name["model"], trained_on=name["trained_on"]))

    cohort = None if normalisation is None else normalisation.cohort
    for condition, given in conditions.items():
        normalised = None if normalisation is None or condition != WHOLE else normalisation.inputs
        for system in systems:
            parts = system.model.encode(given)
            normal = normalised if system.model.cosines else None
            others = [None] * len(parts) if normal is None else system.model.encode(normal)
            embedded = list(map(Embedded, parts, others))
            for way, scores in score(embedded, trials, cohort, system.model.score).items():
                add(system, Way(condition, scores=way), scores)
    for system in systems:
        if segments and _has_segments(system.model, segments):
            of_cohort = {} if normalisation is None else normalisation.segments
            embedded = [Embedded(segments[m], of_cohort.get(m)) for m in system.model.needs]
            for way, scores in score(embedded, trials, cohort).items():
                add(system, Way(protocol=SEGMENTS, scores=way), scores)
    if not rows:
        raise NothingScoredError(reasons[0] if reasons else "there is no system to score the trials with")
    gains = [
        {"model": model} | way.columns() | paired_gain(arms["all"], arms["clean"], seed)
        for (model, way), arms in found.items()
        if set(ARMS) <= arms.keys() and set(arms["all"]) == set(arms["clean"])
    ]
    results = pd.DataFrame(rows)
    results["seed"] = results["seed"].astype("Int64")
    drawn = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=CURVE_COLUMNS)
    return Outcome(results, pd.DataFrame(gains), drawn)


def _has_segments(model: FusionModel, segments: Mapping[str, Part]) -> bool:
    """Tell whether a model averages scores, and each modality that it needs has segments."""
    return model.averages and all(m in segments and segments[m].present.any() for m in model.needs)

"""Every fusion model on one trial list, whole and damaged, with what the cleansing of the list is worth.

Each is scored raw and, with a cohort, normalised (AS-norm); voice, face and their average also by segments.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from avsieve.evaluation.as_norm import Cohort, mean_of_as_norms
from avsieve.evaluation.gains import ARMS, paired_gain
from avsieve.evaluation.results import NothingScoredError, Result, det_curve, evaluate, refuse_seen_speakers
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.evaluation.trials import Trials
from avsieve.fusion.base import FusionModel
from avsieve.fusion.damage import apply_manifest, make_manifest
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.registry import UNTRAINED, untrained_model

logger = logging.getLogger(__name__)

WHOLE, DAMAGED = "whole", "damaged"
FULL, SEGMENTS = "full", "segments"
RAW, AS_NORM = "raw", "as_norm"
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
class Setting:
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
        A row per system and `Setting`: ``model``, ``trained_on``, ``seed``, ``condition``, ``protocol``, ``scores``,
        the figures with their 95 % intervals, ``n_trials``, ``n_targets``, ``n_missing``, ``n_speakers``.
    gains
        A row per trained model and `Setting`, as `avsieve.evaluation.gains.paired_gain` returns it.
    curves
        Points of the DET curves of whole, full, raw scores: ``model``, ``trained_on``, ``fpr``, ``fnr``.
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
    found: dict[tuple[str, Setting], dict[str, dict[int | None, Result]]] = {}

    def add(system: System, setting: Setting, scores: np.ndarray) -> None:
        try:
            result = evaluate(trials, scores, definition=definition, replicates=replicates, seed=seed)
        except NothingScoredError as error:
            if not lenient:
                raise
            logger.warning("%s (%s), %s: left out: %s", system.model.name, system.trained_on, setting, error)
            reasons.append(str(error))
            return
        name = {"model": system.model.name, "trained_on": system.trained_on, "seed": system.seed}
        rows.append(name | setting.columns() | result.row() | {"n_speakers": n_speakers})
        arms = found.setdefault((system.model.name, setting), {})
        arms.setdefault(system.trained_on, {})[system.seed] = result
        if setting == Setting():
            curves.append(det_curve(trials, scores, model=name["model"], trained_on=name["trained_on"]))

    for condition, given in conditions.items():
        for system in systems:
            parts = system.model.encode(given)
            add(system, Setting(condition), mean_of_cosines(parts, trials.enrol, trials.test))
            if normalisation is not None and condition == WHOLE:
                others = system.model.encode(normalisation.inputs)
                scores = mean_of_as_norms(parts, others, normalisation.cohort, trials.enrol, trials.test)
                add(system, Setting(scores=AS_NORM), scores)
    for system, modalities in _by_segments(systems, segments or {}):
        parts = [(segments or {})[m] for m in modalities]
        add(system, Setting(protocol=SEGMENTS), mean_of_cosines(parts, trials.enrol, trials.test))
        if normalisation is not None:
            others = [normalisation.segments[m] for m in modalities]
            scores = mean_of_as_norms(parts, others, normalisation.cohort, trials.enrol, trials.test)
            add(system, Setting(protocol=SEGMENTS, scores=AS_NORM), scores)
    if not rows:
        raise NothingScoredError(reasons[0] if reasons else "there is no system to score the trials with")
    gains = [
        {"model": model} | setting.columns() | paired_gain(arms["all"], arms["clean"], seed)
        for (model, setting), arms in found.items()
        if set(ARMS) <= arms.keys() and set(arms["all"]) == set(arms["clean"])
    ]
    results = pd.DataFrame(rows)
    results["seed"] = results["seed"].astype("Int64")
    drawn = pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=CURVE_COLUMNS)
    return Outcome(results, pd.DataFrame(gains), drawn)


def _by_segments(systems: Sequence[System], segments: Mapping[str, Part]) -> Iterator[tuple[System, tuple[str, ...]]]:
    """Yield the systems that average scores, with the modalities that each needs and that have segments."""
    needs = {"audio": ("audio",), "visual": ("visual",), "score_average": ("audio", "visual")}
    for system in systems:
        modalities = needs.get(system.model.name, ())
        if modalities and all(m in segments and segments[m].present.any() for m in modalities):
            yield system, modalities

"""Every fusion model on one trial list, as it is and damaged, with what the cleansing of the list is worth.

Each is scored raw and, with a cohort, normalised (AS-norm); voice, face and their average also by segments. Damaged
trials are scored raw, and pooled with the list's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from avsieve.evaluation.conditions.contract import POOLED
from avsieve.evaluation.results import refuse_seen_speakers
from avsieve.evaluation.scoring import Part
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import RAW, Embedded, score
from avsieve.fusion.base import FusionModel
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.outcome import SEGMENTS, Findings, Outcome, Way
from avsieve.fusion.strata import Stratum, pooled
from avsieve.fusion.system import Normalisation, System


def evaluate_systems(
    trials: Trials,
    inputs: Inputs,
    systems: Sequence[System],
    *,
    definition: str = "interpolated",
    replicates: int = 1000,
    strata: Iterable[Stratum] | None = None,
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
    strata
        The damaged trials of each condition (`avsieve.fusion.strata.strata_of`), taken one after the other. With any of
        them, what the systems make of the whole utterances is held until the last.
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
    found = Findings(len(trials.speakers()[0]), definition, replicates, seed, lenient)
    held: list[_Held] = []
    for system in systems:
        began = time.perf_counter()
        parts = system.model.encode(inputs)
        encode_s = time.perf_counter() - began + system.model.embedding_s * len(inputs)
        scores, score_s = _score_whole(found, system, trials, parts, normalisation)
        found.took(system, len(inputs), encode_s, len(trials), score_s)
        if strata is not None:
            held.append(_Held(system, parts, scores))
    for system in systems:
        if segments and _has_segments(system.model, segments):
            of_cohort = {} if normalisation is None else normalisation.segments
            embedded = [Embedded(segments[m], of_cohort.get(m)) for m in system.model.needs]
            cohort = None if normalisation is None else normalisation.cohort
            for way, values in score(embedded, trials, cohort).items():
                found.add(system, Way(protocol=SEGMENTS, scores=way), trials, values)
    if strata is not None:
        _score_strata(found, held, trials, inputs, strata)
    return found.outcome()


class _Held:
    """A system, what it made of the whole utterances, and its raw scores so far: the list's, then each stratum's."""

    def __init__(self, system: System, parts: list[Part], scores: np.ndarray) -> None:
        self.system, self.parts, self.scores = system, parts, [scores]


def _score_whole(
    found: Findings, system: System, trials: Trials, parts: list[Part], normalisation: Normalisation | None
) -> tuple[np.ndarray, float]:
    """Score the list as it is, in every way; return the raw scores (T,), and how long these took, seconds."""
    took = 0.0

    def timed(own: Sequence[Part], enrol: np.ndarray, test: np.ndarray) -> np.ndarray:
        nonlocal took
        began = time.perf_counter()
        raw = system.model.score(own, enrol, test)
        took = time.perf_counter() - began
        return raw

    normal = normalisation if system.model.cosines else None
    others = [None] * len(parts) if normal is None else system.model.encode(normal.inputs)
    cohort = None if normal is None else normal.cohort
    scores = score(list(map(Embedded, parts, others)), trials, cohort, timed)
    for way, values in scores.items():
        found.add(system, Way(scores=way), trials, values)
    return scores[RAW], took


def _score_strata(
    found: Findings, held: Sequence[_Held], trials: Trials, inputs: Inputs, strata: Iterable[Stratum]
) -> None:
    """Score each stratum with every system, then all of them and the list itself as one.

    Trials whose sides have no modality in common have no score in the pool: some systems score them, at chance, others
    cannot, and the pool would tell the two apart by that alone.
    """
    lists = [trials]
    for stratum in strata:
        lists.append(stratum.trials)
        comparable = stratum.comparable(inputs)
        for each in held:
            scores = stratum.scores(each.system.model, each.parts)
            found.add(each.system, Way(stratum.name), stratum.trials, scores)
            each.scores.append(np.where(comparable, scores, np.float32(np.nan)))
    if len(lists) > 1:
        everything = pooled(lists)
        for each in held:
            found.add(each.system, Way(POOLED), everything, np.concatenate(each.scores))


def _has_segments(model: FusionModel, segments: Mapping[str, Part]) -> bool:
    """Tell whether a model averages scores, and each modality that it needs has segments."""
    return model.averages and all(m in segments and segments[m].present.any() for m in model.needs)

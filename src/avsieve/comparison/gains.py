"""Evaluate encoders that were trained on the full and on the cleansed list, and say what the difference is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.gains import ARMS, paired_gain
from avsieve.evaluation.results import Result, det_curve, evaluate
from avsieve.evaluation.scoring import Part, align
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import RAW, Embedded, score

SYSTEMS = {"audio": ("audio",), "visual": ("visual",), "both": ("audio", "visual")}
NAMES = {"audio": "audio_encoder", "visual": "visual_encoder", "both": "both_encoders"}


@dataclass(frozen=True)
class Comparison:
    """Three tables.

    Attributes
    ----------
    gains
        A row per ``system`` and ``scores`` (``raw``, ``as_norm``): see `avsieve.evaluation.gains.paired_gain`.
    runs
        A row per trained encoder, or pair of them: ``system``, ``trained_on``, ``seed``, ``scores`` and its figures.
    curves
        Points of the DET curves of the raw scores: ``model`` (the system), ``trained_on``, ``seed``, ``fpr``, ``fnr``.
    """

    gains: pd.DataFrame
    runs: pd.DataFrame
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)


def read_arms(
    trials: Trials, files: Mapping[str, Mapping[str, Sequence[Path]]], seeds: Sequence[int], cohort: Cohort | None
) -> dict[str, dict[str, dict[int, Embedded]]]:
    """Read the embeddings of every arm.

    Parameters
    ----------
    trials, cohort
        Whose utterances are wanted; one file holds both.
    files
        Modality -> list -> files, one per seed.
    seeds
        Of the files, in that order.

    Returns
    -------
    What `compare_arms` takes.
    """

    def read(path: Path) -> Embedded:
        known, vectors = read_embeddings(path)
        if not np.isfinite(vectors).all():
            raise AvsieveError(f"{path}: embeddings that are not finite; train the encoder again, or with another seed")
        own = Part.of(*align(trials.utterances, known, vectors))
        return Embedded(own, None if cohort is None else Part.of(*align(cohort.utterances, known, vectors)))

    return {
        modality: {arm: {s: read(p) for s, p in zip(seeds, paths, strict=True)} for arm, paths in arms.items()}
        for modality, arms in files.items()
    }


def compare_arms(
    trials: Trials,
    embedded: Mapping[str, Mapping[str, Mapping[int, Embedded]]],
    *,
    cohort: Cohort | None = None,
    definition: str = "interpolated",
    replicates: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Evaluate every encoder on the trials, and each list against the other.

    Parameters
    ----------
    trials
        The list; both arms see the same draws of its speakers.
    embedded
        Modality -> list (``all``, ``clean``) -> seed of the training -> embeddings. With both modalities the mean of
        their cosines, seed by seed, is a system too.
    cohort
        Of the AS-norm, frozen: the same utterances for all; None for raw scores only.
    definition, replicates, seed
        Of the EER and of the bootstrap.

    Raises
    ------
    AvsieveError
        If an arm lacks a seed that the other has, or the cohort shares speakers with the trials.
    """
    if cohort is not None:
        cohort.check(trials)
    gains, runs, curves = [], [], []
    for system, modalities in SYSTEMS.items():
        if not all(m in embedded for m in modalities):
            continue
        found: dict[str, dict[str, dict[int | None, Result]]] = {}
        for arm in ARMS:
            seeds = [set(embedded[m][arm]) for m in modalities]
            if any(s != seeds[0] for s in seeds):
                raise AvsieveError(f"voices and faces have other seeds on the list `{arm}`: {seeds}; expected the same")
            for run in sorted(seeds[0]):
                own = [embedded[m][arm][run] for m in modalities]
                for scores, values in score(own, trials, cohort).items():
                    result = evaluate(trials, values, definition=definition, replicates=replicates, seed=seed)
                    name = {"system": NAMES[system], "trained_on": arm, "seed": run, "scores": scores}
                    runs.append(name | result.row())
                    found.setdefault(scores, {}).setdefault(arm, {})[run] = result
                    if scores == RAW:
                        curves.append(det_curve(trials, values, model=NAMES[system], trained_on=arm, seed=run))
        gains += [
            {"system": NAMES[system], "scores": scores} | paired_gain(arms["all"], arms["clean"], seed)
            for scores, arms in found.items()
        ]
    return Comparison(pd.DataFrame(gains), pd.DataFrame(runs), pd.concat(curves, ignore_index=True))

"""What ``avsieve evaluate`` does: systems from files of embeddings, scored in every way that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avsieve.embeddings import load_embeddings
from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort, mean_of_as_norms
from avsieve.evaluation.results import evaluate
from avsieve.evaluation.scoring import Part, align, mean_of_cosines
from avsieve.evaluation.segments import read_segments
from avsieve.evaluation.trials import Trials

PROTOCOLS = ("full", "segments")


@dataclass(frozen=True)
class View:
    """One modality by one protocol: what it makes of the trials' utterances and of the cohort's."""

    trials: Part
    cohort: Part | None


def load_several(paths: Sequence[str | Path]) -> tuple[list[str], np.ndarray]:
    """Read several files of embeddings as one.

    Raises
    ------
    AvsieveError
        If their embeddings differ in length, or an utterance is in two of them.
    """
    names: list[str] = []
    vectors: list[np.ndarray] = []
    for path in paths:
        own, found = load_embeddings(path)
        if not own:
            continue
        if vectors and vectors[0].shape[1] != found.shape[1]:
            raise AvsieveError(
                f"{path}: embeddings of length {found.shape[1]}, those before have {vectors[0].shape[1]}; "
                "expected one model for all files"
            )
        if shared := set(names) & set(own):
            raise AvsieveError(f"{path}: utterance {min(shared)} is in an earlier file too; expected each once")
        names += own
        vectors.append(found)
    if not vectors:
        raise AvsieveError(f"{', '.join(map(str, paths))}: no embeddings")
    return names, vectors[0] if len(vectors) == 1 else np.concatenate(vectors)


def full_view(trials: Trials, cohort: Cohort | None, paths: Sequence[str | Path]) -> View:
    """Read the embeddings of whole utterances."""
    names, vectors = load_several(paths)
    own = Part.of(*align(trials.utterances, names, vectors))
    return View(own, None if cohort is None else Part.of(*align(cohort.utterances, names, vectors)))


def segment_view(trials: Trials, cohort: Cohort | None, paths: Sequence[str | Path], frames: int | None) -> View:
    """Read the embeddings of segments, or of ``frames`` evenly spaced faces."""
    own = read_segments(trials.utterances, paths, frames)
    return View(own, None if cohort is None else read_segments(cohort.utterances, paths, frames))


def evaluate_views(
    trials: Trials,
    views: Mapping[str, Mapping[str, View]],
    cohort: Cohort | None,
    *,
    definition: str,
    replicates: int,
    seed: int,
) -> list[dict[str, str | float | int]]:
    """Evaluate each modality, and with two their mean, by each protocol, raw and normalised.

    Parameters
    ----------
    views
        Protocol -> modality -> what was read.
    cohort
        Of the AS-norm; None for raw scores only.
    definition, replicates, seed
        Of the EER and of the bootstrap.

    Returns
    -------
    Rows: ``system``, ``protocol``, ``scores`` (``raw``, ``as_norm``), ``list``, ``version``, ``eer_definition`` and the
    figures.
    """
    known = trials.recognise()
    rows = []
    for protocol, modalities in views.items():
        systems = {name: [view] for name, view in modalities.items()}
        if len(modalities) == 2:
            systems["fused"] = list(modalities.values())
        for system, used in systems.items():
            parts = [view.trials for view in used]
            ways = {"raw": mean_of_cosines(parts, trials.enrol, trials.test)}
            others = [view.cohort for view in used if view.cohort is not None]
            if cohort is not None:
                ways["as_norm"] = mean_of_as_norms(parts, others, cohort, trials.enrol, trials.test)
            for way, scores in ways.items():
                result = evaluate(trials, scores, definition=definition, replicates=replicates, seed=seed)
                name = {"system": system, "protocol": protocol, "scores": way}
                source = {"list": known.name, "version": known.version, "eer_definition": definition}
                rows.append(name | source | result.row())
    return rows

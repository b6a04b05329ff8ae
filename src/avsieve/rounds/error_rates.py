"""Error rates of the rounds' encoders, on the same trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.evaluation.gains import paired_figures
from avsieve.evaluation.results import Result, evaluate, evaluated, refuse_seen_speakers
from avsieve.evaluation.scoring import Part, align
from avsieve.evaluation.trial_lists import TrialList
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import RAW, Embedded, score

SYSTEMS = {"audio": ("audio",), "visual": ("visual",), "both": ("audio", "visual")}
_FIGURES = ("eer", "eer_low", "eer_high")


def error_rates(
    trial_lists: Sequence[TrialList],
    names: Sequence[str],
    embeddings: Mapping[str, Sequence[Sequence[Path]]],
    trained_on: Mapping[str, set[str]],
    *,
    definition: str,
    replicates: int,
    seed: int,
) -> list[dict[str, Any]]:
    """Evaluate the voices, the faces and both (the mean of their cosines) of every round.

    Parameters
    ----------
    trial_lists
        The trials.
    names, embeddings
        Of the rounds; modality -> the shards' files of each.
    trained_on
        Speakers whom a round's encoders were trained on, where they were trained here.
    definition, replicates, seed
        Of the EER and of the bootstrap.

    Returns
    -------
    A row per list, system and round: ``list``, ``labels``, ``system``, ``round``, ``n_trials``, ``n_speakers``,
    ``eer`` and its interval; but for the first ``eer_gain`` (positive: better than the first round) with its own.

    Raises
    ------
    AvsieveError
        If an encoder was trained on people of the trials.
    """

    def of_all(trials: Trials, words: str) -> list[dict[str, Any]]:
        for name, speakers in trained_on.items():
            refuse_seen_speakers(trials, speakers, f"the encoders of round {name}", words)
        parts = {m: [_part(trials, files) for files in of] for m, of in embeddings.items()}
        told: list[dict[str, Any]] = []
        for system, modalities in SYSTEMS.items():
            if not all(m in parts for m in modalities):
                continue
            results: list[Result] = []
            for number, name in enumerate(names):
                scores = score([Embedded(parts[m][number]) for m in modalities], trials)[RAW]
                result = evaluate(trials, scores, definition=definition, replicates=replicates, seed=seed)
                row = {key: value for key, value in result.row().items() if key in _FIGURES}
                row |= {"n_trials": len(trials), "n_speakers": len(trials.speakers()[0])}
                if number:
                    gain = paired_figures([(results[0], result)], ("first", "here"), seed)
                    row |= {key: gain[key] for key in ("eer_gain", "eer_gain_low", "eer_gain_high") if key in gain}
                results.append(result)
                told.append({"system": system, "round": name} | row)
        return told

    rows: list[dict[str, Any]] = []
    for item in trial_lists:
        found, _ = evaluated(item, lambda trials, item=item: of_all(trials, item.words))  # type: ignore[misc]
        rows += [{"list": item.name, "labels": item.labels} | row for row in found or []]
    return rows


def _part(trials: Trials, files: Sequence[Path]) -> Part:
    """Read what the trials need of the shards' embeddings."""
    wanted = set(trials.utterances)
    names: list[str] = []
    vectors = []
    for path in files:
        known, matrix = read_embeddings(path)
        rows = [number for number, name in enumerate(known) if name in wanted]
        if rows:
            names += [known[number] for number in rows]
            vectors.append(matrix[rows])
    matrix = np.concatenate(vectors) if vectors else np.zeros((0, 1), np.float32)
    return Part.of(*align(trials.utterances, names, matrix))

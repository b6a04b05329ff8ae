"""What ``avsieve evaluate`` does: systems from files of embeddings, scored in every way that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from avsieve.embedding_files.places import short
from avsieve.embedding_files.raw import Options, some
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.results import evaluate
from avsieve.evaluation.scoring import Part, align
from avsieve.evaluation.segments import pool_segments
from avsieve.evaluation.trials import Trials
from avsieve.evaluation.ways import Embedded, score

PROTOCOLS = ("full", "segments")


@dataclass(frozen=True)
class Given(Embedded):
    """One modality by one protocol, as the user gave it.

    ``table`` says which utterances there are, and which rows could not be used; segments are not held in it.
    """

    table: EmbeddingTable = field(kw_only=True)


def read_full(trials: Trials, cohort: Cohort | None, paths: Sequence[str | Path], options: Options) -> Given:
    """Read the embeddings of whole utterances."""
    table = read_tables(paths, options, wanted=_wanted(trials, cohort))
    _refuse_strangers(trials, table, paths)
    own = Part.of(*align(trials.utterances, table.utterance, table.embedding))
    other = None if cohort is None else Part.of(*align(cohort.utterances, table.utterance, table.embedding))
    return Given(own, other, table=table)


def read_segments(
    trials: Trials, cohort: Cohort | None, paths: Sequence[str | Path], frames: int | None, options: Options
) -> Given:
    """Read the embeddings of segments, or of ``frames`` evenly spaced faces."""
    wanted = _wanted(trials, cohort)
    known = EmbeddingTable([], np.zeros((0, 0), np.float32))

    def tables() -> Iterator[tuple[str, list[str], np.ndarray]]:
        for path in paths:
            table = read_tables(path, replace(options, several=True), wanted=wanted)
            known.utterance.extend(table.row)
            known.rejected.update(table.rejected)
            known.nameless += table.nameless
            known.notes.extend(table.notes)
            yield str(path), table.utterance, table.embedding

    both = pool_segments(wanted, tables(), frames)
    _refuse_strangers(trials, known, paths)
    n = len(trials.utterances)
    parts = [Part(both.vectors[rows], both.present[rows]) for rows in (slice(n), slice(n, None))]
    return Given(parts[0], None if cohort is None else parts[1], table=known)


def _refuse_strangers(trials: Trials, table: EmbeddingTable, paths: Sequence[str | Path]) -> None:
    """Refuse a table that has no utterance of the trials: the names are of another kind, or it is another corpus."""
    if any(u in table.row or u in table.rejected for u in trials.utterances):
        return
    first = next(iter([*table.row, *table.rejected]), "none")
    raise AvsieveError(
        f"{some(paths, 3)}: none of its {len(table.row):,} utterances is in the trials (the trials' first: "
        f"{short(trials.utterances[0], 60)}, the table's: {short(first, 60)}); names must match; --strip-prefix "
        "removes a folder"
    )


def _wanted(trials: Trials, cohort: Cohort | None) -> list[str]:
    """Return the utterances of the trials, then those of the cohort, which are of other speakers."""
    return [*trials.utterances, *(cohort.utterances if cohort is not None else ())]


def evaluate_given(
    trials: Trials,
    given: Mapping[str, Mapping[str, Given]],
    cohort: Cohort | None,
    *,
    definition: str,
    replicates: int,
    seed: int,
) -> list[dict[str, str | float | int]]:
    """Evaluate each modality, and with two their mean, by each protocol, raw and normalised.

    Parameters
    ----------
    given
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
    for protocol, modalities in given.items():
        systems = {name: [own] for name, own in modalities.items()}
        if len(modalities) == 2:
            systems["fused"] = list(modalities.values())
        for system, used in systems.items():
            for way, scores in score(used, trials, cohort).items():
                result = evaluate(trials, scores, definition=definition, replicates=replicates, seed=seed)
                name = {"system": system, "protocol": protocol, "scores": way}
                source = {"list": known.name, "version": known.version, "eer_definition": definition}
                rows.append(name | source | result.row())
    return rows

"""Stream a corpus speaker by speaker: a shard's plan and the embeddings of both modalities, joined.

Only one shard is in memory at a time. All utterances of a speaker lie in one shard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.errors import AvsieveError
from avsieve.storage.tables import open_table

if TYPE_CHECKING:
    import pandas as pd

MODALITIES = ("audio", "visual")


@dataclass
class Shard:
    """One shard's utterances in the order of the plan, sorted by nothing.

    ``embeddings[m]`` is (n, D) float32 with rows of length 1, or zero where the modality is missing; ``present[m]`` is
    (n,) bool; ``not_finite[m]`` (n,) bool tells that there is an embedding, but of NaN, infinity or zeros;
    ``quality[m]`` is (n,) float32, NaN where unknown. ``speaker`` holds labels, ``video`` keys that are unique over
    speakers.
    """

    utterance: list[str]
    speaker: np.ndarray
    video: np.ndarray
    embeddings: dict[str, np.ndarray]
    present: dict[str, np.ndarray]
    not_finite: dict[str, np.ndarray]
    quality: dict[str, np.ndarray]

    def speakers(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield each speaker and the rows that bear the label, sorted by name."""
        names, code = np.unique(self.speaker, return_inverse=True)
        order = np.argsort(code, kind="stable")
        # A shard without utterances: splitting nothing would still give one part.
        parts = np.split(order, np.cumsum(np.bincount(code))[:-1]) if len(names) else []
        for name, rows in zip(names, parts, strict=True):
            yield str(name), rows


def unit_rows(x: np.ndarray) -> np.ndarray:
    """Return the rows of ``x`` as float32 of length 1; rows of zeros stay zero."""
    x = np.asarray(x, np.float32)
    length = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float32))
    if len(odd := np.flatnonzero(~(np.isfinite(length) & (length > 1e-18)))):
        # Squares of very large and very small values leave the range of float32: bring these rows to size first.
        largest = np.abs(x[odd]).max(axis=1, initial=0.0)
        usable = np.isfinite(largest) & (largest > 0)
        x = x.copy()
        x[odd[usable]] /= largest[usable, None]
        length = np.sqrt(np.einsum("ij,ij->i", x, x, dtype=np.float32))
    return x / np.where(length > 0, length, np.float32(1))[:, None]


def video_of(utterances: Iterable[str], speakers: Iterable[str]) -> np.ndarray:
    """Return a key per video that is unique over speakers: ``label/original speaker/video``.

    The label comes first since it may differ from the id's speaker (an audit moves videos to other labels).
    """
    return np.array([f"{s}/{u.rsplit('/', 1)[0]}" for u, s in zip(utterances, speakers, strict=True)], dtype=object)


def read_plan(path: str | Path) -> pd.DataFrame:
    """Read a plan's training rows: ``utterance`` and ``speaker``, in the order of the file."""
    import pandas as pd

    return pd.DataFrame(_training_rows(path))


def _training_rows(path: str | Path) -> dict[str, list[str]]:
    columns = ["utterance", "speaker"]
    with open_table(path, [*columns, "subset"]) as file:
        table = file.read(columns=[*columns, "subset"])
    rows = [subset == "train" for subset in table["subset"].to_pylist()]
    return {c: list(compress(table[c].to_pylist(), rows)) for c in columns}


def read_shard(plan: str | Path, audio: str | Path | None, visual: str | Path | None) -> Shard:
    """Read one shard; a modality whose path is None is missing for every utterance.

    Raises
    ------
    AvsieveError
        If the embedding tables hold no utterance of the plan: they belong to another run.
    """
    return join_shard(
        _training_rows(plan),
        {m: _read_modality(p) for m, p in zip(MODALITIES, (audio, visual), strict=True)},
        str(plan),
    )


def join_shard(
    rows: pd.DataFrame | Mapping[str, Sequence[str]],
    tables: dict[str, tuple[list[str], np.ndarray, np.ndarray | None] | None],
    name: str,
) -> Shard:
    """Join ``utterance``, ``speaker`` rows with (ids, embeddings, quality) per modality.

    An embedding that is not finite, or zero, is a missing one, and told.

    Raises
    ------
    AvsieveError
        If the embeddings are of other utterances, or none of them can be used.
    """
    utterances = list(rows["utterance"])
    labels = np.array(list(rows["speaker"]), dtype=object)
    row_of = {u: i for i, u in enumerate(utterances)}
    n = len(utterances)
    shard = Shard(utterances, labels, video_of(utterances, labels), {}, {}, {}, {})
    for modality in MODALITIES:
        table = tables.get(modality)
        ids, matrix, grade = table if table is not None else ([], np.zeros((0, 0), np.float32), None)
        known = np.array([row_of.get(u, -1) for u in ids], dtype=np.int64)
        use = known >= 0
        if n and len(ids) and not use.any():
            raise AvsieveError(
                f"{name}: none of the {len(ids)} {modality} embeddings is of an utterance in the plan "
                f"(first: {ids[0]}; the plan's first: {utterances[0]}); give plan and embeddings of the same shard"
            )
        full = np.zeros((n, matrix.shape[1]), np.float32)
        full[known[use]] = matrix[use]
        finite = np.isfinite(full).all(axis=1)
        full[~finite] = 0.0
        full = unit_rows(full)
        grades = np.full(n, np.nan, np.float32)
        if grade is not None:
            grades[known[use]] = grade[use]
        there = np.zeros(n, bool)
        there[known[use]] = True
        present = np.einsum("ij,ij->i", full, full) > 0
        if there.any() and not present.any():
            raise AvsieveError(
                f"{name}: all {int(there.sum())} {modality} embeddings are NaN, infinite or zero (first: "
                f"{utterances[int(there.argmax())]}); embed its utterances again"
            )
        shard.embeddings[modality], shard.quality[modality] = full, grades
        shard.present[modality], shard.not_finite[modality] = present, there & ~present
    return shard


def _read_modality(path: str | Path | None) -> tuple[list[str], np.ndarray, np.ndarray | None] | None:
    if path is None:
        return None
    if not Path(path).exists():
        raise AvsieveError(f"{path}: no such embeddings; run the stage that makes them first")
    ids, matrix = read_embeddings(path)
    with open_table(path) as file:
        names = file.schema_arrow.names
        column = next((c for c in ("quality", "duration_s") if c in names), None)
        grade = file.read(columns=[column])[column].to_numpy().astype(np.float32) if column else None
    return ids, matrix, grade


def paths_per_shard(
    plans: Sequence[Path], audio: Sequence[Path], visual: Sequence[Path]
) -> list[tuple[Path, Path | None, Path | None]]:
    """Pair plans with embedding tables by position.

    Raises
    ------
    AvsieveError
        If a modality is given for some shards only.
    """
    for name, paths in (("audio", audio), ("visual", visual)):
        if paths and len(paths) != len(plans):
            raise AvsieveError(
                f"{len(plans)} plans but {len(paths)} {name} tables; give one per plan, in the same order, or none"
            )
    if not audio and not visual:
        raise AvsieveError("neither audio nor visual embeddings were given; give at least one modality")
    return [(plan, audio[i] if audio else None, visual[i] if visual else None) for i, plan in enumerate(plans)]

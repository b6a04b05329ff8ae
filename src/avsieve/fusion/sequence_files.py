"""Sequences from the tables of the shards: packed into one file, of which batches are read.

The faces of VoxCeleb2 are 11 GB as half-precision numbers, and a batch of training takes any utterances of them. In
the tables they are compressed by the row group, so a batch would have to read nearly all. They are therefore copied
once into a file without a name beside the output, of which batches are read (`avsieve.fusion.packed_sequences`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.embedding_files.sequence_tables import KNOWN, find_runs, no_segmentation, read_rows
from avsieve.errors import AvsieveError
from avsieve.fusion.inputs import Inputs, Stream, read_stream
from avsieve.fusion.packed_sequences import Facts, PackedSequences
from avsieve.fusion.sequences import Sequences
from avsieve.storage.packed_rows import PackedRows
from avsieve.storage.sequence_names import FRAMES, HOPS


@dataclass
class _Found:
    """What is wanted of a table: (N,) bool each, which of its rows, and which of all begin a piece."""

    path: Path
    keep: np.ndarray
    begins: np.ndarray


def read_sequences(
    utterances: Sequence[str], paths: Sequence[str | Path], names: Sequence[str], *, scratch: Path, unnamed: str = HOPS
) -> dict[str, Sequences]:
    """Make sequences of the tables of segments or faces of the shards ready for reading.

    Every table is read twice, a row group at a time: first its names, then the embeddings that are wanted.

    Parameters
    ----------
    utterances
        What the rows of the sequences stand for.
    paths
        Tables that `avsieve.embedding_files.own_tables.write_embeddings` wrote, with ``segmentation``, ``start_s``,
        ``length_s`` and ``quality`` where they are known. The rows of an utterance and segmentation follow each other
        in the order of time.
    names
        The segmentations that are wanted.
    scratch
        See `avsieve.storage.packed_rows.PackedRows`.
    unnamed
        What the rows of a table are that has no column ``segmentation``.

    Raises
    ------
    AvsieveError
        If the rows of an utterance do not follow each other or not in the order of time, the tables disagree about the
        length of an embedding, an utterance is in two of them or listed twice, or no table has such a segmentation.
    """
    index = pd.Index(utterances)
    if not index.is_unique:
        raise AvsieveError(f"utterance {index[index.duplicated()][0]} is listed twice; expected each once")
    begins = {name: np.zeros(len(index), np.int64) for name in names}
    counts = {name: np.zeros(len(index), np.int64) for name in names}
    found: list[_Found] = []
    seen: dict[str, None] = {}
    dim, total = 0, 0
    for path in map(Path, paths):
        runs = find_runs(path, unnamed)
        if not len(runs.counts):
            dim = dim or runs.dim
            continue
        if found and runs.dim != dim:
            raise AvsieveError(
                f"{path}: embeddings of length {runs.dim}, those before have {dim}; embed all shards with one model"
            )
        dim = runs.dim
        seen |= dict.fromkeys(runs.names)
        place = index.get_indexer(runs.utterances.to_pandas())
        wanted = np.zeros(len(place), bool)
        for number, name in enumerate(runs.names):
            if name in counts:
                own = np.flatnonzero((runs.name == number) & (place >= 0))
                _check_once(path, name, place[own], index, counts[name])
                counts[name][place[own]] = runs.counts[own]
                wanted[own] = True
        lengths = np.where(wanted, runs.counts, 0)
        starts = total + np.cumsum(lengths) - lengths
        for number, name in enumerate(runs.names):
            if name in begins:
                own = np.flatnonzero((runs.name == number) & (place >= 0))
                begins[name][place[own]] = starts[own]
        total += int(lengths.sum())
        begin = np.zeros(int(runs.counts.sum()), bool)
        begin[np.cumsum(runs.counts) - runs.counts] = True
        found.append(_Found(path, np.repeat(wanted, runs.counts), begin))
    if seen and (missing := [name for name in names if name not in seen]):
        raise no_segmentation(found[0].path, missing[0], list(seen))
    rows, facts = _packed(found, PackedRows(total, dim, scratch), 0.0 if unnamed == FRAMES else np.nan)
    return {name: PackedSequences(rows, facts, begins[name], counts[name]) for name in names}


def read_inputs(
    utterances: list[str],
    audio: Sequence[str | Path],
    visual: Sequence[str | Path],
    names: Iterable[str] = (),
    *,
    audio_segments: Sequence[str | Path] = (),
    visual_frames: Sequence[str | Path] = (),
    scratch: Path,
) -> Inputs:
    """Read both modalities of some utterances, with the sequences that models read; other tables are not opened.

    Parameters
    ----------
    utterances, audio, visual
        See `avsieve.fusion.inputs.read_stream`.
    names
        The sequences: names of segmentations, and `FRAMES`.
    audio_segments, visual_frames
        Their tables, see `read_sequences`.
    scratch
        See `avsieve.storage.packed_rows.PackedRows`.

    Raises
    ------
    AvsieveError
        As these two, and where there are no tables of a sequence.
    """
    read = list(names)
    return Inputs(
        utterances,
        read_modality("audio", utterances, audio, audio_segments, read, scratch=scratch),
        read_modality("visual", utterances, visual, visual_frames, read, scratch=scratch),
    )


def read_modality(
    modality: str,
    utterances: list[str],
    paths: Sequence[str | Path],
    tables: Sequence[str | Path],
    names: Iterable[str],
    *,
    scratch: Path,
) -> Stream:
    """Read one modality of some utterances, with those of the sequences ``names`` that it has; see `read_inputs`.

    Parameters
    ----------
    modality
        ``audio``, whose sequences are segmentations, or ``visual``, which has `FRAMES`.
    tables
        Those of its segments or faces.

    Raises
    ------
    AvsieveError
        See `read_inputs`; or if the embeddings of a sequence are of another length than those of whole utterances.
    """
    of_faces = modality == "visual"
    wanted = [name for name in dict.fromkeys(names) if (name == FRAMES) == of_faces]
    sequences: dict[str, Sequences] = {}
    if wanted and not tables:
        option = "--visual-frames" if of_faces else "--audio-segments"
        raise AvsieveError(f"a model reads the sequence {wanted[0]}, but no table has it; give {option}")
    if wanted:
        unnamed = FRAMES if of_faces else HOPS
        sequences = read_sequences(utterances, tables, wanted, scratch=scratch, unnamed=unnamed)
    stream = read_stream(utterances, paths, sequences, scratch=scratch)
    for name, own in sequences.items():
        if own.counts.any() and stream.present.any() and own.dim != stream.dim:
            raise AvsieveError(
                f"{tables[0]}: embeddings of length {own.dim} ({name}), those of whole utterances have {stream.dim}; a "
                "model that reads both needs one encoder for both"
            )
    return stream


def _check_once(path: Path, name: str, places: np.ndarray, index: pd.Index, before: np.ndarray) -> None:
    """Refuse utterances whose rows are in two pieces of a table, or in two tables."""
    several = np.bincount(places, minlength=len(index)) > 1
    if several.any():
        raise AvsieveError(
            f"{path}: the rows of {index[several.argmax()]} ({name}) are scattered; expected them one behind the "
            "other, in the order of time: sort the table, or run the stage that wrote it again"
        )
    again = places[before[places] > 0]
    if len(again):
        twice = index[again[0]]
        raise AvsieveError(f"{path}: utterance {twice} ({name}) is in an earlier table too; expected it in one")


def _packed(found: list[_Found], rows: PackedRows, length_s: float) -> tuple[PackedRows, Facts]:
    """Copy what is wanted of the tables; ``length_s`` is that of the rows whose table does not tell."""
    known: dict[str, np.ndarray] = {}
    at = 0
    for own in found:
        first = own.begins[own.keep]  # whether a row begins a piece
        begin = at
        for part in read_rows(own.path, own.keep):
            end = at + len(part.vectors)
            rows.write(at, part.vectors)
            for name in KNOWN:
                values = getattr(part, name)
                if values is None:
                    continue
                if name not in known:
                    known[name] = np.full(rows.rows, length_s if name == "length_s" else np.nan, np.float32)
                known[name][at:end] = values
            at = end
        if "start_s" in known:
            back = np.diff(known["start_s"][begin:at]) < 0
            if (back & ~first[1:]).any():
                raise AvsieveError(
                    f"{own.path}: rows of an utterance are not in the order of their start_s; sort the table, or run "
                    "the stage that wrote it again"
                )
    usual = {"start_s": np.nan, "length_s": length_s, "quality": np.nan}
    return rows, Facts(*(known.get(name, np.array([usual[name]], np.float32)) for name in KNOWN))

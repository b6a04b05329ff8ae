"""Sequences from the tables of the shards: packed into one file, of which batches are read.

The faces of VoxCeleb2 are 11 GB as half-precision numbers, and a batch of training takes any utterances of them. In
the tables they are compressed by the row group, so a batch would have to read nearly all. They are therefore copied
once into a file without a name beside the output, the rows of an utterance in one piece: reading one is one
positional read. The file is no part of this process's memory, as mapped pages would be; the system keeps in its cache
what fits there. Few rows are kept in memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd

from avsieve.embedding_files.sequence_tables import KNOWN, find_runs, no_segmentation, read_rows
from avsieve.errors import AvsieveError
from avsieve.fusion.inputs import Inputs, Stream, read_stream
from avsieve.fusion.sequences import SequenceBatch, Sequences
from avsieve.storage.sequence_names import FRAMES, HOPS

HELD_BYTES = 256 * 2**20
"""Embeddings that take no more are held in memory."""

_AT_ONCE = 1 << 16  # rows that are read together, beside those of one long piece: 64 MiB of faces


class PackedRows:
    """Rows of half-precision embeddings, one behind the other: written once in their order, then read anywhere.

    Parameters
    ----------
    rows, dim
        How many, and the length of each.
    scratch
        The folder of the file that holds them, where they take more than `HELD_BYTES`: one with room for them, and no
        file system in memory. The file has no name, so that nothing is left behind, however the process ends.
    """

    def __init__(self, rows: int, dim: int, scratch: Path) -> None:
        self.dim, self.rows = dim, rows
        self._row_bytes, self._scratch = 2 * dim, scratch
        self._held: np.ndarray | None = None
        self._file: BinaryIO | None = None
        if rows * self._row_bytes <= HELD_BYTES:
            self._held = np.empty((rows, dim), np.float16)
        else:
            scratch.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=scratch, buffering=0)

    def write(self, at: int, vectors: np.ndarray) -> None:
        """Write (n, dim) float16 from row ``at`` on.

        Raises
        ------
        AvsieveError
            If the disk is full.
        """
        if self._held is not None:
            self._held[at : at + len(vectors)] = vectors
            return
        assert self._file is not None  # one of both
        left, offset = np.ascontiguousarray(vectors).reshape(-1).view(np.uint8).data, at * self._row_bytes
        try:
            while left:
                done = os.pwrite(self._file.fileno(), left, offset)
                left, offset = left[done:], offset + done
        except OSError as error:
            raise AvsieveError(
                f"{self._scratch}: {error.strerror} while embeddings were put into a scratch file of "
                f"{self.rows * self._row_bytes / 1e9:.1f} GB there; make room for it, or write the output elsewhere"
            ) from error

    def read(self, begins: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Return the rows of some pieces, one behind the other, (sum of counts, dim) float16; safe from any thread."""
        ends = np.cumsum(counts)
        total = int(ends[-1]) if len(ends) else 0
        if self._held is not None:
            steps = np.arange(total) - np.repeat(ends - counts, counts)
            return self._held[np.repeat(begins, counts) + steps]
        assert self._file is not None  # one of both
        out = np.empty((total, self.dim), np.float16)
        buffer, handle = out.reshape(-1).view(np.uint8).data, self._file.fileno()
        # Pieces that follow each other in the file are one read.
        joins = np.flatnonzero(np.r_[True, begins[1:] != begins[:-1] + counts[:-1]]) if len(begins) else begins
        for first, last in zip(joins.tolist(), [*joins[1:].tolist(), len(begins)], strict=True):
            place = int(ends[first] - counts[first]) * self._row_bytes
            stop = int(ends[last - 1]) * self._row_bytes
            offset = int(begins[first]) * self._row_bytes
            while place < stop:
                done = os.preadv(handle, [buffer[place:stop]], offset)
                if not done:
                    raise AvsieveError(f"{self._scratch}: the scratch file there is shorter than what was written")
                place, offset = place + done, offset + done
        return out


class Facts(NamedTuple):
    """What is known of N rows: (N,) float32 each, or (1,) where it is the same of all."""

    start_s: np.ndarray
    length_s: np.ndarray
    quality: np.ndarray


class PackedSequences(Sequences):
    """Sequences whose embeddings are `PackedRows`; times and qualities lie in memory.

    Parameters
    ----------
    rows, facts
        The embeddings, and what is known of each, in the same order.
    begins, counts
        (U,) int64, where the piece of each utterance begins, and how many rows it has.
    """

    def __init__(self, rows: PackedRows, facts: Facts, begins: np.ndarray, counts: np.ndarray) -> None:
        self.dim, self.counts = rows.dim, counts
        self._rows, self._facts, self._begins = rows, facts, begins

    def read(self, rows: np.ndarray) -> SequenceBatch:
        """Return the sequences of ``rows`` (B,)."""
        counts = self.counts[rows]
        longest = int(counts.max(initial=0))
        steps = np.arange(longest)[None, :]
        return self.read_at(rows, np.broadcast_to(steps, (len(rows), longest)), steps < counts[:, None])

    def read_at(self, rows: np.ndarray, places: np.ndarray, mask: np.ndarray) -> SequenceBatch:
        """Return the items at ``places`` (B, K) of each row; nothing else is padded, however long a sequence is."""
        distinct, back = np.unique(rows, return_inverse=True)
        order = np.argsort(self._begins[distinct], kind="stable")
        begins, counts = self._begins[distinct[order]], self.counts[distinct[order]]
        before = np.cumsum(counts) - counts
        stretch = before // _AT_ONCE  # pieces that are read together: a few items of long ones need not lie in memory
        vectors = np.zeros((*mask.shape, self.dim), np.float32)
        within, number = np.empty((2, len(distinct)), np.int64)
        within[order], number[order] = before, stretch
        for own in np.unique(stretch).tolist():
            first, last = np.searchsorted(stretch, [own, own + 1])
            packed = self._rows.read(begins[first:last], counts[first:last])
            mine = mask & (number[back] == own)[:, None]
            vectors[mine] = packed[(within[back][:, None] - before[first] + places)[mine]]
        items = (self._begins[rows][:, None] + places)[mask]
        known = []
        for values in self._facts:
            array = np.full(mask.shape, np.nan, np.float32)
            array[mask] = values[0] if len(values) == 1 else values[items]
            known.append(array)
        return SequenceBatch(vectors, mask, *known)


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
        See `PackedRows`.
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
        See `PackedRows`.

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
        See `read_inputs`.
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
    return read_stream(utterances, paths, sequences, scratch=scratch)


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

"""The decisions of a run in columns: a million utterances in some 150 MB."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.storage.tables import open_table

KINDS = ("video", "audio", "visual")
PROBABILITIES = ("p_audio_wrong", "p_visual_wrong", "p_wrong", "p_suggested")
_CODED = ("speaker", "kind", "suggested_speaker", "decision", "reason")


@dataclass(frozen=True)
class Coded:
    """A column of few texts: ``names`` (k,) of str, and ``code`` (n,) int32 that says which, -1 where there is none."""

    names: np.ndarray
    code: np.ndarray

    @classmethod
    def of(cls, column: pa.ChunkedArray | pa.Array) -> Coded:
        """Encode a column of texts."""
        if not len(column):  # Arrow joins no chunks of any type
            column = pa.array([], pa.string())
        if isinstance(column, pa.ChunkedArray):
            encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
            column = encoded.unify_dictionaries().combine_chunks()
        if not pa.types.is_dictionary(column.type):
            column = column.dictionary_encode()
        names = column.dictionary.to_numpy(zero_copy_only=False).astype(object)
        return cls(names, column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32))

    def find(self, name: str) -> int:
        """Return the code of a name; -2 where it does not occur."""
        found = np.flatnonzero(self.names == name)
        return int(found[0]) if len(found) else -2

    def is_(self, name: str) -> np.ndarray:
        """Tell which rows have that text, (n,) bool."""
        return np.asarray(self.code == self.find(name))

    def counts(self, rows: np.ndarray | None = None) -> dict[str, int]:
        """Count the texts that occur, in ``rows`` where these are given; the most frequent first, then by name."""
        code = self.code if rows is None else self.code[rows]
        count = np.bincount(code[code >= 0], minlength=len(self.names))
        found = {str(name): int(n) for name, n in zip(self.names, count, strict=True) if n}
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def text(self, row: int) -> str | None:
        """Return the text of a row, None where it has none."""
        code = int(self.code[row])
        return None if code < 0 else str(self.names[code])


@dataclass(frozen=True)
class Decided:
    """What was decided of n utterances, in the order of the table.

    Attributes
    ----------
    utterance
        Ids, an Arrow array (n,) of str.
    speaker, video, kind, suggested, decision, reason
        Columns of `docs/formats.md`; ``video`` is ``speaker/video``, and ``kind`` is ``''`` of what is not flagged.
    p_audio_wrong, p_visual_wrong, p_wrong, p_suggested
        Probabilities, (n,) float32, NaN where there is none.
    """

    utterance: pa.Array
    speaker: Coded
    video: Coded
    kind: Coded
    suggested: Coded
    decision: Coded
    reason: Coded
    p_audio_wrong: np.ndarray
    p_visual_wrong: np.ndarray
    p_wrong: np.ndarray
    p_suggested: np.ndarray

    def __len__(self) -> int:
        return len(self.p_wrong)

    @property
    def flagged(self) -> np.ndarray:
        """What is believed to carry a wrong label, (n,) bool."""
        return self.decision.is_("noisy")

    @property
    def judged(self) -> np.ndarray:
        """What has a probability, (n,) bool."""
        return ~np.isnan(self.p_wrong)

    def row_of(self, utterance: str) -> int:
        """Return the row of an utterance, -1 where there is none."""
        return int(pc.index(self.utterance, utterance).as_py())

    def names(self, rows: np.ndarray) -> list[str]:
        """Return the ids of some rows, in their order."""
        found: list[str] = self.utterance.take(pa.array(np.asarray(rows, np.int64))).to_pylist()
        return found


def videos_of(utterance: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Return ``speaker/video`` of ids ``speaker/video/utterance``."""
    return pc.replace_substring_regex(utterance, r"/[^/]*$", "")


def read_decided(path: str | Path) -> Decided:
    """Read ``decisions.parquet``.

    Raises
    ------
    AvsieveError
        If there is no such table, or it lacks a column.
    """
    columns = ["utterance", *_CODED, *PROBABILITIES]
    with open_table(path, columns) as file:
        # A column at a time: texts become codes before the next are read.
        utterance = file.read(columns=["utterance"])["utterance"]
        coded: dict[str, Any] = {name: Coded.of(file.read(columns=[name])[name]) for name in _CODED}
        numbers = {name: file.read(columns=[name])[name].to_numpy() for name in PROBABILITIES}
    return _decided(utterance, coded, numbers)


def decided_of(table: pa.Table) -> Decided:
    """Return the decisions of a table that has been read; it needs the columns of ``decisions.parquet`` named above."""
    coded: dict[str, Any] = {name: Coded.of(table[name]) for name in _CODED}
    return _decided(table["utterance"], coded, {name: table[name].to_numpy() for name in PROBABILITIES})


def _decided(utterance: pa.ChunkedArray, coded: dict[str, Any], numbers: dict[str, Any]) -> Decided:
    merged = pa.concat_arrays(utterance.chunks) if utterance.num_chunks else pa.array([], pa.string())
    coded["suggested"] = coded.pop("suggested_speaker")
    return Decided(utterance=merged, video=Coded.of(videos_of(merged)), **coded, **numbers)

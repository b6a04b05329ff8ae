"""The decisions of a run in memory, for a table that is sorted, filtered and paged on every key stroke.

A million utterances take some 150 MB. Orders are computed once per column and kept, so a page deep inside costs a
slice; a filter costs a mask.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.inspection.decided import Coded, Decided, read_decided
from avsieve.storage.tables import open_table

MODALITIES = ("audio", "visual")


@dataclass(frozen=True)
class Columns:
    """The columns of n utterances, in the order of ``decisions.parquet``.

    Attributes
    ----------
    decided
        The decisions.
    similarity
        Modality -> (n,) float32, cosine to the label's centre; NaN where there is none.
    machine_flagged
        (n,) bool, what the method flagged by itself, where the run was decided with reviews; else None.
    by_id
        (n,) int32, the rows in the order of their ids; None where they stand so.
    """

    decided: Decided
    similarity: dict[str, np.ndarray]
    machine_flagged: np.ndarray | None
    by_id: np.ndarray | None

    @cached_property
    def _by_speaker(self) -> tuple[np.ndarray, np.ndarray]:
        """Rows in the order of their labels, and where each label begins there."""
        code = self.decided.speaker.code
        order = np.argsort(code, kind="stable").astype(np.int32)
        return order, np.searchsorted(code[order], np.arange(len(self.decided.speaker.names) + 1))

    def __len__(self) -> int:
        return len(self.decided)

    def id_of(self, row: int) -> str:
        """Return the id of a row."""
        found: str = self.decided.utterance[row].as_py()
        return found

    def row_of(self, utterance: str) -> int:
        """Return the row of an utterance, -1 where there is none; by halving, in some 20 looks."""
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            row = middle if self.by_id is None else int(self.by_id[middle])
            found = self.decided.utterance[row].as_py()
            if found == utterance:
                return row
            # Arrow orders by bytes, Python by code points; for ids, which are ASCII, that is the same.
            low, high = (middle + 1, high) if found < utterance else (low, middle)
        return -1

    def rows_of_speaker(self, speaker: str) -> np.ndarray:
        """Return the rows of a label, (k,) int32."""
        return self._rows_of_label(self.decided.speaker.find(speaker))

    def rows_of_video(self, row: int) -> np.ndarray:
        """Return the rows of the same label and video as ``row``, itself included."""
        rows = self._rows_of_label(int(self.decided.speaker.code[row]))
        video = self.decided.video.code
        return rows[video[rows] == video[row]]

    def _rows_of_label(self, code: int) -> np.ndarray:
        order, first = self._by_speaker
        return order[first[code] : first[code + 1]] if code >= 0 else order[:0]


def read_columns(path: str | Path) -> Columns:
    """Read ``decisions.parquet``.

    Raises
    ------
    AvsieveError
        If there is no such table, or it lacks a column.
    """
    decided = read_decided(path)
    n = len(decided)
    similarity, machine = {}, None
    with open_table(path) as file:
        there = set(file.schema_arrow.names)
        for m in MODALITIES:
            name = f"{m}_similarity"
            column = file.read(columns=[name])[name].to_numpy() if name in there else np.full(n, np.nan)
            similarity[m] = column.astype(np.float32)
        if "machine_decision" in there:
            machine = Coded.of(file.read(columns=["machine_decision"])["machine_decision"]).is_("noisy")
    return Columns(decided, similarity, machine, _by_id(decided.utterance))


def _by_id(utterance: pa.Array) -> np.ndarray | None:
    in_order = len(utterance) < 2 or pc.all(pc.less(utterance[:-1], utterance[1:])).as_py()
    return None if in_order else pc.sort_indices(utterance).to_numpy().astype(np.int32)

"""Read the names and times of tables of segments or faces, and bring their rows into the order of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from avsieve.embedding_files.item_tables import FRAME, NAMELESS, SEGMENT, ItemTable, describe_table, read_items
from avsieve.embedding_files.raw import Options, some
from avsieve.embedding_files.sequence_tables import KNOWN, SEGMENTATION
from avsieve.errors import AvsieveError
from avsieve.sources.embeddings.gathered_items import Gathered
from avsieve.storage.sequence_names import FRAMES


def gather(utterances: Sequence[str], tables: Mapping[str, Sequence[str]], options: Options) -> Gathered:
    """Read the names and times of the rows, and bring those of ``utterances`` into their order.

    Within an utterance and sequence they are sorted by ``start_s``, then by the number of the segment or frame; where
    neither is known, they stay as they come.

    Parameters
    ----------
    utterances
        In the order that is wanted.
    tables
        Name of a sequence -> its tables.

    Raises
    ------
    AvsieveError
        If a table cannot be read, there is no row of a sequence, no utterance is in a table, or one is in two.
    """
    sequences = list(tables)
    of_faces = sequences == [FRAMES]
    described = {
        path: describe_table(path, options, of_faces=of_faces) for own in tables.values() for path in map(str, own)
    }
    place_of = {utterance: k for k, utterance in enumerate(utterances)}
    reader = _Reader(sequences, place_of)
    for path, table in described.items():
        reader.read(table, [k for k, name in enumerate(sequences) if path in map(str, tables[name])])
    found = reader.gathered(list(described.values()), list(utterances))
    _check_sequences(found, reader.seen, reader.example)
    owner = np.searchsorted(found.begins, found.order, side="right")
    split = ~found.changes(0, len(owner))[1:] & (owner[1:] != owner[:-1])
    if split.any():
        row = int(split.argmax()) + 1
        here, there = (found.tables[owner[k] - 1].path for k in (row, row - 1))
        raise AvsieveError(
            f"{here}: utterance {found.utterances[found.place[row]]} ({sequences[found.which[row]]}) is in {there} "
            "too; expected all its rows in one table"
        )
    return found


class _Reader:
    """Reads tables one behind the other, and keeps what is known of the rows that are wanted."""

    def __init__(self, sequences: list[str], place_of: dict[str, int]) -> None:
        self.sequences, self.place_of = sequences, place_of
        self.wanted: list[np.ndarray] = []
        self.columns: dict[str, list[np.ndarray]] = {n: [] for n in ("place", "which", "number", *KNOWN)}
        self.frame: list[pa.Array] = []
        self.has: set[str] = set()
        self.seen: set[str] = set()
        self.example = ""
        self.unknown = self.nameless = 0

    def read(self, table: ItemTable, own: list[int]) -> None:
        """Read a table, of the sequences at the positions ``own``."""
        named = SEGMENTATION in table.columns
        if not named and len(own) > 1:
            both = " and ".join(self.sequences[k] for k in own)
            raise AvsieveError(
                f"{table.path}: no column 'segmentation', but it is named for {both}; add the column, or bring a table "
                "of each"
            )
        kept = []
        for items in read_items(table, self._place):
            which = self._sequences_of(items.segmentation, own) if named else np.full(len(items.place), own[0])
            ours = which >= 0
            keep = ours & (items.place >= 0)
            self.nameless += int((ours & (items.place == NAMELESS)).sum())
            self.unknown += int((ours & (items.place == -1)).sum())
            kept.append(keep)
            self.columns["place"].append(items.place[keep].astype(np.int32))
            self.columns["which"].append(which[keep].astype(np.int8))
            count = int(keep.sum())
            has_number = bool({FRAME, SEGMENT} & set(table.columns))
            # What a table does not have takes no room until another one has it.
            self.columns["number"].append(items.number[keep] if has_number else np.broadcast_to(np.nan, count))
            for name in KNOWN:
                values = items.known[name][keep] if name in items.known else np.broadcast_to(np.nan, count)
                self.columns[name].append(values)
            if FRAME in table.columns:
                self.frame.append(items.frame.filter(pa.array(keep)))
            else:
                self.frame.append(pa.nulls(count, pa.string()))
        self.has |= set(table.columns)
        self.wanted.append(np.concatenate(kept) if kept else np.zeros(0, bool))

    def _place(self, name: str) -> int:
        self.example = self.example or name
        return self.place_of.get(name, -1)

    def _sequences_of(self, column: pa.Array, own: list[int]) -> np.ndarray:
        coded = column.dictionary_encode()
        names = coded.dictionary.to_pylist()
        self.seen |= set(names)
        to = {self.sequences[k]: k for k in own}
        return np.array([*(to.get(name, -1) for name in names), -1])[
            coded.indices.fill_null(len(names)).to_numpy(zero_copy_only=False)
        ]

    def gathered(self, tables: list[ItemTable], utterances: list[str]) -> Gathered:
        """Sort what was read."""
        total = sum(map(len, self.columns["place"]))
        number = bool({FRAME, SEGMENT} & self.has)
        there = ["place", "which", *(["number"] if number else []), *(name for name in KNOWN if name in self.has)]
        read = {name: np.concatenate(self.columns.pop(name) or [np.zeros(0)]) for name in there}
        order = np.lexsort([read[name] for name in ("number", "start_s", "which", "place") if name in read])
        for name in there:
            read[name] = read[name][order]
        return Gathered(
            tables,
            self.wanted,
            utterances,
            self.sequences,
            order,
            read["place"].astype(np.int32, copy=False),
            read["which"].astype(np.int8, copy=False),
            read["number"] if number else np.broadcast_to(np.nan, total),
            {name: read[name] for name in KNOWN if name in self.has},
            pa.chunked_array(self.frame, pa.string()) if FRAME in self.has else None,
            self.unknown,
            self.nameless,
        )


def _check_sequences(found: Gathered, seen: set[str], example: str) -> None:
    """Refuse sequences that no row is of."""
    if not sum(table.rows for table in found.tables):
        raise AvsieveError(f"{found.tables[0].path}: no rows; expected embeddings of segments or faces")
    there = set(np.unique(found.which).tolist())
    for k, name in enumerate(found.sequences):
        if k in there:
            continue
        if seen and name not in seen:
            raise AvsieveError(
                f"{found.tables[0].path}: no segmentation {name}, found {some(sorted(map(str, seen)))}; name one of "
                "these in source.embeddings.audio_segments"
            )
        raise AvsieveError(
            f"{found.tables[0].path}: no row of {name} is of an utterance of the list (the list's first: "
            f"{found.utterances[0]}, the table's: {example or 'none'}); names must match"
        )

"""Where the members of a tar lie, by utterance, in little memory: 16 to 20 bytes a member would be too many.

A process that trains on VoxCeleb2 has 256 shards open, with 21 million faces in all. Of a member its checksum alone is
kept, four bytes; of an utterance its id, where its first member begins, and which rows of the index are its own. Names
and sizes of its members stand in the tar, each before its content.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.storage.tables import read_arrow

Bytes = TypeVar("Bytes", int, np.ndarray)


def padded(size: Bytes) -> Bytes:
    """Return the bytes that content takes: whole blocks of 512."""
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


class TarIndex:
    """The index of a tar.

    Attributes
    ----------
    crc32
        (members,) uint32, in the order of the tar.
    end
        Where the last content ends, in bytes.
    """

    def __init__(self, path: str | Path) -> None:
        table = read_arrow(Path(path), ["utterance", "offset", "size", "crc32"])
        offset, size = (table[name].to_numpy().astype(np.int64) for name in ("offset", "size"))
        self.crc32 = table["crc32"].to_numpy().astype(np.uint32)
        self.end = int((offset + size).max()) if len(offset) else 0
        encoded = pc.dictionary_encode(table["utterance"].combine_chunks())
        of = encoded.indices.to_numpy(zero_copy_only=False)
        begins = np.flatnonzero(np.r_[True, of[1:] != of[:-1]]) if len(of) else np.zeros(0, np.int64)
        # A member begins with its header, which is where the padded content before it ends.
        heads = np.r_[0, offset[:-1] + padded(size[:-1])][begins] if len(of) else np.zeros(0, np.int64)
        ids = _bytes(encoded.dictionary)
        # Members of an utterance follow each other in all that the stages write. Elsewhere it has several runs.
        order = np.lexsort((begins, ids[of[begins]])) if len(of) else np.zeros(0, np.int64)
        self._ids = ids[of[begins]][order]
        self._order = order.astype(np.uint32)
        self._heads = heads[order]
        self._rows = begins[order].astype(np.uint32)
        self._counts = np.diff(np.r_[begins, len(of)])[order].astype(np.uint32)

    def __len__(self) -> int:
        return len(self.crc32)

    @property
    def utterances(self) -> list[str]:
        """Ids of the utterances that have a member, in the order of the tar."""
        found = np.empty(len(self._ids), self._ids.dtype)
        found[self._order] = self._ids
        return [item.decode() for item in dict.fromkeys(found.tolist())]

    def runs(self, utterance: str) -> list[tuple[int, int, int]]:
        """Return the members of an utterance, by runs of such as follow each other; none is no error.

        Returns
        -------
        list
            Where the header of the first begins in the tar, its row in the index, and how many follow.
        """
        key = utterance.encode()
        first, last = (int(np.searchsorted(self._ids, key, side)) for side in ("left", "right"))
        return [(int(self._heads[k]), int(self._rows[k]), int(self._counts[k])) for k in range(first, last)]


def _bytes(ids: pa.Array) -> np.ndarray:
    """Return texts as (n,) bytes of one length, which sort as their characters do."""
    texts = [text.encode() for text in ids.to_pylist()]
    return np.array(texts, dtype=f"S{max(map(len, texts), default=1)}")

"""Where the members of a tar lie, by utterance, in little memory: 16 to 20 bytes a member would be too many.

A process that trains on VoxCeleb2 has 256 shards open, with 21 million faces in all, and as many of its wavs. Of a
member its checksum alone is kept, four bytes; of an utterance the number that stands for its id, where its first member
begins, which rows of the index are its own, and how many bytes they have: 26 bytes. Names and sizes of its members
stand in the tar, each before its content.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow.compute as pc

from avsieve.errors import TarError
from avsieve.storage.kept_arrays import kept
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import read_arrow
from avsieve.storage.utterance_keys import key_of, keys_of

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
    keys
        (runs,) uint64, sorted: what `avsieve.storage.utterance_keys` makes of the utterances' ids.

    Raises
    ------
    TarError
        If its members do not begin where a tar's do.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        table = read_arrow(self._path, ["utterance", "offset", "size", "crc32"])
        offset, size = (table[name].to_numpy().astype(np.int64) for name in ("offset", "size"))
        crc32 = table["crc32"].to_numpy()
        self.end = int((offset + size).max()) if len(offset) else 0
        encoded = pc.dictionary_encode(table["utterance"].combine_chunks())
        of = encoded.indices.to_numpy(zero_copy_only=False)
        # Members of an utterance follow each other in all that the stages write. Elsewhere it has several runs.
        begins = np.flatnonzero(np.r_[True, of[1:] != of[:-1]]) if len(of) else np.zeros(0, np.int64)
        # A member begins with its header, which is where the padded content before it ends.
        heads = np.r_[0, offset[:-1] + padded(size[:-1])][begins] if len(of) else np.zeros(0, np.int64)
        if (heads % tarfile.BLOCKSIZE).any() or (heads < 0).any():
            raise TarError(
                f"{path}: members begin between the blocks of {tarfile.BLOCKSIZE} bytes that a tar is made of; "
                f"{make_anew(self._path.with_suffix('.tar'))}"
            )
        keys = keys_of(encoded.dictionary.to_pylist())[of[begins]]
        order = np.argsort(keys, kind="stable")
        blocks = heads // tarfile.BLOCKSIZE
        self.keys, self.crc32, self._rows, self._bytes, self._blocks, self._order = kept(
            keys[order],
            crc32.astype(np.uint32),
            np.r_[begins, len(of)].astype(np.uint32),
            np.add.reduceat(size, begins) if len(of) else np.zeros(0, np.int64),
            blocks.astype(np.min_scalar_type(int(blocks.max(initial=0)))),
            order.astype(np.min_scalar_type(len(order))),
        )

    def __len__(self) -> int:
        return len(self.crc32)

    @property
    def utterances(self) -> list[str]:
        """Ids of the utterances that have a member, in the order of the tar; read anew."""
        return list(dict.fromkeys(pc.unique(read_arrow(self._path, ["utterance"])["utterance"]).to_pylist()))

    def runs(self, utterance: str) -> list[tuple[int, int, int]]:
        """Return the members of an utterance, by runs of such as follow each other; none is no error.

        Returns
        -------
        list
            Where the header of the first begins in the tar, its row in the index, and how many follow.
        """
        return [
            (int(self._blocks[run]) * tarfile.BLOCKSIZE, row, after - row) for run, row, after in self._runs(utterance)
        ]

    def measure(self, utterance: str) -> tuple[int, int, int]:
        """Return how many members an utterance has, their bytes, and a checksum over theirs."""
        count = size = crc = 0
        for run, row, after in self._runs(utterance):
            count, size = count + after - row, size + int(self._bytes[run])
            crc = zlib.crc32(self.crc32[row:after].tobytes(), crc)
        return count, size, crc

    def _runs(self, utterance: str) -> Iterator[tuple[int, int, int]]:
        """Yield the number of each run of an utterance, its first row, and the row behind its last."""
        key = key_of(utterance)
        first, last = (int(np.searchsorted(self.keys, key, side)) for side in ("left", "right"))
        for run in self._order[first:last].tolist():
            yield run, int(self._rows[run]), int(self._rows[run + 1])

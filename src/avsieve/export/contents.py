"""Read faces, sound and frames of any utterance of a run, in any order, with little memory.

An export may shuffle a million utterances over hundreds of shards, so all indices are held at once: in columns, some
85 bytes a file (1.8 GB for the 21 million faces of VoxCeleb2), and the tars are mapped, not read.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError, TarError
from avsieve.export.places import PLACES, STATUS
from avsieve.export.settings import KINDS
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import INDEX_COLUMNS
from avsieve.storage.remedies import make_anew
from avsieve.storage.tables import read_arrow


class Member(NamedTuple):
    """A file of an utterance."""

    name: str
    """Without the utterance: ``0010.jpg``, or ``.wav``'s whole name ``00001.wav``."""
    content: bytes
    crc32: int


class _Shard:
    """The members of one tar by utterance; an utterance's members lie beside each other."""

    def __init__(self, tar: Path) -> None:
        self.path = tar
        index = tar.with_suffix(".parquet")
        if not tar.is_file() or not index.is_file():
            raise AvsieveError(_absent(tar))
        table = read_arrow(index, INDEX_COLUMNS).combine_chunks()
        self._names = table["name"]
        self._offsets, self._sizes, self._crcs = (table[c].to_numpy() for c in ("offset", "size", "crc32"))
        owners = table["utterance"].to_numpy()
        first = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]]) if len(owners) else np.zeros(0, int)
        ends = np.r_[first[1:], len(owners)]
        self.rows = {owners[a]: (int(a), int(b)) for a, b in zip(first, ends, strict=False)}
        with tar.open("rb") as handle:
            self._map = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        if len(owners) and int((self._offsets + self._sizes).max()) > len(self._map):
            raise TarError(f"{tar}: shorter than its index says; {make_anew(tar)}")

    def measure(self, utterance: str) -> tuple[int, int, int]:
        """Return the number of files of an utterance, their bytes, and a checksum over theirs."""
        first, end = self.rows.get(utterance, (0, 0))
        return end - first, int(self._sizes[first:end].sum()), zlib.crc32(self._crcs[first:end].tobytes())

    def read(self, utterance: str) -> Iterator[Member]:
        """Yield the files of an utterance, checked against their recorded checksums."""
        first, end = self.rows.get(utterance, (0, 0))
        for row in range(first, end):
            start = int(self._offsets[row])
            content, name = self._map[start : start + int(self._sizes[row])], self._names[row].as_py()
            crc = int(self._crcs[row])
            if zlib.crc32(content) != crc:
                raise TarError(f"{self.path}: {name} is not what was written; {make_anew(self.path)}")
            yield Member(name.rpartition("/")[2], content, crc)


def _absent(tar: Path) -> str:
    if tar.name.endswith(".frames.tar"):
        return f"{tar}: no frames were kept in this run (they went straight to the alignment); leave `frames` out"
    return f"{tar}: no such shard; run the workflow as far as its lists first (`snakemake clean`)"


class Contents:
    """The chosen kinds of files of a run's shards.

    Parameters
    ----------
    results
        Folder of the results.
    kinds
        Some of ``faces``, ``wav`` and ``frames``.
    shards
        The shards that will be asked for.

    Raises
    ------
    AvsieveError
        If a shard is not there, with what to do.
    """

    def __init__(self, results: Path, kinds: Sequence[str], shards: Sequence[str]) -> None:
        if unknown := set(kinds) - set(KINDS) or (set() if kinds else {"nothing"}):
            raise AvsieveError(f"{', '.join(sorted(unknown))} cannot be exported; expected some of {', '.join(KINDS)}")
        self._results = results
        self.kinds = tuple(kind for kind in KINDS if kind in kinds)
        self._shards = {
            (kind, shard): _Shard(P.below(results, PLACES[kind], shard=shard)) for kind in kinds for shard in shards
        }

    def refuse_other_plan(self, table: pd.DataFrame) -> None:
        """Refuse shards that were made by another plan than the one which says where the utterances of ``table`` are.

        Raises
        ------
        AvsieveError
            If a stage's status table does not know an utterance of its shard.
        """
        for shard, rows in table.groupby("shard", sort=True):
            for kind in self.kinds:
                path = P.below(self._results, STATUS[kind], shard=shard)
                if not path.is_file():
                    continue
                known = set(read_arrow(path, ["utterance"])["utterance"].to_pylist())
                if strange := sorted(set(rows["utterance"]) - known):
                    raise AvsieveError(
                        f"{path}: knows nothing of {strange[0]}, one of {len(strange)} utterances that the plan has in "
                        f"shard {shard}: the run has been planned again since; update it first (`snakemake clean`)"
                    )

    def measure(self, shard: str, utterance: str) -> tuple[int, int, int]:
        """Return files, bytes and a checksum of an utterance over all kinds."""
        found = [self._shards[kind, shard].measure(utterance) for kind in self.kinds]
        return sum(f[0] for f in found), sum(f[1] for f in found), zlib.crc32(repr([f[2] for f in found]).encode())

    def read(self, kind: str, shard: str, utterance: str) -> list[Member]:
        """Return the files of one kind of an utterance, in the order of time; none where a stage found nothing."""
        return list(self._shards[kind, shard].read(utterance)) if kind in self.kinds else []

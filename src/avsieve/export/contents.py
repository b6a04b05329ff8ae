"""Read faces, sound and frames of any utterance of a run, in any order, with little memory.

An export may shuffle a million utterances over hundreds of shards, so all are open at once: their indices are small
(`avsieve.storage.tar_index`), and the tars are mapped, not read.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.export.places import PLACES, STATUS
from avsieve.export.settings import KINDS
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import TarReader, index_path
from avsieve.storage.tables import read_arrow


class Member(NamedTuple):
    """A file of an utterance."""

    name: str
    """Without the utterance: ``0010.jpg``, or ``.wav``'s whole name ``00001.wav``."""
    content: bytes
    crc32: int


def _opened(tar: Path) -> TarReader:
    if not tar.is_file() or not index_path(tar).is_file():
        raise AvsieveError(_absent(tar))
    return TarReader(tar)


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
            (kind, shard): _opened(P.below(results, PLACES[kind], shard=shard)) for kind in kinds for shard in shards
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
        if kind not in self.kinds:
            return []
        reader = self._shards[kind, shard]
        return [
            Member(place.name.rpartition("/")[2], reader.content(place), reader.checksum(place))
            for place in reader.members(utterance)
        ]

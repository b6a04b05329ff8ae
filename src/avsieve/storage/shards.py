"""Several tars as one: which of them holds an utterance, at 5 bytes an utterance.

A dictionary of VoxCeleb2's utterances takes 150 MB in every process. Here a shard is found by half the number that
stands for an utterance, and asked whether it holds the whole (`avsieve.storage.utterance_keys`).
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from avsieve.errors import TarError
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.kept_arrays import kept
from avsieve.storage.utterance_keys import key_of, keys_of

_BESIDE = 512
"""Files that a process may open besides, of which the tensors that worker processes hand over are most."""


class Shards:
    """Shards that are open together.

    Parameters
    ----------
    tars
        Their indexes beside them. Of an utterance that several have, the last one counts.

    Raises
    ------
    TarError
        If one cannot be read, or the system does not let a process open so many files.
    """

    def __init__(self, tars: Sequence[str | Path]) -> None:
        _allow_files(len(tars))
        try:
            self.readers = [TarReader(tar) for tar in tars]
        except OSError as error:
            if error.errno != errno.EMFILE:
                raise
            raise TarError(
                f"{len(tars)} shards, and the system lets this process open {resource.getrlimit(_FILES)[0]} files; "
                f"raise the limit (ulimit -n {len(tars) + _BESIDE})"
            ) from error
        sizes = [len(reader.keys) for reader in self.readers]
        numbers = np.repeat(np.arange(len(sizes), dtype=np.min_scalar_type(max(len(sizes) - 1, 0))), sizes)
        halves = np.concatenate([_half(reader.keys) for reader in self.readers] or [np.zeros(0, np.uint32)])
        order = np.argsort(halves, kind="stable")
        self._halves, self._numbers = kept(halves[order], numbers[order])
        pa.default_memory_pool().release_unused()  # what the tables of the indexes took

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the tars."""
        for reader in self.readers:
            reader.close()

    def of(self, utterance: str) -> TarReader | None:
        """Return the shard that holds an utterance, or nothing."""
        key = key_of(utterance)
        first, last = (int(np.searchsorted(self._halves, _half(key), side)) for side in ("left", "right"))
        for number in reversed(self._numbers[first:last].tolist()):
            if _holds(self.readers[number].keys, key):
                return self.readers[number]
        return None

    def hold(self, utterances: Sequence[str]) -> np.ndarray:
        """Tell which utterances some shard holds: (n,) bool."""
        wanted, places = np.unique(keys_of(utterances), return_inverse=True)
        held = np.zeros(len(wanted), bool)
        for reader in self.readers if len(wanted) else []:
            at = np.minimum(np.searchsorted(wanted, reader.keys), len(wanted) - 1)
            held[at[wanted[at] == reader.keys]] = True
        return held[places]


_FILES = resource.RLIMIT_NOFILE


def _half(keys: Any) -> Any:
    """Return the upper 32 bits of keys: they sort as the keys do."""
    return (keys >> np.uint64(32)).astype(np.uint32)


def _holds(keys: np.ndarray, key: np.uint64) -> bool:
    at = int(np.searchsorted(keys, key))
    return at < len(keys) and bool(keys[at] == key)


def _allow_files(shards: int) -> None:
    """Let this process open so many shards, as far as the system allows it: often 1,024 files, and more if asked."""
    soft, hard = resource.getrlimit(_FILES)
    needed = shards + _BESIDE
    if soft != resource.RLIM_INFINITY and soft < needed:
        most = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(_FILES, (max(soft, most), hard))

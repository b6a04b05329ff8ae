"""Faces and voices of utterances, straight from a run's tars by offset and size."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from avsieve.errors import TarError
from avsieve.inspection.decided import Coded
from avsieve.review.server.refusal import NotThereError
from avsieve.storage import paths as P
from avsieve.storage.indexed_tar import INDEX_COLUMNS, index_path
from avsieve.storage.tables import open_table
from avsieve.storage.wav import SAMPLE_RATE, samples_of

MOST_FACES = 8
"""Faces of an utterance that a page shows at most."""
PEAKS = 200
_INDICES = 48  # indices of tars that are kept: some 2 MB each for VoxCeleb2's faces
_HEADER = 44  # bytes before the samples of a wav, as the extraction writes it


@dataclass(frozen=True)
class Part:
    """The content of a member of a tar: ``size`` bytes from ``offset`` on; ``crc32`` is that of the content."""

    tar: Path
    offset: int
    size: int
    crc32: int

    @property
    def version(self) -> str:
        """What changes when the content does."""
        return f"{self.crc32:08x}"

    def read(self, start: int = 0, size: int | None = None) -> bytes:
        """Read the content, or ``size`` bytes of it from ``start`` on.

        Raises
        ------
        TarError
            If the tar ends before.
        """
        wanted = self.size - start if size is None else size
        try:
            with self.tar.open("rb") as file:
                file.seek(self.offset + start)
                content = file.read(wanted)
        except OSError as error:
            raise TarError(f"{self.tar}: cannot be read ({error.strerror}); run its stage again") from error
        if len(content) != wanted:
            raise TarError(
                f"{self.tar}: ends {wanted - len(content):,} bytes before what its index says; run its stage again"
            )
        return content


class _Index:
    """Where each utterance's members lie in a tar."""

    def __init__(self, tar: Path) -> None:
        self.tar = tar
        with open_table(index_path(tar), INDEX_COLUMNS) as file:
            table = file.read(columns=["utterance", "offset", "size", "crc32"])
        named = Coded.of(table["utterance"])
        self._order = np.argsort(named.code, kind="stable")
        ends = np.cumsum(np.bincount(named.code, minlength=len(named.names))) if len(table) else np.array([], int)
        self._of = {str(name): (int(end), k) for k, (name, end) in enumerate(zip(named.names, ends, strict=True))}
        self._ends = ends
        self._columns = [table[name].to_numpy() for name in ("offset", "size", "crc32")]

    def parts(self, utterance: str) -> list[Part]:
        """Return the members of an utterance, in the order of the tar."""
        if utterance not in self._of:
            return []
        end, k = self._of[utterance]
        rows = self._order[int(self._ends[k - 1]) if k else 0 : end].tolist()
        return [Part(self.tar, *(int(column[row]) for column in self._columns)) for row in rows]


class Media:
    """The faces and voices of a run.

    Parameters
    ----------
    folder
        The results whose tars are read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._indices: OrderedDict[Path, _Index | None] = OrderedDict()
        plan = P.below(folder, P.plan.utterances)
        self._shard = _shards(plan) if plan.is_file() else {}
        self.has_faces = bool(self._shard) and any(P.below(folder, P.align.folder).glob("*.faces.tar"))
        self.has_voices = bool(self._shard) and any(P.below(folder, P.extract.folder).glob("*.wav.tar"))

    def faces(self, utterance: str) -> list[Part]:
        """Return all aligned faces of an utterance, in their order; none where there are none."""
        return self._parts(P.align.faces, utterance) if self.has_faces else []

    def voice(self, utterance: str) -> Part | None:
        """Return the sound of an utterance; None where there is none."""
        found = self._parts(P.extract.wav, utterance) if self.has_voices else []
        return found[0] if found else None

    def _parts(self, path: str, utterance: str) -> list[Part]:
        shard = self._shard.get(utterance.partition("/")[0])
        if shard is None:
            return []
        index = self._index(P.below(self._folder, path, shard=shard))
        return [] if index is None else index.parts(utterance)

    def _index(self, tar: Path) -> _Index | None:
        with self._lock:
            if tar in self._indices:
                self._indices.move_to_end(tar)
                return self._indices[tar]
        # Read outside of the lock: what is there is answered meanwhile. At worst an index is read twice.
        found = _Index(tar) if tar.is_file() else None
        with self._lock:
            self._indices[tar] = found
            while len(self._indices) > _INDICES:
                self._indices.popitem(last=False)
        return found


def seconds_of(voice: Part) -> float:
    """Return how long a voice of a run is, in seconds, by its size."""
    return round(max(voice.size - _HEADER, 0) / 2 / SAMPLE_RATE, 2)


def peaks_of(voice: Part) -> list[float]:
    """Return the loudest sample of each of `PEAKS` equal parts, 0 to 1; fewer where there are fewer samples.

    Raises
    ------
    TarError
        If it is no sound of 16 kHz, mono, 16 bit.
    """
    samples = np.abs(samples_of(voice.read(), str(voice.tar)).astype(np.int32))
    if not len(samples):
        return []
    starts = np.unique(np.linspace(0, len(samples), PEAKS, endpoint=False).astype(int))
    return [round(float(peak) / 32768, 4) for peak in np.maximum.reduceat(samples, starts)]


def some(count: int, most: int = MOST_FACES) -> list[int]:
    """Return up to ``most`` of ``count`` places, evenly from the first to the last; of one, the middle."""
    if most == 1 and count:
        return [count // 2]
    return list(range(count)) if count <= most else np.linspace(0, count - 1, most).round().astype(int).tolist()


def of_row(found: list[Part], which: int, utterance: str) -> Part:
    """Return one of the faces of an utterance.

    Raises
    ------
    NotThereError
        If there are not so many.
    """
    if which >= len(found):
        raise NotThereError(f"face {which} of {utterance}: it has {len(found)}; expected a number below that")
    return found[which]


def _shards(plan: Path) -> dict[str, str]:
    """Return speaker -> shard: all utterances of a speaker are in one."""
    with open_table(plan, ["utterance", "speaker", "shard"]) as file:
        table = file.read(columns=["speaker", "shard"])
    pairs = table.group_by(["speaker", "shard"]).aggregate([])
    found: dict[str, str] = dict(
        zip(pairs["speaker"].cast(pa.string()).to_pylist(), pairs["shard"].cast(pa.string()).to_pylist(), strict=True)
    )
    return found

"""Voices and faces of utterances straight from the shards; of faces only those that are wanted are decoded."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from avsieve.errors import AvsieveError, TarError
from avsieve.faces.template import SIZE
from avsieve.media.frame_names import frame_time_s
from avsieve.storage.indexed_tar import Place, TarReader
from avsieve.storage.jpeg import image_of
from avsieve.storage.shards import Shards
from avsieve.storage.wav import samples_of

Face = tuple[float, np.ndarray]
"""Seconds since the beginning of the utterance (NaN where names are no times), and (H, W, 3) uint8 BGR."""
_HEADER = 44  # bytes before the samples of a wav as the extraction writes it


class FaceSequence(Sequence[Face]):
    """The faces of an utterance in the order of time, each read and decoded when it is asked for.

    Attributes
    ----------
    times_s
        (n,) float64, seconds since the beginning of the utterance. Frames that others took can have names that are no
        times (`avsieve.media.frame_names`): then all are NaN, and the faces are in the order of the shard.
    """

    def __init__(self, reader: TarReader | None, members: Sequence[Place]) -> None:
        times = np.array([_time_s(place) for place in members], np.float64)
        if np.isnan(times).any():
            times[:] = np.nan
        order = np.argsort(times, kind="stable")
        self._reader, self._members, self.times_s = reader, [members[i] for i in order], times[order]

    def __len__(self) -> int:
        return len(self._members)

    @property
    def name(self) -> str:
        """The first member and its shard, for messages."""
        return f"{self._reader.path}: {self._members[0].name}" if self._reader and self._members else "no face"

    def __getitem__(self, index: Any) -> Any:
        """Return a face; with a slice a list of faces.

        Raises
        ------
        TarError
            If it is not what was written, or no image.
        """
        if isinstance(index, slice):
            return [self[i] for i in range(len(self))[index]]
        time, place = float(self.times_s[index]), self._members[index]
        assert self._reader is not None
        image = image_of(self._reader.content(place))
        if image is None:
            raise TarError(f"{self._reader.path}: member {place.name} is not an image; run align_faces again")
        return time, image


class Signals:
    """The voices and faces that shards hold, by utterance, damaged versions among them.

    Parameters
    ----------
    wav_tars
        Shards of the extraction, or those of damaged voices; their indexes beside them.
    face_tars
        Shards of the alignment, or those of damaged faces.

    Raises
    ------
    TarError
        If a shard is not whole.
    """

    def __init__(self, wav_tars: Sequence[str | Path], face_tars: Sequence[str | Path]) -> None:
        self.wavs, self.images = Shards(wav_tars), Shards(face_tars)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.wavs.close()
        self.images.close()

    def wave(self, utterance: str) -> np.ndarray | None:
        """Return the voice of an utterance, (n,) int16 at 16 kHz; None where there is none.

        Raises
        ------
        TarError
            If it is not what was written, or no such sound.
        """
        reader = self.wavs.of(utterance)
        if reader is None:
            return None
        samples = samples_of(reader.read(f"{utterance}.wav"), f"{reader.path}: {utterance}.wav")
        return samples if len(samples) else None

    def samples(self, utterance: str) -> int:
        """Return how many samples the voice of an utterance has, from the size of its file: 0 where there is none."""
        reader = self.wavs.of(utterance)
        sizes = [] if reader is None else [place.end - place.start for place in reader.members(utterance)]
        return max(0, (sum(sizes) - _HEADER * len(sizes)) // 2)

    def faces(self, utterance: str) -> FaceSequence:
        """Return the faces of an utterance; there may be none."""
        reader = self.images.of(utterance)
        return FaceSequence(reader, [] if reader is None else list(reader.members(utterance)))

    @cached_property
    def face_size(self) -> tuple[int, int]:
        """Height and width of the faces, those of the first in the shards; of an aligned face where there is none."""
        for reader in self.images.readers:
            for utterance in reader.utterances[:1]:
                _, face = self.faces(utterance)[0]
                return face.shape[0], face.shape[1]
        return SIZE, SIZE


def _time_s(place: Place) -> float:
    try:
        # Not by pathlib, which would take a third of the time of a batch.
        return frame_time_s(place.name.rpartition("/")[2].rpartition(".")[0])
    except AvsieveError:
        return float("nan")

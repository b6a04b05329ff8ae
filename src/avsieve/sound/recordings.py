"""Folders of recordings that speech is mixed with: MUSAN, RIRS_NOISES, or one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avsieve.errors import ConfigError
from avsieve.storage.wav import SAMPLE_RATE

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}


class SoundFolder:
    """Random pieces of the recordings under one folder or several, at 16 kHz.

    Raises
    ------
    ConfigError
        If a folder holds no recording, or, when it is read, one that is not at 16 kHz or cannot be read.
    """

    def __init__(self, *folders: str | Path) -> None:
        self.files: list[Path] = []
        for folder in folders:
            found = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
            if not found:
                raise ConfigError(
                    f"{folder}: no recording ({', '.join(sorted(AUDIO_SUFFIXES))}) there; name a folder that holds some"
                )
            self.files += found

    def piece(self, n: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` samples from a random place, repeated if the recording is shorter; None gives all of it."""
        return self._read(int(rng.integers(len(self.files))), n, rng)

    def pieces(self, count: int, n: int, rng: np.random.Generator) -> list[np.ndarray]:
        """Return pieces of ``n`` samples of ``count`` recordings, different ones as far as there are so many."""
        chosen = rng.permutation(len(self.files))[:count]
        return [self._read(int(chosen[i % len(chosen)]), n, rng) for i in range(count)]

    def middle(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Return the ``n`` samples in the middle of a recording; a shorter one is filled up with zeros behind."""
        found = self._read(int(rng.integers(len(self.files))), n, None)
        return np.pad(found, (0, n - len(found)))

    def _read(self, which: int, n: int | None, rng: np.random.Generator | None) -> np.ndarray:
        """Read a recording, or ``n`` samples of it: from a random place and repeated, or as they are in the middle."""
        import soundfile

        path = self.files[which]
        try:
            with soundfile.SoundFile(path) as handle:
                if handle.samplerate != SAMPLE_RATE:
                    raise ConfigError(
                        f"{path}: {handle.samplerate} Hz; expected {SAMPLE_RATE} Hz: convert the folder first"
                    )
                if n is not None and handle.frames > n:
                    over = handle.frames - n
                    handle.seek(over // 2 if rng is None else int(rng.integers(over + 1)))
                found = handle.read(n if n is not None else -1, dtype="float32", always_2d=True)[:, 0]
        except (soundfile.SoundFileError, OSError) as error:
            raise ConfigError(f"{path}: cannot be read ({error}); expected a recording: mend or remove it") from error
        if not len(found):
            raise ConfigError(f"{path}: no sample in it; expected a recording: remove it")
        return found if n is None or rng is None else np.resize(found, n)

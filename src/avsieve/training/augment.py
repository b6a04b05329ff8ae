"""Make training speech harder: rooms, noise, other voices, microphones, level; and masked features.

Each crop gets one treatment, drawn evenly, as AVCleanse's recipe has it: nothing, a room, babble of 3 to 8 other
utterances at 13 to 20 dB, music at 5 to 15 dB or noise at 0 to 15 dB. Noise and rooms come from folders that the user
names (MUSAN, RIRS_NOISES), or are made up where none is named.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import resample_poly
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.synthetic.voices_channel import NOISES, coloured_noise
from avsieve.synthetic.voices_rooms import room_response

RATE = 16_000
KINDS = ("none", "room", "babble", "music", "noise", "filter")
AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3"}
# Signal to noise ratios in dB, as in AVCleanse.
BABBLE_DB, MUSIC_DB, NOISE_DB = (13.0, 20.0), (5.0, 15.0), (0.0, 15.0)


class SoundFolder:
    """Random pieces of the recordings under a folder, at 16 kHz.

    Raises
    ------
    ConfigError
        If the folder holds no recording, or one that is not at 16 kHz.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.files = sorted(p for p in self.folder.rglob("*") if p.suffix.lower() in AUDIO_SUFFIXES)
        if not self.files:
            raise ConfigError(f"{folder}: no recording ({', '.join(sorted(AUDIO_SUFFIXES))}) for the augmentation")

    def piece(self, n: int | None, rng: np.random.Generator) -> np.ndarray:
        """Return ``n`` samples from a random place, repeated if the recording is shorter; None gives all of it."""
        import soundfile

        path = self.files[int(rng.integers(len(self.files)))]
        with soundfile.SoundFile(path) as handle:
            if handle.samplerate != RATE:
                raise ConfigError(f"{path}: {handle.samplerate} Hz; expected {RATE} Hz: convert the folder first")
            if n is not None and handle.frames > n:
                handle.seek(int(rng.integers(handle.frames - n + 1)))
            found = handle.read(n if n is not None else -1, dtype="float32", always_2d=True)[:, 0]
        return found if n is None else np.resize(found, n)


def convolve(wave: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return ``wave`` in a room, as long as before and as loud."""
    n = len(wave)
    size = next_fast_len(n + len(response), real=True)
    heard = irfft(rfft(wave, size) * rfft(response.astype(np.float32), size), size)[:n]
    return (heard * (_rms(wave) / max(_rms(heard), 1e-9))).astype(np.float32)


def mix(wave: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
    """Return ``wave`` with ``noise`` at a ratio of ``snr_db``."""
    gain = _rms(wave) / max(_rms(noise), 1e-9) * 10 ** (-snr_db / 20)
    return (wave + gain * noise).astype(np.float32)


def microphone(wave: np.ndarray, rng: np.random.Generator, spread_db: float = 4.0) -> np.ndarray:
    """Return ``wave`` through a random smooth frequency response: normal gains at 9 points over the octaves."""
    size = next_fast_len(len(wave), real=True)
    hz = np.fft.rfftfreq(size, 1 / RATE)
    points = rng.normal(0, spread_db, 9)
    gain = 10 ** (np.interp(np.log2(np.maximum(hz, 1) / 40), np.arange(9), points) / 20)
    return irfft(rfft(wave, size) * gain.astype(np.float32), size)[: len(wave)]


def speed(wave: np.ndarray, factor: float) -> np.ndarray:
    """Return ``wave`` played ``factor`` times as fast, pitch and formants included; ``factor`` in hundredths."""
    percent = round(factor * 100)
    shared = gcd(percent, 100)
    return resample_poly(wave, 100 // shared, percent // shared).astype(np.float32)


def _rms(wave: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(wave, dtype=np.float64))))


class Augmenter:
    """Apply one treatment to a crop.

    Parameters
    ----------
    kinds
        Names of `KINDS` to draw from; a name that comes twice is twice as likely.
    noise, music, rooms, speech
        Folders of noise, of music, of impulse responses, and of speech for babble. Without ``noise`` and ``rooms`` they
        are made up, without ``speech`` it is that of other speakers; music needs its folder.
    stack
        Chance of a second treatment after the first.
    seed
        Draws the stock of made-up rooms.
    """

    def __init__(
        self,
        kinds: tuple[str, ...] = ("none", "room", "babble", "noise"),
        *,
        noise: Path | None = None,
        music: Path | None = None,
        rooms: Path | None = None,
        speech: Path | None = None,
        stack: float = 0.0,
        seed: int = 0,
    ) -> None:
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise ConfigError(f"augmentation {', '.join(unknown)}: not known; expected some of {', '.join(KINDS)}")
        if "music" in kinds and music is None:
            raise ConfigError("augmentation 'music' needs a folder of music: name it, or leave music out")
        self.kinds = kinds
        self.stack = stack
        folders = (SoundFolder(f) if f else None for f in (noise, music, rooms, speech))
        self._noise, self._music, self._rooms, self._speech = folders
        rng = np.random.default_rng([seed, 77])
        self._stock = [
            room_response(rng, t60_s=float(rng.uniform(0.15, 0.7)), direct_db=float(rng.uniform(0, 15)))
            for _ in range(64 if "room" in kinds and rooms is None else 0)
        ]

    def __call__(self, wave: np.ndarray, rng: np.random.Generator, others: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return ``wave`` (n,) float32 treated, as long as before.

        Parameters
        ----------
        wave
            A crop of speech.
        rng
            Decides everything.
        others
            ``others(n)`` returns ``n`` samples of another speaker, for babble.
        """
        wave = self._treat(wave, rng, others)
        if self.stack and rng.random() < self.stack:
            wave = self._treat(wave, rng, others)
        return wave * np.float32(10 ** (rng.uniform(-6, 6) / 20))

    def _treat(self, wave: np.ndarray, rng: np.random.Generator, others: Callable[[int], np.ndarray]) -> np.ndarray:
        kind, n = self.kinds[int(rng.integers(len(self.kinds)))], len(wave)
        if kind == "room":
            stored = self._rooms.piece(None, rng) if self._rooms else self._stock[int(rng.integers(len(self._stock)))]
            return convolve(wave, stored[int(np.abs(stored).argmax()) :])
        if kind == "babble":
            speech = self._speech
            heard = range(int(rng.integers(3, 9)))
            crowd = np.sum([others(n) if speech is None else speech.piece(n, rng) for _ in heard], axis=0)
            return mix(wave, crowd, rng.uniform(*BABBLE_DB))
        if kind == "music":
            assert self._music is not None
            return mix(wave, self._music.piece(n, rng), rng.uniform(*MUSIC_DB))
        if kind == "noise":
            made = self._noise.piece(n, rng) if self._noise else coloured_noise(NOISES[int(rng.integers(5))], n, rng)
            return mix(wave, made, rng.uniform(*NOISE_DB))
        if kind == "filter":
            return microphone(wave, rng)
        return wave


class Masked(nn.Module):
    """An encoder with ``fbank`` and ``embed`` whose features are masked in training (SpecAugment, Park et al. 2019).

    One band of up to ``share`` of the frames and one of up to ``share`` of the mel bands are set to 0, their mean.
    With a ``share`` of 0 any encoder of waveforms will do.

    Raises
    ------
    ConfigError
        If there is something to mask and the encoder has no features.
    """

    encoder: Any

    def __init__(self, encoder: nn.Module, share: float = 0.1) -> None:
        super().__init__()
        if share > 0 and not (hasattr(encoder, "fbank") and hasattr(encoder, "embed")):
            raise ConfigError(
                f"mask is {share}, and {type(encoder).__name__} has no filter banks to mask; expected 0 for it"
            )
        self.encoder = encoder
        self.share = share
        # Drawn on the CPU, so that a GPU masks the same; of its own, so that dropout changes nothing.
        self._generator = torch.Generator()
        self._rank, self._world = 0, 1

    def begin(self, seed: int, rank: int, world: int) -> None:
        """Draw from ``seed`` for the whole batch, and take the part of process ``rank`` of ``world``."""
        self._generator.manual_seed(seed)
        self._rank, self._world = rank, world

    def forward(self, waves: Tensor) -> Tensor:
        """Map (B, samples) to (B, dim)."""
        embedding: Tensor
        if not self.training or self.share == 0:
            embedding = self.encoder(waves)
            return embedding
        rows = len(waves)
        draws = torch.rand(rows * self._world, 4, generator=self._generator)[self._rank * rows :][:rows]
        with torch.no_grad():
            features = mask_bands(self.encoder.fbank(waves), 1, self.share, draws[:, :2])
            features = mask_bands(features, 2, self.share, draws[:, 2:])
        embedding = self.encoder.embed(features)
        return embedding


def mask_bands(features: Tensor, axis: int, share: float, draws: Tensor) -> Tensor:
    """Set a band of each row to 0: along ``axis`` (1 bands, 2 frames), less than ``share`` of it wide.

    Width and place follow from ``draws`` (B, 2), evenly distributed from 0 to below 1.
    """
    size = features.shape[axis]
    width = (draws[:, :1] * max(1, int(share * size))).long()
    start = (draws[:, 1:] * (size - width)).long()
    steps = torch.arange(size)[None]
    hidden = ((steps >= start) & (steps < start + width)).to(features.device)
    return features.masked_fill(hidden[:, :, None] if axis == 1 else hidden[:, None, :], 0.0)

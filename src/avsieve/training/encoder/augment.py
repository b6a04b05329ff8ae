"""Make training speech harder: rooms, noise, other voices, microphones, level.

Each crop gets one augmentation, drawn evenly, as in AVCleanse's recipe: nothing, a room, babble of 3 to 8 other
utterances at 13 to 20 dB, music at 5 to 15 dB or noise at 0 to 15 dB. Noise and rooms come from folders that the user
names (MUSAN, RIRS_NOISES), or are made up where none is named. `MIXINGS` says how they are mixed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import gcd
from pathlib import Path

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import resample_poly

from avsieve.errors import ConfigError
from avsieve.sound.mixing import at_ratio, convolve, from_direct_sound, in_room, mix
from avsieve.sound.recordings import SoundFolder
from avsieve.storage.wav import SAMPLE_RATE
from avsieve.synthetic.voices.channel import NOISES, coloured_noise
from avsieve.synthetic.voices.rooms import room_response

KINDS = ("none", "room", "babble", "music", "noise", "filter")
# Signal to noise ratios in dB, as in AVCleanse.
BABBLE_DB, MUSIC_DB, NOISE_DB = (13.0, 20.0), (5.0, 15.0), (0.0, 15.0)
# level: the voices of a babble are summed and the sum is mixed at the ratio; a room begins with its direct sound, and
# speech is as loud in it as before. voxceleb_trainer: as the loader of clovaai/voxceleb_trainer and of those that
# descend from it (AVCleanse, ECAPA-TDNN) does it: every voice of a babble has a ratio of its own, so that the sum is
# some 5 to 9 dB louder; levels are measured above a floor of 1e-4 of full scale's power (-40 dB); a room is the whole
# response at energy 1, with its delay.
MIXINGS = ("level", "voxceleb_trainer")


def microphone(wave: np.ndarray, rng: np.random.Generator, spread_db: float = 4.0) -> np.ndarray:
    """Return ``wave`` through a random smooth frequency response: normal gains at 9 points over the octaves."""
    size = next_fast_len(len(wave), real=True)
    hz = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    points = rng.normal(0, spread_db, 9)
    gain = 10 ** (np.interp(np.log2(np.maximum(hz, 1) / 40), np.arange(9), points) / 20)
    return irfft(rfft(wave, size) * gain.astype(np.float32), size)[: len(wave)]


def speed(wave: np.ndarray, factor: float) -> np.ndarray:
    """Return ``wave`` played ``factor`` times as fast, pitch and formants included; ``factor`` in hundredths."""
    percent = round(factor * 100)
    shared = gcd(percent, 100)
    return resample_poly(wave, 100 // shared, percent // shared).astype(np.float32)


class Augmenter:
    """Apply one augmentation to a crop.

    Parameters
    ----------
    kinds
        Names of `KINDS` to draw from; a name that comes twice is twice as likely.
    noise, music, rooms, speech
        Folders of noise, of music, of impulse responses, and of speech for babble. Without ``noise`` and ``rooms`` they
        are made up, without ``speech`` it is that of other speakers; music needs its folder.
    stack
        Chance of a second augmentation after the first.
    gain_db
        Largest change of level, either way, that every crop gets at the end; 0 for none.
    mixing
        One of `MIXINGS`.
    seed
        Draws the stock of made-up rooms.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        *,
        noise: str | Path | None = None,
        music: str | Path | None = None,
        rooms: str | Path | None = None,
        speech: str | Path | None = None,
        stack: float,
        gain_db: float,
        mixing: str,
        seed: int,
    ) -> None:
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise ConfigError(f"augmentation {', '.join(unknown)}: not known; expected some of {', '.join(KINDS)}")
        if "music" in kinds and music is None:
            raise ConfigError("augmentation 'music' needs a folder of music: name it, or leave music out")
        if mixing not in MIXINGS:
            raise ConfigError(f"mixing is {mixing!r}; expected {' or '.join(MIXINGS)}")
        self.kinds = kinds
        self.stack = stack
        self.gain_db = gain_db
        self.published = mixing == "voxceleb_trainer"
        folders = (SoundFolder(f) if f else None for f in (noise, music, rooms, speech))
        self._noise, self._music, self._rooms, self._speech = folders
        rng = np.random.default_rng([seed, 77])
        self._stock = [
            room_response(rng, t60_s=float(rng.uniform(0.15, 0.7)), direct_db=float(rng.uniform(0, 15)))
            for _ in range(64 if "room" in kinds and rooms is None else 0)
        ]

    def __call__(self, wave: np.ndarray, rng: np.random.Generator, others: Callable[[int], np.ndarray]) -> np.ndarray:
        """Return ``wave`` (n,) float32 augmented, as long as before.

        Parameters
        ----------
        wave
            A crop of speech.
        rng
            Decides everything.
        others
            ``others(n)`` returns ``n`` samples of another speaker, for babble.
        """
        wave = self._augmented(wave, rng, others)
        if self.stack and rng.random() < self.stack:
            wave = self._augmented(wave, rng, others)
        if not self.gain_db:
            return wave
        return wave * np.float32(10 ** (rng.uniform(-self.gain_db, self.gain_db) / 20))

    def _augmented(self, wave: np.ndarray, rng: np.random.Generator, others: Callable[[int], np.ndarray]) -> np.ndarray:
        kind, n = self.kinds[int(rng.integers(len(self.kinds)))], len(wave)
        if kind == "room":
            stored = self._rooms.piece(None, rng) if self._rooms else self._stock[int(rng.integers(len(self._stock)))]
            if self.published:
                return in_room(wave, stored)
            return convolve(wave, from_direct_sound(stored))
        if kind == "babble":
            return self._babble(wave, rng, others)
        if kind == "music":
            assert self._music is not None
            return self._mixed(wave, self._music.piece(n, rng), rng.uniform(*MUSIC_DB))
        if kind == "noise":
            made = self._noise.piece(n, rng) if self._noise else coloured_noise(NOISES[int(rng.integers(5))], n, rng)
            return self._mixed(wave, made, rng.uniform(*NOISE_DB))
        if kind == "filter":
            return microphone(wave, rng)
        return wave

    def _mixed(self, wave: np.ndarray, noise: np.ndarray, snr_db: float) -> np.ndarray:
        return wave + at_ratio(wave, noise, snr_db) if self.published else mix(wave, noise, snr_db)

    def _babble(self, wave: np.ndarray, rng: np.random.Generator, others: Callable[[int], np.ndarray]) -> np.ndarray:
        speech, n = self._speech, len(wave)
        count = int(rng.integers(3, 9))
        if self.published:
            voices = [others(n) for _ in range(count)] if speech is None else speech.pieces(count, n, rng)
            crowd = np.sum([at_ratio(wave, voice, rng.uniform(*BABBLE_DB)) for voice in voices], axis=0)
            return (wave + crowd).astype(np.float32)
        crowd = np.sum([others(n) if speech is None else speech.piece(n, rng) for _ in range(count)], axis=0)
        return mix(wave, crowd, rng.uniform(*BABBLE_DB))

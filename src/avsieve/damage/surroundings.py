"""What a damaged voice is heard in: noise, other voices, rooms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np

from avsieve.errors import ConfigError, TarError
from avsieve.sound.mixing import from_direct_sound, rms
from avsieve.sound.recordings import SoundFolder
from avsieve.storage.ids import parse_id
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.wav import SAMPLE_RATE, as_float, samples_of
from avsieve.synthetic.voices.channel import coloured_noise

BABBLE_VOICES = (3, 8)
"""Fewest and most voices of a babble, as in the training's augmentation."""
DIRECT_DB = 0.0
"""Level of the direct sound over all that follows in a generated room: its energy is that of the tail."""
_TRIES = 50


def fitted(sound: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` samples of ``sound`` from a random place on; it is repeated where it ends before."""
    start = int(rng.integers(len(sound)))
    return np.take(sound, np.arange(start, start + n), mode="wrap")


def decaying_room(t60_s: float, rng: np.random.Generator) -> np.ndarray:
    """Return the impulse response of a diffuse room (samples,) float64, at 16 kHz, its direct sound 1 at sample 0.

    White noise under an exponential that falls by 60 dB in ``t60_s`` (Polack, "La transmission de l'énergie sonore dans
    les salles", 1988), as strong as `DIRECT_DB` says. It ends when it has lost 80 dB.
    """
    n = max(int(t60_s * SAMPLE_RATE * 80 / 60), 2)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / (t60_s * SAMPLE_RATE))
    tail[0] = 0
    response = tail * np.sqrt(10 ** (-DIRECT_DB / 10) / np.square(tail).sum())
    response[0] = 1.0
    return response


class Around(Protocol):
    """What a voice can be damaged with."""

    def noise(self, sound: str, n: int, utterance: str, rng: np.random.Generator) -> np.ndarray:
        """Return noise for an utterance, (n,); its level means nothing."""

    def response(self, t60_s: float, rng: np.random.Generator) -> np.ndarray:
        """Return the impulse response of a room, which begins with its direct sound, 1."""


class Surroundings:
    """Noise, other voices and rooms for the voices of a shard.

    Parameters
    ----------
    wavs
        The shard's wavs: babble is made of them.
    noise, rooms
        Folders of recordings and of impulse responses; without ``rooms`` they are generated.

    Raises
    ------
    ConfigError
        If a folder holds no recording.
    """

    def __init__(self, wavs: TarReader, noise: Sequence[str | Path] = (), rooms: Sequence[str | Path] = ()) -> None:
        self._wavs = wavs
        self._noise = SoundFolder(*noise) if noise else None
        self._rooms = SoundFolder(*rooms) if rooms else None

    @property
    def facts(self) -> dict[str, int]:
        """How many recordings of noise and of rooms there are."""
        folders = {"noise_recordings": self._noise, "room_recordings": self._rooms}
        return {name: len(folder.files) if folder else 0 for name, folder in folders.items()}

    @cached_property
    def _by_speaker(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for utterance in sorted(self._wavs.utterances):
            found.setdefault(parse_id(utterance).speaker, []).append(utterance)
        return found

    def noise(self, sound: str, n: int, utterance: str, rng: np.random.Generator) -> np.ndarray:
        """Return noise for an utterance, (n,); its level means nothing.

        Parameters
        ----------
        sound
            ``white``, ``pink``, ``babble`` or ``recording``.
        n
            Samples.
        utterance
            Whose voice it is for; nobody of that speaker is in a babble.
        rng
            Decides everything.

        Raises
        ------
        ConfigError
            If there is no recording, or nobody to make a babble of.
        """
        if sound == "babble":
            return self._babble(n, utterance, rng)
        if sound == "recording":
            return self._recording(n, rng)
        return coloured_noise(sound, n, rng)

    def response(self, t60_s: float, rng: np.random.Generator) -> np.ndarray:
        """Return an impulse response that begins with its direct sound, which is 1: a recorded or a generated one.

        Raises
        ------
        ConfigError
            If the recorded rooms are silent.
        """
        if self._rooms is None:
            return decaying_room(t60_s, rng)
        rooms = self._rooms
        response = from_direct_sound(audible(lambda: rooms.piece(None, rng), rooms))
        return response / response[0]

    def _recording(self, n: int, rng: np.random.Generator) -> np.ndarray:
        if self._noise is None:
            raise ConfigError(
                "damage by noise, sound recording: there is no folder of recordings; name one or several in "
                "evaluation.damage.noise, or take another sound"
            )
        noise = self._noise
        return audible(lambda: fitted(noise.piece(None, rng), n, rng), noise)

    def _babble(self, n: int, utterance: str, rng: np.random.Generator) -> np.ndarray:
        own = parse_id(utterance).speaker
        others = [name for speaker, names in self._by_speaker.items() if speaker != own for name in names]
        wished = int(rng.integers(BABBLE_VOICES[0], BABBLE_VOICES[1] + 1))
        crowd, voices = np.zeros(n), 0
        for i in rng.permutation(len(others)):
            wave = self._voice(others[i])
            piece = fitted(wave, n, rng) if len(wave) else wave
            # What cannot be heard is none of the voices.
            if len(piece) and (level := rms(piece)) > 0:
                crowd += piece / level
                voices += 1
            if voices == wished:
                break
        if not voices:
            raise ConfigError(
                f"damage by noise, sound babble: {self._wavs.path} holds no voice of another speaker than that of "
                f"{utterance}; run with fewer shards, or take another sound"
            )
        return crowd

    def _voice(self, utterance: str) -> np.ndarray:
        try:
            return as_float(samples_of(self._wavs.read(f"{utterance}.wav"), utterance))
        except TarError:
            return np.zeros(0, np.float32)  # the status of its own embedding tells of it


def audible(draw: Callable[[], np.ndarray], folder: SoundFolder) -> np.ndarray:
    """Draw until something can be heard: recordings may be silent for a while."""
    for _ in range(_TRIES):
        if (found := draw()).any():
            return found
    raise ConfigError(f"{folder.files[0].parent}: {_TRIES} pieces drawn, all silent; take silent recordings out")

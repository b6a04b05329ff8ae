"""Small shards of voices and faces whose values tell where they are from."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from avsieve.joint.signals import Signals
from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.wav import wav_bytes

SPEAKERS, VIDEOS, SECONDS = 4, 3, 4.0
TIMES = [4, 10, 20, 31, 44, 62, 75, 90]
"""Of the faces, in 25ths of a second."""


class Tiny(NamedTuple):
    train_list: Path
    wavs: list[Path]
    faces: list[Path]
    utterances: list[str]

    def signals(self) -> Signals:
        return Signals(self.wavs, self.faces)


def ramp(seconds: float, speaker: int = 0) -> np.ndarray:
    """A voice whose sample at time t is t in 128ths of a second, and its speaker in thousands; int16."""
    n = round(seconds * 16_000)
    return (np.arange(n) // 125 + 1000 * (speaker + 1)).astype(np.int16)


def shade(time: int) -> np.ndarray:
    """A face whose shade is its time in 25ths: red t, as far as a byte holds it; (112, 112, 3) uint8 BGR."""
    return np.broadcast_to(np.array([2 * time % 256, 100, time % 256], np.uint8), (112, 112, 3))


def add_voice(tar: TarWriter, utterance: str, wave: np.ndarray) -> None:
    tar.add(utterance, f"{utterance}.wav", wav_bytes(wave))


def add_faces(tar: TarWriter, utterance: str, times: list[int]) -> None:
    for time in times:
        tar.add(utterance, f"{utterance}/{time:04d}.jpg", jpeg_of(shade(time), 98))


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """Four people with three utterances of 4 s each in two shards; eight faces each."""
    utterances = [f"id{p}/v{i}/00001" for p in range(SPEAKERS) for i in range(VIDEOS)]
    files: dict[str, list[Path]] = {"wav": [], "faces": []}
    for shard in range(2):
        own = [u for u in utterances if int(u[2]) % 2 == shard]
        for kind in files:
            files[kind].append(tmp_path / f"{shard:03d}.{kind}.tar")
        with TarWriter(files["wav"][-1]) as wavs, TarWriter(files["faces"][-1]) as faces:
            for utterance in own:
                add_voice(wavs, utterance, ramp(SECONDS, int(utterance[2])))
                add_faces(faces, utterance, TIMES)
    write_train_list(tmp_path / "train_all.txt", utterances, ["4.000"] * len(utterances))
    return Tiny(tmp_path / "train_all.txt", files["wav"], files["faces"], utterances)

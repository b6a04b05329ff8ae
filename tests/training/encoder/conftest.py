"""Speech of a few people who are easily told apart, as a shard and a list."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import cv2
import numpy as np
import pytest

from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.wav import wav_bytes

COLOURS = {"a": (200, 40, 40), "b": (40, 200, 40), "c": (40, 40, 200)}


class TinySpeech(NamedTuple):
    train_list: Path
    tar: Path
    utterances: list[str]


def buzz(person: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return noise in a band of the person's own, int16."""
    n = round(seconds * 16_000)
    spectrum = np.fft.rfft(rng.standard_normal(n))
    hz = np.fft.rfftfreq(n, 1 / 16_000)
    spectrum *= np.exp(-(((hz - 400 - 900 * person) / 400) ** 2)) + 0.02
    wave = np.fft.irfft(spectrum, n)
    return (wave / np.abs(wave).max() * 12_000).astype(np.int16)


@pytest.fixture
def tiny_speech(tmp_path: Path) -> TinySpeech:
    """Four people with three utterances each."""
    rng = np.random.default_rng(0)
    utterances = [f"id{p}/v{i}/00001" for p in range(4) for i in range(3)]
    with TarWriter(tmp_path / "000.wav.tar") as writer:
        for utterance in utterances:
            writer.add(utterance, f"{utterance}.wav", wav_bytes(buzz(int(utterance[2]), 1.2, rng)))
    write_train_list(tmp_path / "train_all.txt", utterances, ["1.200"] * len(utterances))
    return TinySpeech(tmp_path / "train_all.txt", tmp_path / "000.wav.tar", utterances)


def run_script(script: Path, *arguments: object) -> None:
    """Run a command line in this process, which saves loading torch again."""
    with mock.patch.object(sys, "argv", [str(script), *map(str, arguments)]), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(script), run_name="__main__")
    assert ended.value.code == 0


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three people of a colour each, with four utterances of two faces: ``list.txt`` and ``faces.tar``."""
    rng = np.random.default_rng(0)
    lines = []
    with TarWriter(tmp_path / "faces.tar") as out:
        for speaker, colour in COLOURS.items():
            for video in range(4):
                utterance = f"{speaker}/v{video}/1"
                lines.append(f"{speaker} {utterance}.wav 1.0\n")
                for frame in ("0010", "0020"):
                    image = np.clip(np.array(colour) + rng.normal(0, 20, (112, 112, 3)), 0, 255).astype(np.uint8)
                    out.add(utterance, f"{utterance}/{frame}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    (tmp_path / "list.txt").write_text("".join(lines))
    return tmp_path

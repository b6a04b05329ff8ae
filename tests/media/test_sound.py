from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.media.sound import SoundTaker
from avsieve.storage.wav import SAMPLE_RATE

from .conftest import run_ffmpeg


def frame(samples: np.ndarray, rate: int, kind: str = "fltp", layout: str = "mono") -> av.AudioFrame:
    made = av.AudioFrame.from_ndarray(samples, format=kind, layout=layout)
    made.sample_rate = rate
    return made


def test_floats_at_the_rate_are_rounded_and_clipped_only() -> None:
    samples = np.array([[-1.5, -1.0, -0.5, 1.4 / 32768, 1.6 / 32768, 1.0]], np.float32)
    taker = SoundTaker()
    taker.push(frame(samples, SAMPLE_RATE))
    found = taker.finish()
    assert found is not None
    assert found.tolist() == [-32768, -32768, -16384, 1, 2, 32767]


def test_what_the_last_frame_was_filled_up_with_is_left_out() -> None:
    taker = SoundTaker()
    for lasts_s in (0.0, 600 / SAMPLE_RATE):
        taker.push(frame(np.zeros((1, 1024), np.float32), SAMPLE_RATE), lasts_s)
    found = taker.finish()
    assert found is not None
    assert len(found) == 1024 + 600


def test_no_frame_gives_no_sound() -> None:
    assert SoundTaker().finish() is None


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_other_rates_and_two_channels_give_what_ffmpeg_gives(tmp_path: Path, rate: int) -> None:
    sound = np.random.default_rng(rate).normal(0, 3000, (2, rate)).astype(np.int16)
    sound.T.tofile(tmp_path / "in.raw")
    run_ffmpeg("-f", "s16le", "-ar", rate, "-ac", "2", "-i", tmp_path / "in.raw",
               "-ac", "1", "-ar", SAMPLE_RATE, "-f", "s16le", tmp_path / "out.raw")  # fmt: skip
    taker = SoundTaker()
    for start in range(0, rate, 1000):
        taker.push(frame(np.ascontiguousarray(sound[:, start : start + 1000]), rate, "s16p", "stereo"))
    found = taker.finish()
    expected = np.fromfile(tmp_path / "out.raw", np.int16)
    assert found is not None
    assert len(found) == len(expected)
    assert np.abs(found.astype(int) - expected).max() <= 1

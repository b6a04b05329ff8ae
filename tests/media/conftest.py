"""Clips made on the spot by ffmpeg."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest

from avsieve.media.ffmpeg import write_clip
from avsieve.storage.wav import wav_bytes

SECONDS = 3
# The recipes of awkward files are those of the table.
_spec = importlib.util.spec_from_file_location("awkward", Path(__file__).parents[2] / "benchmarks" / "awkward.py")
assert _spec is not None
assert _spec.loader is not None
awkward = importlib.util.module_from_spec(_spec)
sys.modules["awkward"] = awkward
_spec.loader.exec_module(awkward)
# Not the one on PATH: old ones lack options that the awkward files need.
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()


def run_ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; its last argument is the file to write."""
    subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True)


def numbered_frames(n: int) -> list[np.ndarray]:
    """Return frames that show their number as eight black or white stripes, lowest bit first."""
    bits = (np.arange(n)[:, None] >> np.arange(8)) & 1
    stripes = np.repeat(20 + 200 * bits, 224 // 8, axis=1).astype(np.uint8)
    return [np.ascontiguousarray(np.broadcast_to(row[None, :, None], (224, 224, 3))) for row in stripes]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `plain.mp4`, 3 s at 25 fps whose frames show their number, and a tone."""
    folder = tmp_path_factory.mktemp("clips")
    tone = 8000 * np.sin(2 * np.pi * 440 * np.arange(SECONDS * 16_000) / 16_000)
    (folder / "tone.wav").write_bytes(wav_bytes(tone.astype(np.int16)))
    write_clip(folder / "plain.mp4", numbered_frames(25 * SECONDS), folder / "tone.wav", crf=10)
    return folder


@pytest.fixture(scope="session")
def convert(clips: Path) -> Callable[..., Path]:
    """Return a function that makes another file of `plain.mp4` with the given ffmpeg options."""

    def make(name: str, *options: str) -> Path:
        target = clips / name
        run_ffmpeg("-i", clips / "plain.mp4", *options, target)
        return target

    return make


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the frames and the sound that awkward files are made of."""
    folder = tmp_path_factory.mktemp("awkward")
    awkward.write_inputs(folder)
    return folder

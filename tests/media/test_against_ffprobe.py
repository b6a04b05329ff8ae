"""Frame times against ffprobe's and samples against ffmpeg's, on files that are awkward each in its way."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import awkward

# AVI has no times of presentation for H.264 with B frames: versions of ffprobe differ by a frame.
ROOM_S = {"h264.avi": 0.041}

pytestmark = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on PATH")


@pytest.mark.parametrize("recipe", awkward.RECIPES, ids=lambda recipe: recipe.name)
def test_frames_are_those_that_ffprobe_shows_and_samples_those_of_ffmpeg(inputs: Path, recipe: awkward.Recipe) -> None:
    found = awkward.compare(awkward.make(inputs, recipe), recipe.video)
    assert found.found == found.wanted
    assert found.time_error_s <= ROOM_S.get(recipe.name, 1e-6)  # NaN where a frame is missing
    assert found.samples == found.samples_ffmpeg > 16_000
    assert found.differs <= 1

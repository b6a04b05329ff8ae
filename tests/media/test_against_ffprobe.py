"""Frame times against ffprobe's and samples against ffmpeg's, on files that are awkward each in its way."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("awkward", ROOT / "benchmarks" / "awkward.py")
assert _spec is not None
assert _spec.loader is not None
awkward = importlib.util.module_from_spec(_spec)
sys.modules["awkward"] = awkward
_spec.loader.exec_module(awkward)

# AVI has no times of presentation for H.264 with B frames: versions of ffprobe differ by a frame.
ROOM_S = {"h264.avi": 0.041}

pytestmark = pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not on PATH")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("awkward")
    awkward.write_inputs(folder)
    return folder


@pytest.mark.parametrize("recipe", awkward.RECIPES, ids=lambda recipe: recipe.name)
def test_frames_are_those_that_ffprobe_shows_and_samples_those_of_ffmpeg(folder: Path, recipe: awkward.Recipe) -> None:
    found = awkward.compare(awkward.make(folder, recipe), recipe.video)
    assert found.found == found.wanted
    assert found.time_error_s <= ROOM_S.get(recipe.name, 1e-6)  # NaN where a frame is missing
    assert found.samples == found.samples_ffmpeg > 16_000
    assert found.differs <= 1

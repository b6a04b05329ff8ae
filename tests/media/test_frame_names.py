"""Every frame that is asked for is there under a name of its own: right numbers are counted by hand."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from avsieve.config.model import parse_config
from avsieve.errors import AvsieveError, ConfigError
from avsieve.media.decode import decode_clip
from avsieve.media.decoded import Decoded
from avsieve.media.frame_names import frame_name, frame_time_s, frames_before

from .conftest import run_ffmpeg

# Numbers k >= 1 with k * interval_s < 2 s.
COUNTS = {0.4: 4, 0.1: 19, 0.07: 28, 0.04: 49, 0.0333333: 60, 0.0333334: 59, 0.03: 66, 0.02: 99, 0.001: 1999}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds at 30 frames a second, in several containers."""
    folder = tmp_path_factory.mktemp("film")
    source = ["-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=2", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    run_ffmpeg(*source, str(folder / "x.mp4"))
    for name in ("x.mkv", "x.ts"):
        run_ffmpeg("-i", str(folder / "x.mp4"), "-c", "copy", str(folder / name))
    run_ffmpeg("-i", str(folder / "x.mp4"), "-c:v", "mpeg4", str(folder / "x.avi"))
    return folder


@pytest.mark.parametrize(("interval_s", "count"), COUNTS.items())
def test_every_frame_that_is_asked_for_is_there_under_its_own_name(film: Path, interval_s: float, count: int) -> None:
    for name in ("x.mp4", "x.mkv", "x.ts", "x.avi") if interval_s > 0.001 else ("x.mp4",):
        clip = decode_clip(film / name, interval_s=interval_s)
        names = list(clip.frames)
        assert len(names) == count, name
        assert names == sorted(names)
        assert not any("." in name for name in names)
    assert list(decode_clip(film / "x.mp4", interval_s=interval_s, as_images=True).images) == names
    assert frames_before(2.0, interval_s) == count  # what the doctor counts


def test_at_the_rate_of_the_video_each_frame_is_taken_once(film: Path) -> None:
    clip = decode_clip(film / "x.mp4", interval_s=1 / 30)
    assert len(clip.frames) == len(set(clip.frames.values())) == 59  # the first is shown at 0, which is not asked for


@pytest.mark.parametrize("rate", ["24", "25", "30", "30000/1001", "50", "60", "60000/1001", "100", "1000"])
def test_names_are_unique_in_order_and_tell_the_time(rate: str) -> None:
    for interval_s in (float(1 / Fraction(rate)), round(float(1 / Fraction(rate)), 4)):
        names = [frame_name(k, interval_s) for k in range(1, 5000)]
        assert len(set(names)) == len(names)
        assert [int(name) for name in names] == sorted(int(name) for name in names)
        unit = 25 if interval_s >= 0.04 else 1000
        assert all(abs(int(name) - unit * k * interval_s) <= 0.51 for k, name in enumerate(names, start=1))


def test_what_cannot_be_named_is_refused() -> None:
    for value in (0.0009, 0, -1):
        with pytest.raises(ConfigError, match=r"media\.interval_s"):
            parse_config({"media": {"interval_s": value}})
    with pytest.raises(AvsieveError, match="closer than"):
        frame_name(1, 0.0009)
    assert parse_config({"media": {"interval_s": 0.001}}).media.interval_s == 0.001


def test_a_name_cannot_be_given_twice() -> None:
    for content in (b"jpeg", np.zeros((2, 2, 3), np.uint8)):
        out = Decoded()
        out.add_frame("0010", content)
        with pytest.raises(ValueError, match="frame 0010 is there already"):
            out.add_frame("0010", b"another")


@pytest.mark.parametrize(("name", "time_s"), [("0010", 0.4), ("10010", 400.4), ("000040", 0.04), ("1000040", 1000.04)])
def test_a_name_tells_the_time(name: str, time_s: float) -> None:
    assert frame_time_s(name) == pytest.approx(time_s)


@pytest.mark.parametrize("interval_s", [0.4, 0.04, 0.0333333, 0.001])
@pytest.mark.parametrize("number", [1, 7, 900])
def test_the_time_of_a_frame_comes_back_from_its_name(interval_s: float, number: int) -> None:
    unit = 0.04 if interval_s >= 0.04 else 0.001
    assert frame_time_s(frame_name(number, interval_s)) == pytest.approx(number * interval_s, abs=unit / 2 + 1e-9)


@pytest.mark.parametrize("name", ["", "left", "-010", "0.4", "١٢٣٤"])
def test_what_is_no_time_is_told(name: str) -> None:
    with pytest.raises(AvsieveError, match="expected a time"):
        frame_time_s(name)

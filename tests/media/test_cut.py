from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.media.cut import CutError, cut_clip


def numbers(path: Path) -> list[int]:
    """Return the number that each frame of a clip made of `plain.mp4` shows."""
    with av.open(str(path)) as container:
        images = [f.to_ndarray(format="gray") for f in container.decode(video=0)]
    bits = [(i[::, i.shape[1] // 16 :: i.shape[1] // 8].mean(axis=0)[:8] > 120) for i in images]
    return [int((b * 2 ** np.arange(8)).sum()) for b in bits]


def test_a_part_begins_and_ends_at_its_frames(clips: Path, tmp_path: Path) -> None:
    cut_clip(clips / "plain.mp4", tmp_path / "part.mp4", 1.0, 2.2)
    assert numbers(tmp_path / "part.mp4") == list(range(25, 55))
    with av.open(str(tmp_path / "part.mp4")) as container:
        samples = sum(f.samples for f in container.decode(audio=0))
        assert container.streams.audio[0].rate == 16_000
    assert samples / 16_000 == pytest.approx(1.2, abs=0.07)  # whole AAC frames of 64 ms


def test_one_end_may_be_left_open(clips: Path, tmp_path: Path) -> None:
    cut_clip(clips / "plain.mp4", tmp_path / "head.mp4", None, 0.4, fps=None)
    cut_clip(clips / "plain.mp4", tmp_path / "tail.mp4", 2.6, None, fps=None)
    assert numbers(tmp_path / "head.mp4") == list(range(10))
    assert numbers(tmp_path / "tail.mp4") == list(range(65, 75))


def test_a_sources_times_are_kept_where_no_rate_is_asked_for(convert: Callable[..., Path], tmp_path: Path) -> None:
    source = convert("fifty.mkv", "-vf", "fps=50", "-crf", "10")
    cut_clip(source, tmp_path / "part.mp4", 1.0, 2.0, fps=None)
    assert len(numbers(tmp_path / "part.mp4")) == 50


def test_sound_alone_is_cut_too(convert: Callable[..., Path], tmp_path: Path) -> None:
    cut_clip(convert("sound.m4a", "-vn"), tmp_path / "part.mp4", 1.0, 2.0)
    with av.open(str(tmp_path / "part.mp4")) as container:
        assert [s.type for s in container.streams] == ["audio"]


def test_equal_input_gives_equal_bytes(clips: Path, tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        cut_clip(clips / "plain.mp4", tmp_path / name, 0.5, 1.0)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_nothing_to_cut_and_no_video_are_told_and_leave_nothing(clips: Path, tmp_path: Path) -> None:
    with pytest.raises(CutError, match="nothing between 10 s and 12 s"):
        cut_clip(clips / "plain.mp4", tmp_path / "part.mp4", 10, 12)
    (tmp_path / "playlist.mp4").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.mp4\n#EXT-X-ENDLIST\n")
    with pytest.raises(CutError, match="ffmpeg failed"):
        cut_clip(tmp_path / "playlist.mp4", tmp_path / "part.mp4", 0, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["playlist.mp4"]

from __future__ import annotations

import re
from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import write_clip
from avsieve.storage.wav import SAMPLE_RATE, wav_bytes


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    path.write_bytes(wav_bytes((8000 * np.sin(np.arange(SAMPLE_RATE) / 6)).astype(np.int16)))
    return path


def frames(size: int = 32) -> list[np.ndarray]:
    return [np.full((size, size, 3), 10 * n, np.uint8) for n in range(25)]


def test_a_clip_has_its_frames_and_its_sound_and_equal_bytes(tmp_path: Path, tone: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_clip(tmp_path / name, frames(), tone, size=32)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [s.codec_context.name for s in container.streams] == ["h264", "aac"]
        assert container.streams.audio[0].rate == SAMPLE_RATE
        assert sum(1 for _ in container.decode(video=0)) == 25


def test_no_version_of_ffmpeg_stands_in_a_clip(tmp_path: Path, tone: Path) -> None:
    write_clip(tmp_path / "a.mp4", frames(), tone, size=32)
    content = (tmp_path / "a.mp4").read_bytes()
    assert b"Lavf" not in content
    assert not re.search(rb"Lavc\d", content)


def test_a_failure_has_ffmpegs_words_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match=r"a\.mp4: ffmpeg .* failed: .*absent\.wav"):
        write_clip(tmp_path / "a.mp4", frames(), tmp_path / "absent.wav", size=32)
    assert not list(tmp_path.iterdir())

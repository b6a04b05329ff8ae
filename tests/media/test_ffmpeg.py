from __future__ import annotations

import os
import re
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import ffmpeg_binary, write_clip
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


def on_path(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    """Put a program called ffmpeg on PATH, before all others."""
    folder.mkdir()
    binary = folder / "ffmpeg"
    binary.write_text(script)
    binary.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return binary


def test_an_ffmpeg_on_path_that_does_not_start_is_told_and_the_shipped_one_taken(
    tmp_path: Path, tone: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    told = "error while loading shared libraries: libx264.so.164"
    broken = on_path(tmp_path / "bin", monkeypatch, f"#!/bin/sh\necho '{told}' >&2\nexit 127\n")
    assert ffmpeg_binary() == imageio_ffmpeg.get_ffmpeg_exe()
    assert f"{broken} does not start ({told}); using that of imageio-ffmpeg" in caplog.text
    write_clip(tmp_path / "a.mp4", frames(), tone, size=32)
    assert (tmp_path / "a.mp4").stat().st_size
    caplog.clear()
    assert ffmpeg_binary() != str(broken)
    assert not caplog.text  # told once


def test_an_ffmpeg_on_path_that_starts_is_the_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = on_path(tmp_path / "bin", monkeypatch, "#!/bin/sh\nexit 0\n")
    assert ffmpeg_binary() == str(good)


def test_where_no_ffmpeg_starts_both_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = on_path(tmp_path / "bin", monkeypatch, "#!/no/interpreter\n")
    monkeypatch.setattr(imageio_ffmpeg, "get_ffmpeg_exe", lambda: "/no/such/ffmpeg")
    with pytest.raises(AvsieveError, match=rf"no ffmpeg that starts: {broken} .*; /no/such/ffmpeg .*; install ffmpeg"):
        ffmpeg_binary()

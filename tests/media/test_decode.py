from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from avsieve.media.decode import decode_clip, frame_name, probe_duration_s
from avsieve.media.slices import MediaSlice
from avsieve.storage.reasons import Reason

from .conftest import run_ffmpeg

NAMES = ["0010", "0020", "0030", "0040", "0050", "0060", "0070"]


def number_of(jpeg: bytes) -> int:
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    stripes = image.reshape(image.shape[0], 8, -1).mean(axis=(0, 2))
    return int(((stripes > 120) << np.arange(8)).sum())


def test_frames_are_named_in_25ths_of_a_second() -> None:
    assert [frame_name(k, 0.4) for k in (1, 2, 10, 1000, 10_000)] == ["0010", "0020", "0100", "10000", "100000"]


def test_frames_and_sound_come_from_one_pass(clips: Path) -> None:
    clip = decode_clip(clips / "plain.mp4")
    assert clip.code is Reason.OK
    assert list(clip.frames) == NAMES
    # At 25 fps the frame at t = 0.4 k is frame 10 k.
    assert [number_of(j) for j in clip.frames.values()] == [10, 20, 30, 40, 50, 60, 70]
    assert clip.wave is not None
    assert clip.wave.dtype == np.int16
    assert abs(len(clip.wave) - 48_000) <= 1024  # AAC works in blocks of 1024
    assert clip.video_s == pytest.approx(3.0, abs=0.001)


@pytest.mark.parametrize(("rate", "first"), [("30", 12), ("30000/1001", 11), ("50", 20)])
def test_frames_are_taken_by_time_at_other_rates(convert: Callable[..., Path], rate: str, first: int) -> None:
    # The frame shown at 0.4 s: at 29.97 fps frame 12 begins at 0.4004 s, so it is still frame 11.
    clip = decode_clip(convert(f"rate{rate.replace('/', '-')}.mp4", "-r", rate, "-crf", "10"))
    assert list(clip.frames) == NAMES
    # ffmpeg repeated or dropped frames of the 25 fps original to reach this rate; its number tells the time.
    shown_at_s = first / float(Fraction(rate))
    assert number_of(clip.frames["0010"]) == pytest.approx(25 * shown_at_s, abs=0.7)


def test_frames_can_stay_images(clips: Path) -> None:
    clip = decode_clip(clips / "plain.mp4", as_images=True)
    assert clip.frames == {}
    assert list(clip.images) == NAMES
    assert {(i.shape, i.dtype) for i in clip.images.values()} == {((224, 224, 3), np.dtype(np.uint8))}


def test_matroska_with_its_millisecond_ticks_gives_the_same_frames(convert: Callable[..., Path]) -> None:
    clip = decode_clip(convert("plain.mkv", "-c", "copy"))
    assert [number_of(j) for j in clip.frames.values()] == [10, 20, 30, 40, 50, 60, 70]


def test_a_clip_inside_a_file_is_read_in_place(clips: Path, tmp_path: Path) -> None:
    content = (clips / "plain.mp4").read_bytes()
    (tmp_path / "x.tar").write_bytes(b"before" + content + b"after")
    inside = decode_clip(MediaSlice((tmp_path / "x.tar",), 6, len(content)))
    alone = decode_clip(clips / "plain.mp4")
    assert inside.frames == alone.frames
    assert np.array_equal(inside.wave, alone.wave)


def test_one_missing_stream_keeps_the_other(convert: Callable[..., Path]) -> None:
    silent = decode_clip(convert("noaudio.mp4", "-an", "-c", "copy"))
    assert (silent.code, list(silent.frames), silent.wave) == (Reason.NO_AUDIO_STREAM, NAMES, None)
    blind = decode_clip(convert("novideo.mp4", "-vn", "-c", "copy"))
    assert (blind.code, blind.frames) == (Reason.NO_VIDEO_STREAM, {})
    assert blind.wave is not None


def test_sound_alone_is_fine_where_no_picture_is_wanted(convert: Callable[..., Path]) -> None:
    clip = decode_clip(convert("sound.flac", "-vn"), want_video=False)
    assert clip.code is Reason.OK
    assert clip.wave is not None
    assert len(clip.wave) == pytest.approx(48_000, abs=1024)


def test_bad_files_get_the_reason_that_fits(clips: Path, convert: Callable[..., Path], tmp_path: Path) -> None:
    whole = (clips / "plain.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])  # its table of contents was at the end
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "text.mp4").write_text("Once upon a time there was a clip.\n" * 50)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(0).bytes(5000))
    fast = convert("fast.mp4", "-c", "copy", "-movflags", "+faststart").read_bytes()
    (tmp_path / "short.mp4").write_bytes(fast[: len(fast) * 6 // 10])
    found = {
        name: decode_clip(tmp_path / f"{name}.mp4").code
        for name in ("cut", "empty", "text", "noise", "short", "absent")
    }
    assert found == {
        "cut": Reason.HEADER_MISSING,
        "empty": Reason.MEDIA_EMPTY,
        "text": Reason.NOT_MEDIA,
        "noise": Reason.NOT_MEDIA,
        "short": Reason.MEDIA_TRUNCATED,
        "absent": Reason.MEDIA_MISSING,
    }


def test_what_a_truncated_file_still_has_is_kept(convert: Callable[..., Path], tmp_path: Path) -> None:
    fast = convert("fast2.mp4", "-c", "copy", "-movflags", "+faststart").read_bytes()
    (tmp_path / "short.mp4").write_bytes(fast[: len(fast) * 6 // 10])
    clip = decode_clip(tmp_path / "short.mp4")
    assert 0 < len(clip.frames) < 7
    assert clip.wave is not None
    assert "in the header" in clip.detail


def test_too_short_and_silent_clips_are_told(convert: Callable[..., Path]) -> None:
    short = decode_clip(convert("short.mp4", "-t", "0.3"))
    assert short.code is Reason.VIDEO_TOO_SHORT
    assert "of video, the first frame is taken at 0.4 s" in short.detail
    assert "of sound" in short.detail
    silent = decode_clip(convert("silent.mkv", "-af", "volume=0", "-c:a", "pcm_s16le"))
    assert (silent.code, silent.wave) == (Reason.AUDIO_SILENT, None)


def test_a_rotated_video_is_turned_upright(clips: Path, convert: Callable[..., Path]) -> None:
    wide = convert("wide.mp4", "-vf", "scale=320:160", "-crf", "10")
    turned = clips / "turned.mp4"
    run_ffmpeg("-display_rotation", "90", "-i", wide, "-c", "copy", turned)
    image = cv2.imdecode(np.frombuffer(decode_clip(turned).frames["0010"], np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (320, 160, 3)


def test_the_length_is_read_from_the_header(clips: Path, tmp_path: Path) -> None:
    assert probe_duration_s(clips / "plain.mp4") == pytest.approx(3.0, abs=0.05)
    (tmp_path / "text.mp4").write_text("no media")
    assert np.isnan(probe_duration_s(tmp_path / "text.mp4"))


@pytest.mark.real
def test_real_clips_in_mpeg_are_decoded(real_dir: Path) -> None:
    for path in sorted((real_dir / "video").glob("*.mpg")):
        clip = decode_clip(path)
        assert clip.code is Reason.OK
        assert list(clip.frames) == NAMES
        assert clip.audio_s == pytest.approx(2.978, abs=0.01)

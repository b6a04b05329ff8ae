"""Every way a file can be bad has its reason, and the decoder's words are kept."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from avsieve.media.decode import decode_clip
from avsieve.media.failure_reason import classify_failure, classify_open_error
from avsieve.media.frames import FrameTaker
from avsieve.media.lookahead import Timing
from avsieve.media.slices import MediaSlice
from avsieve.storage.reasons import DESCRIPTIONS, Reason

from .conftest import run_ffmpeg

KEY, KEY_ID = "76a6c65c5ea762046bd749a2e632ccbb", "a7e61c373e219033c21091fa607bf3b8"


def test_every_reason_is_described() -> None:
    assert set(DESCRIPTIONS) == set(Reason)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><html><body>403 Forbidden</body></html>", Reason.WEB_PAGE),
        (b"\xef\xbb\xbf\n  <HTML><head>", Reason.WEB_PAGE),
        (b'{"error": "quota exceeded"}', Reason.WEB_PAGE),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", Reason.WEB_PAGE),
        (bytes(100_000), Reason.ZERO_FILLED),
        (b"id00012 clip list\n" * 30, Reason.NOT_MEDIA),
        (b"\x1aE\xdf\xa3" + bytes(range(256)) * 4, Reason.CONTAINER_BROKEN),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", Reason.HEADER_MISSING),
    ],
)
def test_what_lies_in_place_of_a_clip_is_told_by_its_bytes(tmp_path: Path, content: bytes, reason: Reason) -> None:
    (tmp_path / "clip.mp4").write_bytes(content)
    clip = decode_clip(tmp_path / "clip.mp4")
    assert clip.code is reason
    assert str(tmp_path) not in clip.detail


def test_an_mp4_without_its_table_keeps_the_decoder_s_words(clips: Path, tmp_path: Path) -> None:
    whole = (clips / "plain.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    clip = decode_clip(tmp_path / "cut.mp4")
    assert clip.code is Reason.HEADER_MISSING
    assert "moov atom not found" in clip.detail


def test_encrypted_streams_are_told(convert: Callable[..., Path]) -> None:
    options = ["-encryption_scheme", "cenc-aes-ctr", "-encryption_key", KEY, "-encryption_kid", KEY_ID]
    clip = decode_clip(convert("encrypted.mp4", "-c", "copy", *options))
    assert (clip.code, clip.frames, clip.wave) == (Reason.ENCRYPTED, {}, None)


def test_a_stream_that_there_is_no_decoder_for_leaves_the_other(convert: Callable[..., Path], tmp_path: Path) -> None:
    content = convert("known.mkv", "-c", "copy").read_bytes()
    (tmp_path / "unknown.mkv").write_bytes(content.replace(b"V_MPEG4/ISO/AVC", b"V_MADEUP/ISO/ABC"[:15]))
    clip = decode_clip(tmp_path / "unknown.mkv")
    assert clip.code is Reason.CODEC_UNKNOWN
    assert clip.frames == {}
    assert clip.wave is not None


def damaged(source: Path, target: Path, kind: str, share: float) -> Path:
    """Copy a file with a share of the packets of a kind overwritten."""
    content = bytearray(source.read_bytes())
    with av.open(str(source)) as container:
        packets = [(p.pos, p.size) for p in container.demux(getattr(container.streams, kind)[0]) if p.size]
    rng = np.random.default_rng(0)
    for pos, size in packets[5 :: round(1 / share)]:
        content[pos + 5 : pos + size] = rng.bytes(size - 5)
    target.write_bytes(content)
    return target


def test_damage_is_told_and_what_can_be_decoded_is_kept(clips: Path, tmp_path: Path) -> None:
    video = decode_clip(damaged(clips / "plain.mp4", tmp_path / "video.mp4", "video", 0.5))
    assert video.code is Reason.VIDEO_DAMAGED
    assert "decoder: h264" in video.detail
    assert video.wave is not None
    assert video.frames
    audio = decode_clip(damaged(clips / "plain.mp4", tmp_path / "audio.mp4", "audio", 0.5))
    assert audio.code is Reason.AUDIO_DAMAGED
    assert len(audio.frames) == 7
    assert audio.wave is not None


def test_a_little_damage_is_told_in_the_detail_alone(clips: Path, tmp_path: Path) -> None:
    clip = decode_clip(damaged(clips / "plain.mp4", tmp_path / "audio.mp4", "audio", 0.02))
    assert clip.code is Reason.OK
    assert clip.detail.startswith("decoder: aac: ")
    assert decode_clip(clips / "plain.mp4").detail == ""


def test_packed_members_of_a_broken_archive_are_told(clips: Path, tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = packer.compress((clips / "plain.mp4").read_bytes()) + packer.flush()
    (tmp_path / "a.zip").write_bytes(packed)
    place = MediaSlice((tmp_path / "a.zip",), 0, len(packed), "deflate")
    assert decode_clip(place).frames == decode_clip(clips / "plain.mp4").frames
    (tmp_path / "a.zip").write_bytes(b"\xff" * 100 + packed[100:])
    assert decode_clip(place).code is Reason.ARCHIVE_BROKEN


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    (tmp_path / "clip.mp4").chmod(0)
    assert decode_clip(tmp_path / "clip.mp4").code is Reason.MEDIA_UNREADABLE


def test_errors_of_the_system_are_no_errors_of_the_file(clips: Path) -> None:
    place = MediaSlice((clips / "plain.mp4",))
    assert classify_failure(place, OSError(5, "Input/output error"), "") is Reason.MEDIA_UNREADABLE
    assert classify_failure(place, av.error.PermissionError(13, "Permission denied"), "") is Reason.MEDIA_UNREADABLE
    assert classify_failure(place, av.error.InvalidDataError(1, "Invalid data"), "") is Reason.CONTAINER_BROKEN
    assert classify_open_error(b"") is Reason.NOT_MEDIA


def test_impossible_times_are_counted_and_the_frames_placed_one_behind_the_other(clips: Path) -> None:
    from avsieve.media.decoded import Decoded

    with av.open(str(clips / "plain.mp4")) as container:
        stream = container.streams.video[0]
        out = Decoded()
        taker = FrameTaker(stream, Timing(0.0, 1 / 12_800, 0.4, 0.04), 90, out)
        for i, frame in enumerate(container.decode(stream)):
            if i % 3 == 1:
                frame.pts = 512 * 25 * 3600 if i % 2 else 0  # an hour later, or back at the beginning
            taker.push(frame)
        taker.finish(3.0)
    assert taker.misplaced == 25
    assert list(out.frames) == [f"{10 * k:04d}" for k in range(1, 8)]


def test_broken_times_of_a_file_are_told(tmp_path: Path, clips: Path) -> None:
    stuck = ["-c:v", "mjpeg", "-bsf:v", "setts=pts=0:dts=0", "-c:a", "copy"]
    run_ffmpeg("-i", clips / "plain.mp4", *stuck, tmp_path / "stuck.mkv")
    clip = decode_clip(tmp_path / "stuck.mkv")
    assert clip.code is Reason.TIMES_BROKEN
    assert "impossible times" in clip.detail


def test_sound_that_lies_apart_is_taken_from_there(clips: Path, convert: Callable[..., Path], tmp_path: Path) -> None:
    mute = convert("mute.mp4", "-an", "-c", "copy")
    sound = convert("apart.m4a", "-vn", "-c", "copy")
    clip, together = decode_clip(mute, MediaSlice((sound,))), decode_clip(clips / "plain.mp4")
    assert clip.code is Reason.OK
    assert clip.frames == together.frames
    assert np.array_equal(clip.wave, together.wave)
    gone = decode_clip(mute, MediaSlice((tmp_path / "gone.wav",)))
    assert (gone.code, gone.wave) == (Reason.MEDIA_MISSING, None)
    assert gone.detail == "sound: gone.wav: no such file"
    assert gone.frames == together.frames


def test_a_folder_of_images_gives_its_images_as_frames(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "video"
    folder.mkdir()
    image = np.zeros((80, 60, 3), np.uint8)
    image[:40, :, 2] = 255
    for name in ("0000375.jpg", "0000025.png"):
        cv2.imwrite(str(folder / name), image)
    (folder / "notes.txt").write_text("no image")
    place, sound = MediaSlice((folder,), 0, 2, "images"), MediaSlice((clips / "tone.wav",))
    clip = decode_clip(place, sound)
    assert (clip.code, list(clip.frames)) == (Reason.OK, ["0000025", "0000375"])
    assert clip.frames["0000375"] == (folder / "0000375.jpg").read_bytes()
    assert clip.audio_s == 3.0
    shown = decode_clip(place, sound, as_images=True).images
    assert np.array_equal(shown["0000025"], image)
    (folder / "0000400.jpg").write_bytes(b"\xff\xd8 and then nothing")
    bad = decode_clip(place, sound)
    assert (bad.code, list(bad.frames)) == (Reason.IMAGE_UNDECODABLE, ["0000025", "0000375"])
    assert bad.detail == "1 of 3 images cannot be decoded: 0000400.jpg"
    assert decode_clip(place).code is Reason.IMAGE_UNDECODABLE
    (tmp_path / "none").mkdir()
    assert decode_clip(MediaSlice((tmp_path / "none",), 0, 1, "images"), sound).code is Reason.NO_FRAMES
    assert decode_clip(MediaSlice((tmp_path / "gone",), 0, 1, "images"), sound).code is Reason.MEDIA_MISSING


def test_sound_alone_is_not_looked_for_in_the_video_file(clips: Path) -> None:
    clip = decode_clip(clips / "absent.mp4", MediaSlice((clips / "tone.wav",)), want_video=False)
    assert (clip.code, clip.audio_s) == (Reason.OK, 3.0)

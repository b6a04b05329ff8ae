"""Clips made to harm: they ask for other files, for memory, for time. Each is a row with a reason code, soon."""

from __future__ import annotations

import math
import os
import signal
import struct
import time
import tracemalloc
import zlib
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from avsieve.media import extract, isolated, slices
from avsieve.media.decode import decode_clip, probe_duration_s
from avsieve.media.decoded import Decoded
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.media.settings import Limits
from avsieve.media.slices import MOST_STREAMS, MediaSlice, checksum, read_slice
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.reasons import Reason
from avsieve.storage.wav import wav_bytes

CONCAT = "ffconcat version 1.0\nfile plain.mp4\n"
HLS = "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nplain.mp4\n#EXT-X-ENDLIST\n"
DASH = (
    '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT3S">'
    '<Period><AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1"><BaseURL>plain.mp4</BaseURL>'
    "<SegmentBase/></Representation></AdaptationSet></Period></MPD>"
)
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"


@pytest.mark.parametrize(
    ("content", "name"),
    [(CONCAT, "clip.mp4"), (CONCAT, "clip.ffconcat"), (HLS, "clip.mp4"), (HLS, "clip.m3u8"), (DASH, "clip.mpd"),
     (SDP, "clip.sdp")],
)  # fmt: skip
def test_a_clip_that_names_another_file_gives_nothing_of_it(clips: Path, content: str, name: str) -> None:
    path = clips / name
    path.write_text(content)
    found = decode_clip(path)
    path.unlink()
    assert found.code in (Reason.NOT_MEDIA, Reason.WEB_PAGE)
    assert not found.frames
    assert found.wave is None


def test_pictures_larger_than_the_limit_are_refused_by_their_header(clips: Path) -> None:
    found = decode_clip(clips / "plain.mp4", limits=Limits(pixels=224 * 224 - 1))
    assert found.code is Reason.PICTURE_TOO_LARGE
    assert "224 x 224" in found.detail
    assert not found.frames
    assert decode_clip(clips / "plain.mp4", limits=Limits(pixels=224 * 224)).code is Reason.OK


def test_nor_do_they_pass_where_only_the_stream_tells(tmp_path: Path) -> None:
    """The header says 64 x 64, and the pictures grow on the way."""
    path = tmp_path / "grows.avi"
    with av.open(path, "w") as target:
        stream = target.add_stream("mjpeg", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        for i in range(50):
            side = 64 if i < 25 else 640
            jpeg = cv2.imencode(".jpg", np.zeros((side, side, 3), np.uint8))[1].tobytes()
            packet = av.Packet(jpeg)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, i, i, Fraction(1, 25)
            target.mux(packet)
    found = decode_clip(path, limits=Limits(pixels=64 * 64))
    assert found.code is not Reason.OK
    assert all(cv2.imdecode(np.frombuffer(j, np.uint8), 1).shape == (64, 64, 3) for j in found.frames.values())


def test_a_clip_longer_than_the_limit_is_refused(clips: Path) -> None:
    found = decode_clip(clips / "plain.mp4", limits=Limits(clip_s=1))
    assert found.code is Reason.CLIP_TOO_LONG
    assert not found.frames
    assert found.wave is None
    apart = decode_clip(clips / "plain.mp4", MediaSlice((clips / "tone.wav",)), limits=Limits(clip_s=2.99))
    assert apart.code is Reason.CLIP_TOO_LONG


def test_more_output_than_the_limit_is_refused(clips: Path) -> None:
    assert decode_clip(clips / "plain.mp4", limits=Limits(output_mb=0.001)).code is Reason.OUTPUT_TOO_LARGE
    assert decode_clip(clips / "tone.wav", want_video=False, limits=Limits(output_mb=0.09)).code is (
        Reason.OUTPUT_TOO_LARGE
    )


def test_sound_at_one_hertz_is_not_blown_up(tmp_path: Path) -> None:
    path = tmp_path / "slow.wav"
    content = bytearray(wav_bytes(np.ones(100_000, np.int16)))
    content[24:32] = struct.pack("<II", 1, 2)
    path.write_bytes(content)
    start = time.monotonic()
    assert decode_clip(path, want_video=False).code is Reason.CLIP_TOO_LONG
    assert time.monotonic() - start < 2


def test_thousands_of_streams_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "streams.mkv"
    with av.open(path, "w") as target:
        streams = [target.add_stream("pcm_s16le", rate=16000, layout="mono") for _ in range(MOST_STREAMS + 1)]
        for stream in streams:
            packet = av.Packet(bytes(3200))
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, 0, 0, Fraction(1, 16000)
            target.mux(packet)
    assert decode_clip(path).code is Reason.STREAMS_TOO_MANY


def leaping(path: Path, stamps: list[int], tick: Fraction) -> Path:
    with av.open(path, "w") as target:
        stream = target.add_stream("mjpeg", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuvj420p"
        stream.time_base = tick
        jpeg = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()
        for stamp in stamps:
            packet = av.Packet(jpeg)
            packet.stream, packet.pts, packet.dts, packet.time_base = stream, stamp, stamp, tick
            target.mux(packet)
    return path


@pytest.mark.parametrize("stamps", [[0, 40, 80, 10**14], [0, 10**9, 10**14, 10**17]])
def test_times_that_leap_to_the_end_of_the_world_take_no_time(tmp_path: Path, stamps: list[int]) -> None:
    path = leaping(tmp_path / "leap.nut", stamps, Fraction(1, 1000))
    start = time.monotonic()
    found = decode_clip(path)
    assert time.monotonic() - start < 5
    assert len(found.frames) < 1000
    assert found.code is not Reason.OK
    probe_duration_s(path)


def crashing(media: MediaSlice, *sound: MediaSlice | None, **settings: Any) -> Decoded:
    if media.name == "crash.mp4":
        os.kill(os.getpid(), signal.SIGSEGV)
    return decode_clip(media, *sound, **settings)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_clip_that_crashes_the_decoder_does_not_cost_its_shard(
    clips: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    (clips / "crash.mp4").write_bytes((clips / "plain.mp4").read_bytes())
    names = ["plain.mp4", "crash.mp4", "plain.mp4"]
    size = (clips / "plain.mp4").stat().st_size
    index = media_table(IndexedClip(f"a/v/{i}", "train", Place(n, 0, size)) for i, n in enumerate(names))
    monkeypatch.setattr(extract, "decode_clip", crashing)
    tars = {"frames_tar": tmp_path / "f.tar", "wav_tar": tmp_path / "w.tar"}
    settings = {"interval_s": 0.4, "jpeg_quality": 90, "min_audio_s": 0.5}
    status = extract.extract_shard(index, {"train": clips}, workers=workers, **tars, **settings).frame()
    assert status["code"].tolist() == ["ok", "decoder_crashed", "ok"]
    assert "SIGSEGV" in status["detail"][1]
    with TarReader(tmp_path / "w.tar") as wavs:
        assert wavs.utterances == ["a/v/0", "a/v/2"]


def test_a_probe_that_crashes_is_a_length_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "_GUARDS", {})
    monkeypatch.setattr(isolated.decode, "probe_duration_s", partial(crashing, sound=None))
    assert math.isnan(isolated.probe_duration_s(MediaSlice((Path("crash.mp4"),))))


@pytest.mark.parametrize("length", [60_000_000, 100])
def test_a_member_that_grows_without_end_is_refused_in_little_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    packed = bytes(length)
    monkeypatch.setattr(slices, "UNPACKED_LIMIT", 10_000_000)
    packer = zlib.compressobj(1, zlib.DEFLATED, -15)
    content = packer.compress(packed) + packer.flush()
    path = tmp_path / "bomb"
    path.write_bytes(content)
    member = MediaSlice((path,), 0, len(content), "deflate")
    del content
    if len(packed) < 1000:
        assert checksum(member) == zlib.crc32(packed)
        return
    tracemalloc.start()
    for read in (checksum, read_slice):
        with pytest.raises(zlib.error, match="more than 10000000"):
            read(member)
    assert decode_clip(member).code is Reason.ARCHIVE_BROKEN
    assert tracemalloc.get_traced_memory()[1] < 50_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("side", [20_000, 65_500])
def test_a_small_image_that_claims_to_be_huge_costs_its_row(tmp_path: Path, side: int) -> None:
    jpeg = bytearray(cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes())
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", side, side)
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "0010.jpg").write_bytes(jpeg)
    found = decode_clip(MediaSlice((folder,), packing="images"))
    assert found.code in (Reason.PICTURE_TOO_LARGE, Reason.IMAGE_UNDECODABLE)
    assert not found.frames

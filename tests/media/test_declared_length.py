"""Half a recording is told in every container, a whole one in none."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import pytest

from avsieve.media.declared_length import Claim, claim_of
from avsieve.media.decode import decode_clip
from avsieve.media.index import IndexedClip, file_place, media_table, slices_of
from avsieve.media.slices import MediaSlice
from avsieve.storage.reasons import Reason

from .conftest import run_ffmpeg

LENGTH_S = 4
SOUND = ["-f", "lavfi", "-i", f"anoisesrc=r=16000:d={LENGTH_S}:a=0.3:seed=1"]
PICTURE = ["-f", "lavfi", "-i", f"testsrc2=s=64x64:r=25:d={LENGTH_S}"]
H264 = ["-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart"]
# Containers that say how long they are, or whose half ends where none can end.
TELLING = {
    "pcm.wav": [], "float.wav": ["-c:a", "pcm_f32le"], "alaw.wav": ["-c:a", "pcm_alaw"],
    "adpcm.wav": ["-c:a", "adpcm_ms"], "large.wav": ["-rf64", "always"], "a.w64": [], "a.caf": [], "a.aiff": [],
    "a.au": [], "a.flac": [], "a.m4a": ["-movflags", "+faststart"], "a.mka": ["-c:a", "libopus"], "a.wma": [],
    "a.opus": ["-c:a", "libopus"], "a.ogg": ["-c:a", "libvorbis"], "flac.oga": ["-c:a", "flac"], "a.mp3": [],
    "v.mp4": H264, "v.mov": H264, "v.mkv": H264, "v.webm": ["-c:v", "libvpx", "-c:a", "libopus"],
    "mp3.avi": ["-c:v", "mpeg4", "-c:a", "mp3"], "pcm.avi": ["-c:v", "mjpeg", "-c:a", "pcm_s16le"],
    "v.wmv": [], "v.ogv": ["-c:v", "libtheora", "-c:a", "libvorbis"],
}  # fmt: skip
# Those of which the list alone knows.
SILENT = {
    "a.aac": [], "a.ac3": [], "a.mp2": [], "bare.mp3": ["-write_xing", "0"], "v.ts": [],
    "v.mpg": ["-c:v", "mpeg2video"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with a whole file of each kind, and `half` of each."""
    folder = tmp_path_factory.mktemp("lengths")
    (folder / "half").mkdir()
    for name, options in (TELLING | SILENT).items():
        has_picture = name.startswith("v.") or name.endswith(".avi")
        run_ffmpeg(*(PICTURE if has_picture else []), *SOUND, *options, folder / name)
        content = (folder / name).read_bytes()
        (folder / "half" / name).write_bytes(content[: len(content) // 2])
    return folder


def has_picture(name: str) -> bool:
    return name.startswith("v.") or name.endswith(".avi")


def read(path: Path, listed_s: float = float("nan")) -> tuple[Reason, str]:
    clip = decode_clip(MediaSlice((path,), listed_s=listed_s), want_video=has_picture(path.name))
    return clip.code, clip.detail


@pytest.mark.parametrize("name", [*TELLING, *SILENT])
def test_whole_recordings_are_ok_whatever_holds_them(made: Path, name: str) -> None:
    for listed_s in (float("nan"), float(LENGTH_S), LENGTH_S + 0.31, LENGTH_S + 1.0, 2.0):
        assert read(made / name, listed_s)[0] is Reason.OK


@pytest.mark.parametrize("name", TELLING)
def test_half_of_one_is_told_with_what_it_says(made: Path, name: str) -> None:
    code, detail = read(made / "half" / name)
    assert code is Reason.MEDIA_TRUNCATED
    assert "s in the header" in detail or "ends inside a page" in detail or "reading stopped" in detail
    if name.endswith((".wav", ".w64", ".caf", ".avi", ".wma")):
        said_s = float(detail.partition(" s decoded, ")[2].split()[0])
        assert said_s == pytest.approx(LENGTH_S, abs=0.15)


@pytest.mark.parametrize("name", SILENT)
def test_half_of_one_that_says_nothing_is_told_by_the_list(made: Path, name: str) -> None:
    assert read(made / "half" / name)[0] is Reason.OK
    code, detail = read(made / "half" / name, LENGTH_S + 0.02)
    assert code is Reason.MEDIA_TRUNCATED
    assert f"s decoded, {LENGTH_S + 0.02:.2f} s in the list" in detail


def test_the_list_is_believed_only_where_the_file_says_nothing(made: Path) -> None:
    for name in ("pcm.wav", "v.mp4", "v.mkv", "a.flac", "mp3.avi"):
        assert read(made / name, 20.0)[0] is Reason.OK
    assert read(made / "a.aac", 20.0)[0] is Reason.MEDIA_TRUNCATED


def test_the_index_passes_on_what_the_list_says(made: Path) -> None:
    place = file_place(made, "half/a.aac")
    index = media_table(IndexedClip(f"a/v/{i}", "train", place, None, LENGTH_S, bool(i)) for i in (0, 1))
    codes = [decode_clip(media, want_video=False).code for media, _ in slices_of(index, {"train": made})]
    assert codes == [Reason.OK, Reason.MEDIA_TRUNCATED]


def test_half_a_recording_in_an_archive_is_told(made: Path, tmp_path: Path) -> None:
    content = (made / "half/pcm.wav").read_bytes()
    (tmp_path / "x.tar").write_bytes(bytes(512) + content + bytes(200_000))
    media = MediaSlice((tmp_path / "x.tar",), 512, len(content))
    assert decode_clip(media, want_video=False).code is Reason.MEDIA_TRUNCATED


def with_size(path: Path, size: int, target: Path) -> Path:
    content = bytearray(path.read_bytes())
    at = content.index(b"data") + 4
    content[at : at + 4] = struct.pack("<I", size)
    target.write_bytes(content)
    return target


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF, 0x80000000])
def test_sizes_of_a_wav_that_was_written_to_a_pipe_say_nothing(made: Path, tmp_path: Path, size: int) -> None:
    path = with_size(made / "pcm.wav", size, tmp_path / "pipe.wav")
    assert read(path)[0] is Reason.OK
    assert read(path, 2.0 * LENGTH_S)[0] is Reason.MEDIA_TRUNCATED


def test_a_wav_whose_size_is_a_little_too_large_is_whole(made: Path, tmp_path: Path) -> None:
    size = 2 * 16_000 * LENGTH_S
    for more in (1, 8, 44, 4096):  # the header counted along, padding that was not written
        assert read(with_size(made / "pcm.wav", size + more, tmp_path / "odd.wav"))[0] is Reason.OK


def test_an_ogg_without_the_mark_of_its_end_is_whole(made: Path, tmp_path: Path) -> None:
    content = (made / "a.ogg").read_bytes()
    last = content.rindex(b"OggS")
    (tmp_path / "live.ogg").write_bytes(content[:last])
    assert read(tmp_path / "live.ogg")[0] is Reason.OK
    assert read(tmp_path / "live.ogg", 2.0 * LENGTH_S)[0] is Reason.MEDIA_TRUNCATED
    (tmp_path / "cut.ogg").write_bytes(content[:-20])
    assert read(tmp_path / "cut.ogg")[0] is Reason.MEDIA_TRUNCATED
    assert read(tmp_path / "cut.ogg", float(LENGTH_S))[0] is Reason.OK  # all but the very end is there


HEADS = [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", b"OggS", bytes(100), b"RIFF\0\0\0\0AVI " + bytes(30)]


@pytest.mark.parametrize("name", ["wav", "avi", "w64", "caf", "asf", "ogg"])
@pytest.mark.parametrize("content", HEADS)
def test_a_file_that_ends_inside_its_header_says_nothing(name: str, content: bytes) -> None:
    claim = claim_of(io.BytesIO(content), name)
    assert claim.said_s(1.0) == 0


def test_a_claim_counts_where_bytes_are_missing() -> None:
    assert Claim(100, 200).said_s(3.0) == 6.0
    assert Claim(100, 200, seconds=7.0).said_s(3.0) == 7.0
    assert Claim(200, 200, seconds=7.0).said_s(3.0) == 0
    assert Claim().said_s(3.0) == 0

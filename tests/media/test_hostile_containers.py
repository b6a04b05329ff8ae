"""Containers that hold too much, or what lies elsewhere: tracks of a MOV in other files, attachments of Matroska."""

from __future__ import annotations

import os
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import pytest

from avsieve.media.decode import decode_clip, probe_duration_s
from avsieve.media.settings import Limits
from avsieve.media.slices import MOST_STREAMS
from avsieve.media.workers import Workers, decoded_by
from avsieve.storage.reasons import Reason
from tests.fuzz.clips import clip

_PARENTS = (b"moov", b"trak", b"mdia", b"minf", b"dinf")


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def alias(path: str, levels: int) -> bytes:
    """Return an entry of a `dref` that names a file, as QuickTime wrote them: by its path, or by levels of folders."""
    name = path.encode()
    body = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", levels, levels) + bytes(16)
    body += struct.pack(">HH", 2, len(name)) + name + bytes(len(name) % 2) + struct.pack(">HH", 0xFFFF, 0)
    return box(b"alis", bytes(4) + body + bytes(60))


def url(path: str, _: int) -> bytes:
    return box(b"url ", bytes(4) + path.encode() + b"\0")


def referring(content: bytes, entry: bytes) -> bytes:
    """Return a MOV whose tracks lie where ``entry`` says, and are not in it."""
    parts = []
    for kind, inner in boxes(content):
        if kind in _PARENTS:
            parts.append(box(kind, referring(inner, entry)))
        elif kind == b"dref":
            parts.append(box(kind, struct.pack(">II", 0, 1) + entry))
        else:
            parts.append(box(kind, bytes(len(inner)) if kind == b"mdat" else inner))
    return b"".join(parts)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Raise where something waits, as whoever opens a pipe that nobody writes to does."""

    def ring(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def mov() -> bytes:
    return clip("mov")


@pytest.mark.parametrize("levels", [0, 1])
def test_tracks_of_a_mov_that_lie_in_another_file_are_not_followed(tmp_path: Path, mov: bytes, levels: int) -> None:
    secret, path = tmp_path / "secret.mov", tmp_path / "clip.mov"
    secret.write_bytes(mov)
    assert decode_clip(secret, min_audio_s=0.1).frames
    path.write_bytes(referring(mov, alias(str(secret), levels)))
    # FFmpeg can do it, and does where it is asked to: the file is such a one.
    with av.open(str(path), options={"enable_drefs": "1", "use_absolute_path": "1"}) as followed:
        assert next(followed.decode(video=0)).to_ndarray().any()
    found = decode_clip(path, min_audio_s=0.1)
    assert found.code is not Reason.OK
    assert not found.frames
    assert found.wave is None


@pytest.mark.parametrize("entry", [alias, url])
@pytest.mark.parametrize("levels", [0, 1])
def test_nor_is_that_file_opened(tmp_path: Path, mov: bytes, entry: object, levels: int) -> None:
    pipe, path = tmp_path / "pipe", tmp_path / "clip.mov"
    os.mkfifo(pipe)
    path.write_bytes(referring(mov, entry(str(pipe), levels)))  # type: ignore[operator]
    with at_most(20):
        assert not decode_clip(path, min_audio_s=0.1).frames
        probe_duration_s(path)


def element(identity: str, content: bytes, claimed: int | None = None) -> bytes:
    size = len(content) if claimed is None else claimed
    return bytes.fromhex(identity) + (size | 1 << 56).to_bytes(8) + content


def attached(content: bytes, claimed: int | None = None) -> bytes:
    parts = element("466e", b"a.ttf") + element("4660", b"font/ttf") + element("46ae", b"\1")
    whole = parts + element("465c", content, claimed)
    return element("61a7", whole, None if claimed is None else len(whole) - len(content) + claimed)


def with_attachments(whole: bytes, files: bytes, claimed: int | None = None, *, more: int = 0) -> bytes:
    """Return a Matroska file with attachments in front, of which ``more`` bytes are to be put in.

    What tells places within it is left out.
    """
    at = whole.index(bytes.fromhex("18538067"))
    kept, place = [element("1941a469", files, claimed)], at + 12
    while place < len(whole):
        first = whole[place]
        length = 8 - first.bit_length() + 1
        size_at = place + length
        bits = 8 - whole[size_at].bit_length() + 1
        size = int.from_bytes(whole[size_at : size_at + bits]) & ((1 << 7 * bits) - 1)
        end = size_at + bits + size
        if whole[place:size_at].hex() not in ("114d9b74", "1c53bb6b", "ec"):  # the places, the cues, nothing
            kept.append(whole[place:end])
        place = end
    content = b"".join(kept)
    return whole[:at] + element("18538067", content, len(content) + more)


@pytest.fixture(scope="module")
def mkv() -> bytes:
    return clip("matroska")


@pytest.fixture(scope="module")
def decoder() -> Iterator[Workers]:
    with Workers(1, Limits(memory_mb=256, time_s=20)) as workers:
        yield workers


def test_a_matroska_file_with_an_attachment_is_a_clip(tmp_path: Path, mkv: bytes, decoder: Workers) -> None:
    path = tmp_path / "clip.mkv"
    path.write_bytes(with_attachments(mkv, attached(b"font" * 100)))
    found = decoded_by(decoder, decode_clip, path, min_audio_s=0.1)
    assert found.code is Reason.OK, found.detail
    assert found.frames


@pytest.mark.parametrize("claimed", [2**30, 2**31 - 1, 2**40, 2**55 - 1])
def test_one_that_claims_to_be_huge_takes_no_memory_and_is_passed_over(
    tmp_path: Path, mkv: bytes, decoder: Workers, claimed: int
) -> None:
    path = tmp_path / "clip.mkv"
    path.write_bytes(with_attachments(mkv, attached(b"font" * 100, claimed), claimed + len(attached(b""))))
    found = decoded_by(decoder, decode_clip, path, min_audio_s=0.1)
    assert found.code is Reason.OK, found.detail
    assert "incomplete attachment" in found.detail
    assert found.frames


def test_one_that_is_huge_is_kept_from_memory_by_its_limit(tmp_path: Path, mkv: bytes) -> None:
    path = tmp_path / "clip.mkv"
    size, mark = 160 << 20, b"here it lies"
    head, _, tail = with_attachments(
        mkv, attached(mark, size), size + len(attached(b"")), more=size - len(mark)
    ).partition(mark)
    with path.open("wb") as file:  # a hole takes neither disk nor time
        file.write(head)
        file.seek(len(head) + size)
        file.write(tail)
    with Workers(1, Limits(memory_mb=128, time_s=20)) as workers:
        found = decoded_by(workers, decode_clip, path, min_audio_s=0.1)
        # FFmpeg goes on without what it got no memory for.
        assert found.code is Reason.DECODING_MEMORY or "incomplete attachment" in found.detail, found
        path.write_bytes(mkv)
        assert decoded_by(workers, decode_clip, path, min_audio_s=0.1).frames  # the next clip has a decoder


@pytest.mark.parametrize("count", [MOST_STREAMS, 5000])
def test_thousands_of_attachments_are_too_many_streams(
    tmp_path: Path, mkv: bytes, decoder: Workers, count: int
) -> None:
    path = tmp_path / "clip.mkv"
    path.write_bytes(with_attachments(mkv, attached(b"x") * count))
    found = decoded_by(decoder, decode_clip, path, min_audio_s=0.1)
    assert found.code in (Reason.STREAMS_TOO_MANY, Reason.MEDIA_UNREADABLE), found.detail
    assert not found.frames

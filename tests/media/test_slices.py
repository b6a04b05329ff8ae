from __future__ import annotations

import io
import zlib
from pathlib import Path

import pytest

from avsieve.media import slices
from avsieve.media.slices import FileSlice, MediaSlice, open_slice, read_slice

CONTENT = bytes(range(256)) * 4


@pytest.fixture
def parts(tmp_path: Path) -> tuple[Path, ...]:
    """Return files that hold CONTENT together; one of them is empty."""
    cuts = [0, 100, 100, 600, 601, 1024]
    paths = tuple(tmp_path / f"part{i}" for i in range(5))
    for path, start, end in zip(paths, cuts, cuts[1:], strict=False):
        path.write_bytes(CONTENT[start:end])
    return paths


def test_files_that_are_joined_read_as_one_from_any_place(parts: tuple[Path, ...]) -> None:
    with FileSlice(parts, 50, 900) as view:
        reader = io.BufferedReader(view, 64)
        assert reader.read() == CONTENT[50:950]
        for start in (0, 49, 50, 549, 550, 551, 899):
            reader.seek(start)
            assert reader.read(70) == CONTENT[50 + start : min(120 + start, 950)]
        assert reader.seek(-10, io.SEEK_END) == 890
        assert reader.read() == CONTENT[940:950]


def test_a_place_beyond_the_files_reads_as_far_as_they_go(parts: tuple[Path, ...]) -> None:
    assert read_slice(MediaSlice(parts, 1000, 500)) == CONTENT[1000:]


def packed(folder: Path, content: bytes) -> MediaSlice:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = packer.compress(content) + packer.flush()
    (folder / "x").write_bytes(b"head" + body + b"tail")
    return MediaSlice((folder / "x",), 4, len(body), "deflate")


def test_a_packed_member_is_unpacked_whole_or_in_its_beginning(tmp_path: Path) -> None:
    media = packed(tmp_path, CONTENT)
    assert read_slice(media) == CONTENT
    assert read_slice(media, 10) == CONTENT[:10]
    with open_slice(media) as opened:
        assert isinstance(opened, io.BytesIO)


def test_a_packed_member_that_ends_early_or_would_fill_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    media = packed(tmp_path, CONTENT)
    with pytest.raises(zlib.error, match="incomplete"):
        read_slice(media._replace(size=(media.size or 0) - 5))
    monkeypatch.setattr(slices, "UNPACKED_LIMIT", 500)
    with pytest.raises(zlib.error, match="more than 500 bytes"):
        read_slice(media)

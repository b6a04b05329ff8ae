"""Images: what they claim to be is known before they are decoded, and one that claims too much is not."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest

from avsieve.faces.align_shard import read_frame
from avsieve.storage import jpeg
from avsieve.storage.jpeg import image_of, jpeg_of, size_of

NOISE = np.random.default_rng(0).integers(0, 255, (24, 34, 3), np.uint8)
BLACK = np.zeros((512, 700, 3), np.uint8)
WAYS = {
    "baseline": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 1]),
    "progressive": (".jpg", [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_OPTIMIZE, 1]),
    "with restarts": (".jpg", [cv2.IMWRITE_JPEG_RST_INTERVAL, 2]),
    "png": (".png", [cv2.IMWRITE_PNG_COMPRESSION, 9]),
    "bmp": (".bmp", []),
    "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 50]),
    "lossless webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 101]),
}


def of(way: str, image: np.ndarray) -> bytes:
    ending, options = WAYS[way]
    return cv2.imencode(ending, image, options)[1].tobytes()


@pytest.mark.parametrize("way", WAYS)
def test_the_size_is_known_without_decoding_and_blank_images_are_no_bombs(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jpeg, "_HARMLESS", 0)
    for image in (NOISE, BLACK):
        content = of(way, image)
        height, width = image.shape[:2]
        assert size_of(content) == (width, height)
        if "webp" not in way or image is NOISE:  # WebP has no bound: a blank one of any size is a few bytes
            assert image_of(content).shape == image.shape  # type: ignore[union-attr]


def test_the_older_header_of_a_bmp_is_known() -> None:
    pixels = bytes(12 * 4)
    content = b"BM" + struct.pack("<IHHI", 26 + len(pixels), 0, 0, 26) + struct.pack("<IhhHH", 12, 3, 4, 1, 24) + pixels
    assert size_of(content) == (3, 4)
    assert image_of(content).shape == (4, 3, 3)  # type: ignore[union-attr]


def claiming(width: int, height: int, before: bytes = b"") -> bytes:
    """Return a whole JPEG whose header claims another size, with ``before`` in front of that header."""
    content = jpeg_of(NOISE, 90)
    at = content.index(b"\xff\xc0")
    return content[:at] + before + content[at : at + 5] + struct.pack(">HH", height, width) + content[at + 9 :]


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes(1_000_000), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def webp(kind: bytes, head: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", len(head) + 12) + b"WEBP" + kind + struct.pack("<I", len(head)) + head


BOMBS = {
    "all that a jpeg can claim": claiming(65_535, 65_535),
    "less than OpenCV refuses": claiming(32_767, 32_767),
    "one row of it": claiming(65_535, 400),
    "behind a marker without a length": claiming(32_767, 32_767, b"\xff\x01"),
    "behind filling": claiming(32_767, 32_767, b"\xff" * 9),
    "behind a comment with a header in it": claiming(
        32_767, 32_767, b"\xff\xfe\x00\x0d\xff\xc0\x00\x11\x08\x00\x18\x00\x22\x03\x01"
    ),
    "png": png(30_000, 30_000),
    "bmp": b"BM"
    + struct.pack("<IHHI", 0, 0, 0, 54)
    + struct.pack("<IiiHHI", 40, 30_000, -30_000, 1, 24, 0)
    + bytes(99),
    "webp": webp(b"VP8X", b"\x10\0\0\0" + (16_382).to_bytes(3, "little") * 2),
    "lossless webp": webp(b"VP8L", b"\x2f" + (16_382 | 16_382 << 14).to_bytes(4, "little") + bytes(20)),
    "lossy webp": webp(b"VP8 ", b"\x10\x02\0\x9d\x01\x2a" + struct.pack("<HH", 16_383, 16_383) + bytes(20)),
    "nothing": b"",
    "a jpeg of no height": claiming(34, 0),
    "a tiff": cv2.imencode(".tiff", NOISE)[1].tobytes(),
    "a jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100),
    "an exr": b"v/1\x01\x02\0\0\0" + bytes(100),
    "no image": b"GIF89a" + bytes(50),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_undecodable_and_no_decoder_sees_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("it was decoded"))
    assert image_of(BOMBS[name]) is None
    assert read_frame("0010", BOMBS[name]).image is None  # what `align_faces` makes a row of

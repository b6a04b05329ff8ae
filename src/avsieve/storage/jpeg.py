"""JPEGs of frames and of faces, and the images of others."""

from __future__ import annotations

import cv2
import numpy as np

_HARMLESS = 1 << 24
"""Pixels that may come of any file: 50 MB."""
_TIMES = 1000
"""Pixels a byte. OpenCV writes 170 of them where all is black into a byte of a JPEG, and 342 into one of a PNG."""


def jpeg_of(image: np.ndarray, quality: int) -> bytes:
    """Return the JPEG of an image (height, width, 3) uint8 BGR, its colour at half the resolution.

    Parameters
    ----------
    quality
        1 to 100.
    """
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError(f"OpenCV could not encode an image of shape {image.shape}")
    return jpeg.tobytes()


def image_of(content: bytes) -> np.ndarray | None:
    """Return the image (height, width, 3) uint8 BGR in a JPEG, PNG, BMP or WebP; ``None`` where it cannot be decoded.

    It cannot where it claims far more pixels than its bytes can hold, as a file of a kilobyte that asks for gigabytes
    does: no memory is taken for it. Other formats, of which OpenCV knows many, are none that a frame comes in.

    Raises
    ------
    cv2.error
        If there is not enough memory.
    """
    width, height = size_of(content)
    if not 0 < width * height <= max(_HARMLESS, _TIMES * len(content)):
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise
        return None


def size_of(content: bytes) -> tuple[int, int]:
    """Return the width and height that a JPEG, PNG, BMP or WebP claims, without decoding it; zeros of anything else.

    Layouts: ITU-T T.81, annex B (markers from SOF0 to SOF15); PNG specification, section 11.2.2; BITMAPINFOHEADER;
    RFC 9649 and RFC 6386, section 9.1.
    """
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    if content[:2] == b"BM":
        # OpenCV takes the older header, of 12 bytes, too; a height below zero counts from the top.
        width = 2 if content[14:18] == b"\x0c\0\0\0" else 4
        first, second = content[18 : 18 + width], content[18 + width : 18 + 2 * width]
        return abs(int.from_bytes(first, "little", signed=True)), abs(int.from_bytes(second, "little", signed=True))
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content[12:16], content[20:30])
    return _jpeg(content) if content[:2] == b"\xff\xd8" else (0, 0)


def _webp(kind: bytes, head: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return int.from_bytes(head[4:7], "little") + 1, int.from_bytes(head[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        return int.from_bytes(head[6:8], "little") & 0x3FFF, int.from_bytes(head[8:10], "little") & 0x3FFF
    return 0, 0


def _jpeg(content: bytes) -> tuple[int, int]:
    at = 2
    while 0 < at < len(content) - 8:
        if content[at] != 0xFF or content[at + 1] in (0x00, 0xFF):
            at = content.find(b"\xff", at + 1)  # filling between markers
            continue
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 if 0xD0 <= marker <= 0xD8 or marker == 0x01 else 2 + length
    return 0, 0

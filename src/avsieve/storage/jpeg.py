"""JPEGs of frames and of faces, and the images of others."""

from __future__ import annotations

import cv2
import numpy as np


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
    """Return the image (height, width, 3) uint8 BGR in a file; ``None`` where it cannot be decoded.

    OpenCV raises where an image claims to have 2^30 pixels and more, and where it is nothing at all.

    Raises
    ------
    cv2.error
        If there is not enough memory.
    """
    if not content:
        return None
    try:
        return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise
        return None


def size_of(content: bytes) -> tuple[int, int]:
    """Return the width and height that a JPEG or PNG claims, without decoding it; zeros where it does not tell.

    Layouts: ITU-T T.81, annex B (markers from SOF0 to SOF15); PNG specification, section 11.2.2.
    """
    if content[:8] == b"\x89PNG\r\n\x1a\n" and content[12:16] == b"IHDR":
        return int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    at = 2
    while content[:2] == b"\xff\xd8" and 0 < at < len(content) - 8:
        if content[at] != 0xFF or content[at + 1] in (0x00, 0xFF):
            at = content.find(b"\xff", at + 1)  # filling between markers
            continue
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9]), int.from_bytes(content[at + 5 : at + 7])
        at += 2 if 0xD0 <= marker <= 0xD8 else 2 + length
    return 0, 0

"""JPEGs of frames and of faces."""

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

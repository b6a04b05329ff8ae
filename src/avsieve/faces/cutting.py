"""Cut a crop of a kind out of a frame."""

from __future__ import annotations

import cv2
import numpy as np

from avsieve.faces.template import align_face
from avsieve.storage.crops import Crop


def cut(image: np.ndarray, box: np.ndarray, landmarks: np.ndarray, crop: Crop) -> np.ndarray:
    """Return the face in ``image`` as a crop of a kind.

    Parameters
    ----------
    image
        (h, w, 3) uint8.
    box
        (4,) left, top, right and bottom, pixels.
    landmarks
        (5, 2) pixels, as `avsieve.faces.template.align_face` takes them.

    Returns
    -------
    crop : (size, size, 3) uint8
        In the channel order of ``image``.
    """
    return align_face(image, landmarks) if crop.aligned else cut_box(image, box, crop.size, crop.margin)


def cut_box(image: np.ndarray, box: np.ndarray, size: int, margin: int = 0) -> np.ndarray:
    """Return the part of ``image`` in a box, widened by a margin, as a square.

    As FaceNet and facenet-pytorch cut faces: neither turned nor made square before it is resized, so that an upright
    box gets wider; the margin is a share of either side, and ends with the image.
    """
    height, width = image.shape[:2]
    x1, y1, x2, y2 = (float(at) for at in box)
    x, y = (margin * side / (size - margin) / 2 for side in (x2 - x1, y2 - y1))
    # A box may lie at the very edge: at least one pixel is cut out.
    left, top = (int(min(max(at, 0), most - 1)) for at, most in ((x1 - x, width), (y1 - y, height)))
    right, bottom = (
        int(max(min(at, most), first + 1)) for at, most, first in ((x2 + x, width, left), (y2 + y, height, top))
    )
    part = image[top:bottom, left:right]
    smaller = part.shape[0] >= size and part.shape[1] >= size
    return cv2.resize(part, (size, size), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR)

"""Around an SCRFD network: images to its input, its outputs to boxes and landmarks.

Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022. The arithmetic is that of
InsightFace's ``SCRFD.detect``, and so are the results, to the last bit; only cells above the threshold are decoded, and
an image that has the detector's size is not copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

STRIDES = (8, 16, 32)
ANCHORS = 2
"""Anchors in a cell."""
WIDTHS = (1, 4, 10)
"""Numbers that the three kinds of outputs have for an anchor: score, distances to the box's sides, landmarks."""
MAX_OVERLAP = 0.4
"""Of two boxes with a greater intersection over union, the one with the lower score goes."""
MEAN, SCALE = np.float32(127.5), np.float32(128)


class Detections(NamedTuple):
    """Faces of one image, best score first."""

    boxes: np.ndarray
    """(n, 4) float32: x1, y1, x2, y2 in pixels of the image."""
    scores: np.ndarray
    """(n,) float32, 0..1."""
    landmarks: np.ndarray
    """(n, 5, 2) float32 pixels: eyes, tip of the nose, corners of the mouth; the left one in the image first."""


def letterbox(image: np.ndarray, size: tuple[int, int], *, enlarge: bool = True) -> tuple[np.ndarray, float]:
    """Scale an image into the upper left corner of a black one of ``size`` (width, height).

    Returns
    -------
    whole : (h, w, 3) uint8
        ``image`` itself where it has the size.
    scale : float
        1 where it was only placed: with the width or height of ``size``, or smaller and not to be enlarged.
    """
    height, width = image.shape[:2]
    if (width, height) == size:
        return image, 1.0
    ratio = height / width
    if not enlarge and width <= size[0] and height <= size[1]:
        new = (width, height)
    elif ratio > size[1] / size[0]:
        new = (int(size[1] / ratio), size[1])
    else:
        new = (size[0], int(size[0] * ratio))
    whole = np.zeros((size[1], size[0], 3), np.uint8)
    whole[: new[1], : new[0]] = image if new == (width, height) else cv2.resize(image, new)
    return whole, new[1] / height


def blob_of(images: Sequence[np.ndarray]) -> np.ndarray:
    """Return the network's input (n, 3, h, w) float32 for images (h, w, 3) uint8 BGR of one size.

    Equal to `cv2.dnn.blobFromImages`, which may fetch fresh memory from the system each time and is then slower than
    the rest of the work around the network.
    """
    blob = np.empty((len(images), 3, *images[0].shape[:2]), np.float32)
    for number, image in enumerate(images):
        for channel, plane in enumerate(cv2.split(image)):
            np.subtract(plane, MEAN, out=blob[number, 2 - channel], dtype=np.float32)
    blob *= 1 / SCALE
    return blob


@cache
def anchor_centres(width: int, height: int, stride: int) -> np.ndarray:
    """Return the centres (n, 2) float32 of the anchors of one stride, in pixels of the input, row by row."""
    x, y = np.meshgrid(np.arange(width // stride), np.arange(height // stride))
    cells = np.stack([x, y], axis=-1).reshape(-1, 2).astype(np.float32)
    centres = np.repeat(cells * stride, ANCHORS, axis=0)
    centres.flags.writeable = False
    return centres


def decoded(outputs: Sequence[np.ndarray], size: tuple[int, int], scale: float, min_score: float) -> Detections:
    """Return the faces in what the network says about one image.

    Parameters
    ----------
    outputs
        Nine arrays (anchors, 1 or 4 or 10): scores of the three strides, then boxes, then landmarks.
    size
        Width and height of the network's input.
    scale
        Of the image in it.
    min_score
        Faces below are left out.
    """
    found = []
    for level, stride in enumerate(STRIDES):
        scores = outputs[level].reshape(-1)
        hits = np.flatnonzero(scores >= min_score)
        if not len(hits):
            continue
        centres = anchor_centres(*size, stride)[hits]
        sides, marks = outputs[level + 3][hits] * stride, outputs[level + 6][hits] * stride
        boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], axis=1)
        found.append((scores[hits], boxes, marks.reshape(-1, 5, 2) + centres[:, None]))
    if not found:
        return Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))
    scores, boxes, landmarks = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-scores, kind="stable")
    scores, boxes, landmarks = scores[order], boxes[order] / scale, landmarks[order] / scale
    keep = non_maximum_suppression(boxes)
    return Detections(boxes[keep], scores[keep], landmarks[keep])


def non_maximum_suppression(boxes: np.ndarray) -> list[int]:
    """Return which boxes (n, 4), best score first, remain when the overlapping ones go.

    Sides count the pixels at both ends, as they do in InsightFace.
    """
    areas = (boxes[:, 2] - boxes[:, 0] + 1) * (boxes[:, 3] - boxes[:, 1] + 1)
    left = np.arange(len(boxes))
    keep = []
    while len(left):
        best, left = left[0], left[1:]
        keep.append(int(best))
        if not len(left):
            break
        low, high = np.maximum(boxes[best, :2], boxes[left, :2]), np.minimum(boxes[best, 2:], boxes[left, 2:])
        inner = np.maximum(high - low + 1, 0).prod(axis=1)
        left = left[inner / (areas[best] + areas[left] - inner) <= MAX_OVERLAP]
    return keep

"""Align a face to the 112 x 112 template of ArcFace by a similarity transform."""

from __future__ import annotations

import cv2
import numpy as np

SIZE = 112
# Where ArcFace's training data has the five landmarks in a 112 x 112 image (Deng et al., CVPR 2019).
TEMPLATE = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)],
    dtype=np.float64,
)


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the similarity (2, 3) that takes ``source`` (n, 2) to ``target`` (n, 2) with the least squared error.

    Rotation, one scale and a shift; never a reflection (Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", PAMI 1991, eqs. 39 to 43). In the plane the best rotation follows from the
    sums of dot and cross products of the centred points.

    Raises
    ------
    ValueError
        If all points of ``source`` coincide.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    n = len(source)
    (x, y), (u, v) = (points.sum(axis=0).tolist() for points in (source, target))
    a, b = source - (x / n, y / n), target - (u / n, v / n)
    spread = float(np.vdot(a, a))
    if spread == 0:
        raise ValueError("all landmarks lie in one point")
    (xu, xv), (yu, yv) = (a.T @ b).tolist()
    # scale * cos and scale * sin of the best rotation
    c, s = (xu + yv) / spread, (xv - yu) / spread
    return np.array([[c, -s, (u - c * x + s * y) / n], [s, c, (v - s * x - c * y) / n]])


def align_face(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """Cut a face out of an image.

    Parameters
    ----------
    image
        (h, w, 3) uint8.
    landmarks
        (5, 2) pixels: eyes, tip of the nose, corners of the mouth; the left one in the image first.

    Returns
    -------
    face : (112, 112, 3) uint8
        In the channel order of ``image``; black where it reaches beyond the image.
    """
    matrix = similarity_transform(landmarks, TEMPLATE)
    return cv2.warpAffine(image, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)

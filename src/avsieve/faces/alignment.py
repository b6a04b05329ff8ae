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
    middle, goal = source.mean(axis=0), target.mean(axis=0)
    a, b = source - middle, target - goal
    spread = float((a * a).sum())
    if spread == 0:
        raise ValueError("all landmarks lie in one point")
    dot, cross = float((a * b).sum()), float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum())
    # scale * cos and scale * sin of the best rotation
    c, s = dot / spread, cross / spread
    matrix = np.array([[c, -s], [s, c]])
    return np.column_stack([matrix, goal - matrix @ middle])


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

"""How much a face image can tell: sharpness, size, pose and the detector's confidence, and one number from them."""

from __future__ import annotations

import cv2
import numpy as np

_SIDE = 112


def sharpness(face: np.ndarray) -> float:
    """Return the variance of the Laplacian of an aligned face (112, 112, 3) uint8, in grey levels squared.

    Pech-Pacheco et al., "Diatom autofocusing in brightfield microscopy", ICPR 2000. Measured inside the face, where
    neither hair nor the black beyond the image's edge counts. Typical: below 20 blurred, above 100 sharp. Another
    square crop is brought to 112 pixels first, since the variance depends on the scale.
    """
    if face.shape[:2] != (_SIDE, _SIDE):
        face = cv2.resize(face, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(face[28:100, 24:88], cv2.COLOR_BGR2GRAY)
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_32F))[1].item() ** 2)


def frontality(landmarks: np.ndarray) -> float:
    """Return how frontal a face is by its landmarks (5, 2): 1 frontal, 0 in profile.

    The tip of the nose lies midway between the eyes in a frontal face and over an eye in profile; measured along the
    line through the eyes.
    """
    (left_x, left_y), (right_x, right_y), (nose_x, nose_y) = landmarks[:3].tolist()
    x, y = right_x - left_x, right_y - left_y
    length = x * x + y * y
    if length == 0:
        return 0.0
    along = ((nose_x - left_x) * x + (nose_y - left_y) * y) / length
    return min(max(1 - 2 * abs(along - 0.5), 0.0), 1.0)


def quality(*, score: float, size_px: float, sharp: float, frontal: float) -> float:
    """Return a weight in 0..1 for pooling: the product of the four measures, each saturating where more helps no more.

    Parameters
    ----------
    score
        Of the detector, 0..1.
    size_px
        Square root of the box's area; from 112 pixels on the face is not enlarged any more.
    sharp, frontal
        Of `sharpness` and `frontality`.
    """
    size = min(size_px / 112, 1.0)
    focus = sharp / (sharp + 30.0)
    return float(score * np.sqrt(size) * np.sqrt(focus) * (0.25 + 0.75 * frontal))

"""Which way a face looks, from its five landmarks.

Yaw and pitch come from pose from orthography and scaling (DeMenthon and Davis, "Model-based object pose in 25 lines of
code", IJCV 1995, its first iteration): the least-squares map from a mean face in space to the landmarks, made a
rotation. The mean face has the width and height of ArcFace's template; its depths are usual proportions of a
head, in shares of the distance of the eyes. Heads differ, so an estimate is good to about ten degrees.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from avsieve.faces.template import TEMPLATE

# How much nearer to the camera than the eyes, in distances of the eyes: eyes, tip of the nose, corners of the mouth.
_DEPTHS = np.array([0.0, 0.0, 0.5, 0.05, 0.05])
_EYES_PX = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))
_HEAD = np.column_stack([TEMPLATE, -_DEPTHS * _EYES_PX])  # x to the right, y down, z away from the camera
_INVERSE = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))
_INVERSE -= _INVERSE.mean(axis=1, keepdims=True)  # so that landmarks need not be centred


class Pose(NamedTuple):
    """Angles in degrees, as the image shows them; 0, 0, 0 is a face that looks into the camera."""

    yaw_deg: float
    """Positive: the face is turned to the right edge of the image."""
    pitch_deg: float
    """Positive: it looks up."""
    roll_deg: float
    """Positive: turned clockwise, the right eye in the image is lower than the left one."""


def pose_of(landmarks: np.ndarray) -> Pose:
    """Estimate the pose of a face by its landmarks (5, 2), in pixels; NaN for all when they lie in one point."""
    points = np.asarray(landmarks, np.float64)
    # Rows of the map: how the head's axes x, y, z show in the image's x and y.
    (ax, bx), (ay, by), (az, bz) = (_INVERSE @ points).tolist()
    aa, ab, bb = ax * ax + ay * ay + az * az, ax * bx + ay * by + az * bz, bx * bx + by * by + bz * bz
    root = math.sqrt(max(aa * bb - ab * ab, 0.0))
    if not root > 0:
        return Pose(math.nan, math.nan, math.nan)
    # The nearest rotation, by the polar decomposition: rows = (rows rows^T)^(1/2) rotation; up to a common factor,
    # the root of a symmetric 2 x 2 matrix G is G + sqrt(det G) I, whose inverse is what multiplies the rows here.
    p, q, r = bb + root, -ab, aa + root
    scale = math.hypot(p * ax + q * bx, p * ay + q * by, p * az + q * bz)
    rx, ry, rz = ((p * a + q * b) / scale for a, b in ((ax, bx), (ay, by), (az, bz)))
    dx, dy, dz = ((q * a + r * b) / scale for a, b in ((ax, bx), (ay, by), (az, bz)))
    # The nose points against the head's third axis.
    x, y, z = -rz, -dz, -(rx * dy - ry * dx)
    right_eye, left_eye = points[1], points[0]
    return Pose(
        yaw_deg=math.degrees(math.atan2(x, -z)),
        pitch_deg=math.degrees(math.atan2(-y, math.hypot(x, z))),
        roll_deg=math.degrees(math.atan2(right_eye[1] - left_eye[1], right_eye[0] - left_eye[0])),
    )

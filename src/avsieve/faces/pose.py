"""Which way a face looks, from its five landmarks.

Yaw and pitch come from pose from orthography and scaling (DeMenthon and Davis, "Model-based object pose in 25 lines of
code", IJCV 1995, its first iteration): the least-squares map from a mean face in space to the landmarks, made a
rotation. The mean face has the width and height of ArcFace's template; its depths are usual proportions of a
head, in shares of the distance of the eyes. Heads differ, so an estimate is good to about ten degrees.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from avsieve.faces.alignment import TEMPLATE

# How much nearer to the camera than the eyes, in distances of the eyes: eyes, tip of the nose, corners of the mouth.
_DEPTHS = np.array([0.0, 0.0, 0.45, 0.1, 0.1])
_EYES_PX = float(np.linalg.norm(TEMPLATE[1] - TEMPLATE[0]))
_HEAD = np.column_stack([TEMPLATE, -_DEPTHS * _EYES_PX])  # x to the right, y down, z away from the camera
_INVERSE = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))


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
    centred = points - points.mean(axis=0)
    if not np.isfinite(centred).all() or not centred.any():
        return Pose(float("nan"), float("nan"), float("nan"))
    u, _, v = np.linalg.svd((_INVERSE @ centred).T, full_matrices=False)
    right, down = u @ v
    away = np.cross(right, down)
    # Where the nose points to: against the head's third axis.
    x, y, z = -right[2], -down[2], -away[2]
    eyes = points[1] - points[0]
    return Pose(
        yaw_deg=float(np.degrees(np.arctan2(x, -z))),
        pitch_deg=float(np.degrees(np.arctan2(-y, np.hypot(x, z)))),
        roll_deg=float(np.degrees(np.arctan2(eyes[1], eyes[0]))),
    )

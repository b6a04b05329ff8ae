"""Shape of a rendered head: its outline, its relief over the face plane, and how a pose moves both.

The head is a height field z(u, v) over the frontal face plane. A pose turns it about its middle; under yaw a point
moves by ``sin(yaw) z``, so the nose travels farther than the eyes, and the eyes farther than the ears.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from avsieve.synthetic.faces.canvas import mirrored, spline
from avsieve.synthetic.faces.identity import FaceIdentity


def outline(face: FaceIdentity) -> np.ndarray:
    """Return the closed outline (n, 2) of skull and face, ears excluded."""
    corner = 0.62 * face.jaw_width + 0.38 * face.chin_width
    right = np.array(
        [
            (0.0, face.crown),
            (0.52 * face.forehead_width, face.crown + 0.10),
            (0.90 * face.forehead_width, face.crown + 0.42),
            (face.forehead_width + 0.02, -0.55),
            (0.5 * (face.forehead_width + face.cheek_width), -0.15),
            (face.cheek_width, 0.32),
            (0.45 * face.cheek_width + 0.55 * face.jaw_width, 0.5 * (0.32 + face.jaw_height)),
            (face.jaw_width, face.jaw_height),
            (corner, 0.42 * face.jaw_height + 0.58 * face.chin),
            (face.chin_width, face.chin - 0.055),
            (0.0, face.chin),
        ]
    )
    return spline(mirrored(right), 6, closed=True)


def eye_centres(face: FaceIdentity) -> np.ndarray:
    """Return the centres (2, 2) of both eyes, that on the left of the image first."""
    lift = face.skew[0]
    return np.array([(-face.eye_spacing, lift), (face.eye_spacing, -lift)])


def nose_tip(face: FaceIdentity) -> np.ndarray:
    """Return the point (2,) of the nose that stands out farthest."""
    return np.array([face.skew[1], face.nose_length - 0.17 - face.nose_upturn])


def _gauss(u: np.ndarray, v: np.ndarray, centre: tuple[float, float], radii: tuple[float, float]) -> np.ndarray:
    return np.exp(-0.5 * (((u - centre[0]) / radii[0]) ** 2 + ((v - centre[1]) / radii[1]) ** 2))


def relief(face: FaceIdentity, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the height z of the head over the plane at ``u``, ``v`` (any shape), in face units."""
    wide = 1.16 * face.cheek_width
    taper = 1 - 0.16 * np.clip((v - 0.2) / 1.4, 0, 1)
    z = 0.92 - 0.80 * np.abs(u / (wide * taper)) ** 2.3 - 0.52 * np.abs((v - 0.15) / 1.75) ** 2.4
    z = np.maximum(z, -0.25 + 0.05 * z)
    for side, (eu, ev) in zip((-1, 1), eye_centres(face), strict=True):
        z -= 0.115 * face.socket * _gauss(u, v, (eu - side * 0.05, ev - 0.03), (0.2, 0.13))
        z += 0.05 * _gauss(u, v, (eu, ev + 0.01), (0.12, 0.08))
        z += face.brow_ridge * _gauss(u, v, (eu - side * 0.03, ev - face.brow_height + 0.02), (0.25, 0.07))
        z += face.cheekbone * _gauss(u, v, (side * 0.66 * face.cheek_width, 0.38), (0.2, 0.15))
        corner = (side * (face.mouth_width + 0.09), face.mouth_height - 0.1)
        z -= (0.015 + 0.035 * face.age) * _gauss(u, v, corner, (0.05, 0.16))
        ala = (side * face.nose_width * 0.72 + face.skew[1], face.nose_length - 0.13)
        z += 0.15 * _gauss(u, v, ala, (0.062 + 0.12 * (face.nose_width - 0.2), 0.075))
    tip_u, tip_v = nose_tip(face)
    along = np.clip((v + 0.12) / (tip_v + 0.12), 0, 1)
    below = np.exp(-0.5 * (np.maximum(v - tip_v, 0) / 0.11) ** 2)
    above = 1 / (1 + np.exp(-(v + 0.10) / 0.06))
    width = face.nose_bridge * (0.75 + 0.4 * along)
    ridge = face.nose_height * (0.18 + 0.62 * along**1.3)
    z += ridge * np.exp(-0.5 * ((u - tip_u * along) / width) ** 2) * above * below
    z += 0.22 * face.nose_height * _gauss(u, v, (tip_u, tip_v), (face.nose_tip, face.nose_tip))
    mouth = face.mouth_height
    z += (0.05 + 0.35 * face.upper_lip) * _gauss(u, v, (0, mouth - 0.06), (face.mouth_width * 0.75, 0.07))
    z += (0.05 + 0.35 * face.lower_lip) * _gauss(u, v, (0, mouth + 0.08), (face.mouth_width * 0.6, 0.07))
    z -= 0.05 * _gauss(u, v, (0, mouth + 0.24), (0.2, 0.06))
    z += face.chin_relief * _gauss(u, v, (0, face.chin - 0.2), (0.55 * face.chin_width + 0.06, 0.12))
    z -= 0.02 * _gauss(u, v, (0, 0.5 * (face.nose_length + mouth) + 0.02), (0.035, 0.08))
    return z


def normals(z: np.ndarray, spacing: float) -> np.ndarray:
    """Return unit normals (h, w, 3) of the height field ``z`` (h, w) whose samples lie ``spacing`` apart."""
    dv, du = np.gradient(z.astype(np.float32), spacing)
    n = np.stack([-du, -dv, np.ones_like(du)], axis=-1)
    return (n / np.linalg.norm(n, axis=-1, keepdims=True)).astype(np.float32)


def landmarks(face: FaceIdentity, mouth: float, smile: float) -> np.ndarray:
    """Return the points (5, 2) of the face plane: eyes, tip of the nose, corners of the mouth; left ones first."""
    eyes, tip = eye_centres(face), nose_tip(face)
    half = face.mouth_width * (1 - 0.10 * mouth + 0.08 * smile)
    level = face.mouth_height - face.mouth_corner - 0.035 * smile + 0.03 * mouth
    tilt = face.skew[2]
    return np.array([*eyes, tip, (-half, level + tilt), (half, level - tilt)])


@dataclass(frozen=True)
class Pose:
    """The pose of the head in one frame: angles in radians, ``scale`` in pixels a face unit, ``x``/``y`` in pixels."""

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float

    def project(self, points: np.ndarray) -> np.ndarray:
        """Return image coordinates (n, 2) of head points (n, 3)."""
        u, v, z = points.T
        x1 = np.cos(self.yaw) * u + np.sin(self.yaw) * z
        z1 = np.cos(self.yaw) * z - np.sin(self.yaw) * u
        y1 = np.cos(self.pitch) * v - np.sin(self.pitch) * z1
        cos, sin = np.cos(self.roll) * self.scale, np.sin(self.roll) * self.scale
        return np.column_stack([cos * x1 - sin * y1 + self.x, sin * x1 + cos * y1 + self.y])

    def rotation(self) -> np.ndarray:
        """Return the matrix (3, 3) that takes head directions to camera directions."""
        cy, sy = np.cos(self.yaw), np.sin(self.yaw)
        cp, sp = np.cos(self.pitch), np.sin(self.pitch)
        cr, sr = np.cos(self.roll), np.sin(self.roll)
        yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
        roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        return roll @ pitch @ yaw


class Unprojector:
    """Find, for every pixel of the image, the point of the face plane that is seen there.

    The relief depends on the answer, so the equation is solved by fixed-point iteration on a grid of every
    ``step``-th pixel, which is then enlarged. Nothing hides behind anything in a height field at these angles.
    """

    def __init__(self, z: np.ndarray, origin: tuple[float, float], spacing: float, size: int, step: int = 4) -> None:
        # Steep places would make the iteration swing, and a height field cannot show what they hide.
        self._z = cv2.GaussianBlur(z.astype(np.float32), (0, 0), 0.03 / spacing)
        self._origin, self._spacing, self._size = origin, spacing, size
        centres = (np.arange(size // step, dtype=np.float32) + 0.5) * step - 0.5
        self._x, self._y = np.meshgrid(centres, centres)

    def lift(self, points: np.ndarray) -> np.ndarray:
        """Return head points (n, 3) for points (n, 2) of the face plane, on the very surface that is shown."""
        at = ((points - self._origin) / self._spacing).astype(np.float32)
        z = cv2.remap(self._z, at[:, :1], at[:, 1:], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.column_stack([points, z])

    def __call__(self, pose: Pose, iterations: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """Return ``u`` and ``v`` (size, size) float32 of every pixel."""
        f = np.float32
        cos, sin = f(np.cos(pose.roll) / pose.scale), f(np.sin(pose.roll) / pose.scale)
        dx, dy = self._x - f(pose.x), self._y - f(pose.y)
        x1, y1 = cos * dx + sin * dy, cos * dy - sin * dx
        cy, sy, cp, sp = f(np.cos(pose.yaw)), f(np.sin(pose.yaw)), f(np.cos(pose.pitch)), f(np.sin(pose.pitch))
        per, left, top = f(1 / self._spacing), f(self._origin[0]), f(self._origin[1])
        z: np.ndarray = np.full_like(x1, 0.7)
        for _ in range(iterations):
            u = (x1 - sy * z) / cy
            v = (y1 + sp * (cy * z - sy * u)) / cp
            found = cv2.remap(
                self._z, (u - left) * per, (v - top) * per, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
            )
            z = f(0.3) * z + f(0.7) * found
        u = (x1 - sy * z) / cy
        v = (y1 + sp * (cy * z - sy * u)) / cp
        shape = (self._size, self._size)
        return cv2.resize(u, shape, interpolation=cv2.INTER_LINEAR), cv2.resize(
            v, shape, interpolation=cv2.INTER_LINEAR
        )

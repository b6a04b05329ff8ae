import numpy as np
import pytest

from avsieve.synthetic.faces.geometry import Pose, Unprojector, landmarks, relief
from avsieve.synthetic.faces.identity import sample_face

FACE = sample_face(np.random.default_rng(3), "f")
SPACING = 0.02


def surface() -> Unprojector:
    u, v = np.meshgrid(np.arange(-1.6, 1.6, SPACING), np.arange(-2, 2, SPACING))
    return Unprojector(relief(FACE, u, v), (-1.6, -2.0), SPACING, size=224, step=2)


def test_yaw_moves_the_nose_farther_than_the_eyes():
    points = surface().lift(landmarks(FACE, 0.0, 0.0))
    straight = Pose(0, 0, 0, 55, 112, 90).project(points)
    turned = Pose(0.3, 0, 0, 55, 112, 90).project(points)
    moved = (turned - straight)[:, 0]
    assert moved[2] > 1.1 * moved[:2].max()


@pytest.mark.parametrize("yaw", [-0.3, 0.0, 0.25])
def test_unprojection_undoes_projection(yaw):
    pose = Pose(yaw, 0.1, -0.1, 55, 112, 90)
    seen = surface()
    marks = landmarks(FACE, 0.0, 0.0)
    x, y = pose.project(seen.lift(marks)).round().astype(int).T
    u, v = seen(pose, iterations=12)
    error = np.column_stack([u[y, x], v[y, x]]) - marks
    assert np.abs(error).max() < 1.5 / 55  # half a pixel of rounding, and a coarse grid


def test_the_projection_agrees_with_the_rotation_matrix():
    pose = Pose(0.2, -0.1, 0.15, 1.0, 0.0, 0.0)
    points = np.random.default_rng(0).normal(size=(7, 3))
    assert np.allclose(pose.project(points), (points @ pose.rotation().T)[:, :2])

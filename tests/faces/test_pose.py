import numpy as np
import pytest

from avsieve.faces.pose import pose_of
from avsieve.faces.template import TEMPLATE


def rotated(points: np.ndarray, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return points @ np.array([[c, s], [-s, c]])


def turned(yaw: float, pitch: float) -> np.ndarray:
    """Landmarks of the mean face after it has turned to the right of the image and looked up, in degrees."""
    from avsieve.faces.pose import _HEAD

    y, p = np.radians(yaw), np.radians(pitch)
    head = _HEAD - _HEAD.mean(axis=0)
    about_y = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), np.sin(p)], [0, -np.sin(p), np.cos(p)]])
    return (head @ about_x.T @ about_y.T)[:, :2]


def test_the_template_looks_into_the_camera():
    pose = pose_of(TEMPLATE)
    assert pose.yaw_deg == pytest.approx(0, abs=1e-9)
    assert pose.pitch_deg == pytest.approx(0, abs=1e-9)
    assert pose.roll_deg == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize(("yaw", "pitch"), [(30, 0), (-45, 0), (0, 20), (0, -25), (20, -10)])
def test_a_turned_mean_face_gives_its_angles_at_any_size_and_place(yaw, pitch):
    pose = pose_of(3 * turned(yaw, pitch) + (500, 40))
    assert pose.yaw_deg == pytest.approx(yaw, abs=1e-6)
    assert pose.pitch_deg == pytest.approx(pitch, abs=1e-6)


def test_a_tilted_head_is_told_by_the_eyes():
    assert pose_of(rotated(TEMPLATE, 15)).roll_deg == pytest.approx(pose_of(TEMPLATE).roll_deg + 15)


def test_rendered_heads_turn_the_way_that_is_measured():
    from avsieve.synthetic.faces.geometry import Pose, landmarks, relief
    from avsieve.synthetic.faces.person import sample_face

    errors = []
    for seed in range(10):
        face = sample_face(np.random.default_rng(seed), "fm"[seed % 2])
        flat = landmarks(face, 0.0, 0.0)
        points = np.column_stack([flat, relief(face, flat[:, 0], flat[:, 1])])
        base = pose_of(Pose(0, 0, 0, 60, 112, 112).project(points))
        for yaw in (-25, 25):
            found = pose_of(Pose(np.radians(yaw), 0, 0, 60, 112, 112).project(points))
            errors.append(found.yaw_deg - base.yaw_deg - yaw)
    assert np.abs(errors).max() < 15


def test_landmarks_in_one_point_have_no_pose():
    assert np.isnan(pose_of(np.full((5, 2), 3.0))).all()

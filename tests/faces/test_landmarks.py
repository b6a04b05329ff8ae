import numpy as np
import pytest

from avsieve.errors import ModelError
from avsieve.faces.landmarks import FaceLandmarks, five_of
from avsieve.onnx_runtime.shipped import resolve_model
from tests.faces.face_fakes import landmarks_file, recognition_file

IMAGE = np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8)
ANSWER = np.random.default_rng(1).uniform(-0.9, 0.9, (106, 2))


def test_minus_one_and_one_are_the_edges_of_the_loose_square(tmp_path):
    answer = np.zeros((106, 2))
    answer[0], answer[1] = (-1, -1), (1, 0.5)
    points = FaceLandmarks(landmarks_file(tmp_path / "2d106det.onnx", answer)).points(
        IMAGE, np.array([60, 40, 140, 140])
    )
    # The box is 80 x 100 about (100, 90): the square has a side of 150.
    assert points[0] == pytest.approx((25, 15), abs=1e-3)
    assert points[1] == pytest.approx((175, 127.5), abs=1e-3)
    assert points[2] == pytest.approx((100, 90), abs=1e-3)
    assert points.dtype == np.float32


def test_points_are_those_of_insightface(tmp_path):
    from insightface.app.common import Face

    network = FaceLandmarks(landmarks_file(tmp_path / "2d106det.onnx", ANSWER))
    box = np.array([33.5, 20.25, 150.0, 190.5], np.float32)
    theirs = network._network.get(IMAGE, Face(bbox=box, kps=None, det_score=0.9))
    assert network.points(IMAGE, box) == pytest.approx(theirs, abs=1e-2)


def test_the_network_sees_the_face_as_insightface_shows_it(tmp_path, monkeypatch):
    network = FaceLandmarks(landmarks_file(tmp_path / "2d106det.onnx", ANSWER))
    from insightface.app.common import Face

    seen = []

    class Session:
        def run(self, names, feeds):
            seen.append(next(iter(feeds.values())))
            return [ANSWER.reshape(1, -1).astype(np.float32)]

    monkeypatch.setattr(network._network, "session", Session())
    box = np.array([33.5, 20.25, 150.0, 190.5], np.float32)
    network.points(IMAGE, box)
    network._network.get(IMAGE, Face(bbox=box, kps=None, det_score=0.9))
    assert np.abs(seen[0] - seen[1]).max() < 0.02


def test_five_points_are_eye_centres_nose_and_mouth_corners():
    points = np.column_stack([np.arange(106.0), -np.arange(106.0)])
    assert five_of(points)[:, 0].tolist() == [36.75, 90.75, 86, 52, 61]


def test_other_networks_are_refused(tmp_path):
    with pytest.raises(ModelError, match="expected 106 points"):
        FaceLandmarks(recognition_file(tmp_path / "arcface.onnx"))
    with pytest.raises(ModelError, match="no landmarks model is shipped"):
        FaceLandmarks("builtin")


def test_a_pack_gives_its_106_points(tmp_path):
    recognition_file(tmp_path / "w600k.onnx")
    expected = landmarks_file(tmp_path / "2d106det.onnx", ANSWER)
    landmarks_file(tmp_path / "1k3d68.onnx", np.zeros((3309, 1)))
    assert resolve_model(tmp_path, "landmarks") == expected

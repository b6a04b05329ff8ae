import cv2
import numpy as np
import pytest

from avsieve.faces.template import TEMPLATE, align_face, similarity_transform


def turned(points: np.ndarray, angle: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return scale * points @ np.array([[c, -s], [s, c]]).T + shift


def test_an_exact_similarity_is_recovered():
    source = turned(TEMPLATE, 0.4, 2.5, (17, -3))
    matrix = similarity_transform(source, TEMPLATE)
    assert np.allclose(source @ matrix[:, :2].T + matrix[:, 2], TEMPLATE)


def test_no_other_similarity_has_a_smaller_squared_error():
    rng = np.random.default_rng(0)
    source = turned(TEMPLATE, -0.2, 1.3, (5, 9)) + rng.normal(0, 3, TEMPLATE.shape)
    best = similarity_transform(source, TEMPLATE)

    def error(matrix: np.ndarray) -> float:
        return float(((source @ matrix[:, :2].T + matrix[:, 2] - TEMPLATE) ** 2).sum())

    for _ in range(200):
        c, s, x, y = rng.normal(0, (1e-3, 1e-3, 0.1, 0.1))
        assert error(best) <= error(best + np.array([[c, -s, x], [s, c, y]])) + 1e-9


def test_a_mirrored_face_is_turned_and_never_mirrored():
    matrix = similarity_transform(TEMPLATE * (-1, 1), TEMPLATE)
    assert np.linalg.det(matrix[:, :2]) > 0


def test_coinciding_landmarks_are_refused():
    with pytest.raises(ValueError, match="one point"):
        similarity_transform(np.ones((5, 2)), TEMPLATE)


def test_an_aligned_face_has_its_landmarks_on_the_template():
    landmarks = turned(TEMPLATE, 0.15, 1.4, (30, 20))
    image = np.zeros((224, 224, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(image, (round(x * 16), round(y * 16)), 3 * 16, (255, 255, 255), -1, cv2.LINE_AA, 4)
    face = align_face(image, landmarks)
    assert face.shape == (112, 112, 3)
    for x, y in TEMPLATE:
        part = face[int(y) - 5 : int(y) + 7, int(x) - 5 : int(x) + 7, 0].astype(float)
        rows, columns = np.mgrid[int(y) - 5 : int(y) + 7, int(x) - 5 : int(x) + 7]
        centre = np.array([(columns * part).sum(), (rows * part).sum()]) / part.sum()
        assert np.abs(centre - (x, y)).max() < 0.6

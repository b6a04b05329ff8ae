import cv2
import numpy as np
import pytest

from avsieve.faces.quality import frontality, quality, sharpness
from avsieve.faces.template import TEMPLATE


def test_blur_lowers_sharpness():
    image = np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    assert sharpness(cv2.GaussianBlur(image, (0, 0), 2)) < 0.2 * sharpness(image)


def test_frontality_falls_as_the_nose_moves_towards_an_eye():
    turned = TEMPLATE.copy()
    turned[2, 0] = TEMPLATE[1, 0]
    assert frontality(TEMPLATE) > 0.95
    assert frontality(turned) < 0.05


def test_quality_rises_with_each_of_its_measures():
    worse = {"score": 0.6, "size_px": 40.0, "sharp": 5.0, "frontal": 0.2}
    better = {"score": 0.9, "size_px": 100.0, "sharp": 80.0, "frontal": 0.9}
    base = quality(**worse)
    for name, value in better.items():
        assert quality(**{**worse, name: value}) > base
    assert 0 <= base <= quality(**better) <= 1


def test_the_sharpness_of_a_larger_crop_is_that_of_the_face_at_112_pixels():
    face = np.random.default_rng(0).integers(0, 255, (28, 28, 3), dtype=np.uint8)
    face = cv2.resize(face, (112, 112), interpolation=cv2.INTER_CUBIC)
    larger = cv2.resize(face, (160, 160), interpolation=cv2.INTER_CUBIC)
    assert sharpness(larger) == pytest.approx(sharpness(face), rel=0.25)
    blurred = cv2.GaussianBlur(larger, (0, 0), 4)
    assert sharpness(blurred) < 0.1 * sharpness(larger)

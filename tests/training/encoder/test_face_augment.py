from __future__ import annotations

import numpy as np
import pytest

from .recipes import UNCHANGED, face_augmentation_of


def test_augmentation_of_no_strength_changes_nothing_and_grey_drops_colour() -> None:
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    rng = np.random.default_rng(0)
    assert np.array_equal(face_augmentation_of(**UNCHANGED)(face, rng), face)
    grey = face_augmentation_of(**UNCHANGED | {"grey": 1})(face, rng)
    assert np.array_equal(grey[..., 0], grey[..., 2])


def test_the_smooth_blur_of_the_preset_removes_detail_and_is_off_by_default() -> None:
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    smooth = face_augmentation_of(**UNCHANGED | {"smooth": 1})
    blurred = [smooth(face, np.random.default_rng(seed)).astype(float).std() for seed in range(20)]
    assert min(blurred) < 0.4 * face.std()
    assert max(blurred) <= face.std()
    assert face_augmentation_of().smooth == 0


def test_a_grey_face_is_made_of_the_planes_as_if_they_were_red_green_and_blue() -> None:
    # torchvision's weights: 0.299, 0.587, 0.114. AVCleanse hands it BGR, so that blue has the weight of red.
    blue = np.full((112, 112, 3), (255, 0, 0), np.uint8)
    for planes, weight in (("rgb", 0.114), ("bgr", 0.299)):
        grey = face_augmentation_of(planes, **UNCHANGED | {"grey": 1})(blue, np.random.default_rng(0))
        assert grey[0, 0].tolist() == [round(255 * weight)] * 3


@pytest.mark.parametrize("name", UNCHANGED)
def test_every_key_changes_a_face_by_itself_and_keeps_its_shape(name: str) -> None:
    face = np.random.default_rng(1).integers(0, 255, (112, 112, 3), dtype=np.uint8)
    augmentation = face_augmentation_of(**UNCHANGED | {name: 1})
    one, two = (augmentation(face, np.random.default_rng(3)) for _ in range(2))
    assert (one.shape, one.dtype) == (face.shape, np.uint8)
    assert np.array_equal(one, two)
    assert not np.array_equal(one, face)

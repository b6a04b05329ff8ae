from __future__ import annotations

import subprocess
import sys

import cv2
import numpy as np
import pytest

from avsieve.encoders.registry import VISUAL
from avsieve.faces.cutting import cut, cut_box
from avsieve.faces.template import TEMPLATE, align_face
from avsieve.storage.crops import ALIGNED, CROPS

# Every pixel says where it lies.
ROWS, COLUMNS = np.mgrid[0:200, 0:250].astype(np.uint8)
PLACES = np.dstack([ROWS, COLUMNS, np.zeros_like(ROWS)])


def seen(crop: np.ndarray) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of what a crop shows of `PLACES`."""
    return tuple(float(v) for v in (crop[0, 0, 1], crop[0, 0, 0], crop[-1, -1, 1] + 1, crop[-1, -1, 0] + 1))


def test_a_box_without_a_margin_is_cut_out_as_it_lies() -> None:
    crop = cut_box(PLACES, np.array([50, 30, 162, 142]), 112)
    assert np.array_equal(crop, PLACES[30:142, 50:162])


def test_the_margin_of_facenet_is_a_fifth_of_the_crop_half_of_it_at_either_side() -> None:
    # A box of 96 x 128 fills 128 of 160 pixels: 12 and 16 pixels of the image are added at each side.
    crop = cut_box(PLACES, np.array([80, 40, 176, 168]), 160, margin=32)
    assert crop.shape == (160, 160, 3)
    assert seen(crop) == pytest.approx((68, 24, 188, 184), abs=1)


@pytest.mark.parametrize(
    ("box", "expected"), [((-20, -10, 60, 60), (0, 0, 60, 60)), ((200, 150, 300, 260), (200, 150, 250, 200))]
)
def test_a_box_ends_with_the_image(box: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert seen(cut_box(PLACES, np.array(box), 112)) == pytest.approx(expected, abs=1)


@pytest.mark.parametrize("box", [(300, 300, 320, 330), (-50, -50, -10, -10), (100, 100, 100, 100), (9, 9, 9.4, 9.4)])
def test_a_box_beside_the_image_gives_a_crop_all_the_same(box: tuple[float, ...]) -> None:
    assert cut_box(PLACES, np.array(box), 160, 32).shape == (160, 160, 3)


def test_every_kind_has_its_size_and_the_aligned_one_is_that_of_the_template() -> None:
    image = cv2.resize(PLACES, (300, 300))
    marks = TEMPLATE * 1.5 + 40
    for kind in CROPS:
        crop = CROPS[kind]
        assert cut(image, np.array([50, 50, 200, 220]), marks, crop).shape == (crop.size, crop.size, 3)
    assert np.array_equal(cut(image, np.zeros(4), marks, CROPS[ALIGNED]), align_face(image, marks))


def test_every_encoder_wants_a_kind_that_there_is() -> None:
    assert {VISUAL[name].crop for name in VISUAL} == set(CROPS)
    assert VISUAL["onnx"].crop == VISUAL["iresnet50"].crop == ALIGNED


def test_the_kinds_load_nothing_heavy() -> None:
    code = "import sys, avsieve.storage.crops; assert not {'cv2', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

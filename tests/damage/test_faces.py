from __future__ import annotations

import cv2
import numpy as np
import pytest

from avsieve.damage.faces import damaged_faces, measured_again
from avsieve.faces.quality import frontality, quality, sharpness
from avsieve.faces.template import TEMPLATE

from .shards import face, wanted_of

FACES = [face(seed) for seed in range(3)]


def damaged(kind: str, seed: int = 1, **parameters: float) -> list[np.ndarray]:
    return list(damaged_faces(FACES, wanted_of(kind, seed=seed, **parameters)).values())


@pytest.mark.parametrize("kind", ["blur", "low_resolution", "occlusion", "overexposure", "crop"])
def test_every_face_is_damaged_and_the_seed_alone_decides(kind: str) -> None:
    one, two = damaged(kind), damaged(kind)
    assert len(one) == len(FACES)
    for clean, changed, again in zip(FACES, one, two, strict=True):
        assert changed.shape == (112, 112, 3)
        assert changed.dtype == np.uint8
        assert np.array_equal(changed, again)
        assert not np.array_equal(changed, clean)


def test_a_blur_is_as_wide_as_it_says_and_reaches_no_further_than_its_kernel() -> None:
    edge = np.zeros((112, 112, 3), np.uint8)
    edge[:, 56:] = 255
    (spread,) = damaged_faces([edge], wanted_of("blur", kernel=21, sigma=2.0)).values()
    slope = np.diff(spread[50, :, 0].astype(float))
    at = np.arange(111)
    middle = (slope * at).sum() / slope.sum()
    assert np.sqrt((slope * (at - middle) ** 2).sum() / slope.sum()) == pytest.approx(2.0, abs=0.05)
    (narrow,) = damaged_faces([edge], wanted_of("blur", kernel=3, sigma=2.0)).values()
    assert np.flatnonzero(np.diff(narrow[50, :, 0].astype(int))).tolist() == [54, 55, 56]


def test_a_low_resolution_leaves_no_detail_finer_than_its_pixels() -> None:
    for clean, changed in zip(FACES, damaged("low_resolution", pixels=16), strict=True):
        before, after = (np.abs(np.fft.fft2(x[:, :, 1].astype(float))) ** 2 for x in (clean, changed))
        fine = np.hypot(*np.meshgrid(*[np.fft.fftfreq(112) * 112] * 2)) > 32  # cycles a face; 16 pixels hold 8
        assert after[fine].sum() < 0.05 * before[fine].sum()
        assert changed.mean() == pytest.approx(clean.mean(), abs=1)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.9])
def test_a_rectangle_of_one_colour_covers_the_share_of_every_face_at_the_same_place(share: float) -> None:
    places = set()
    for seed in range(5):
        covered = [
            np.any(a != b, axis=2) for a, b in zip(FACES, damaged("occlusion", seed, covered=share), strict=True)
        ]
        where = np.logical_or.reduce(covered)
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        sides = rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1
        assert sides[0] * sides[1] / 112**2 == pytest.approx(share, abs=0.01)
        assert where.sum() == sides[0] * sides[1]
        patches = [
            image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].reshape(-1, 3)
            for image in damaged("occlusion", seed, covered=share)
        ]
        assert len(np.unique(np.concatenate(patches), axis=0)) == 1
        places.add((rows[0], columns[0]))
    assert len(places) > 1


def test_overexposure_multiplies_the_light_and_clips_it() -> None:
    def light(value: np.ndarray) -> np.ndarray:
        v = value / 255
        return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)

    steps = np.arange(256, dtype=np.uint8).repeat(49).reshape(112, 112, 1).repeat(3, 2)
    (found,) = damaged_faces([steps], wanted_of("overexposure", stops=2.0)).values()
    assert np.allclose(light(found), np.minimum(4 * light(steps), 1), atol=0.005)
    assert (found == 255).mean() == pytest.approx((4 * light(steps) >= 0.996).mean(), abs=0.01)


def test_a_crop_is_an_enlarged_piece_of_the_same_place_of_every_face() -> None:
    y, x = np.mgrid[0:112, 0:112].astype(np.uint8)
    ramp = np.stack([y, x, y], axis=2)
    starts = set()
    for seed in range(5):
        one, two = damaged_faces([ramp, ramp], wanted_of("crop", seed=seed, pixels=70)).values()
        assert np.array_equal(one, two)
        rows, columns = (one[:, :, plane].astype(int) for plane in (0, 1))
        assert rows[-1, 0] - rows[0, 0] == 69
        assert columns[0, -1] - columns[0, 0] == 69
        starts.add((int(rows[0, 0]), int(columns[0, 0])))
    assert len(starts) > 3
    (whole,) = damaged_faces([ramp], wanted_of("crop", pixels=112)).values()
    assert np.array_equal(whole, ramp)


def test_one_frame_is_left_as_it_was_and_the_seed_chooses_it() -> None:
    chosen = set()
    for seed in range(20):
        ((number, image),) = damaged_faces(FACES, wanted_of("one_frame", seed=seed)).items()
        assert np.array_equal(image, FACES[number])
        chosen.add(number)
    assert chosen == {0, 1, 2}
    assert damaged_faces([], wanted_of("one_frame")) == {}


def test_sharpness_and_quality_are_measured_of_the_damaged_face_with_the_frame_s_score() -> None:
    blurred = damaged("blur", kernel=15, sigma=4.0)[0]
    landmarks = TEMPLATE.reshape(-1)
    sharp, found = measured_again(blurred, 0.8, 90.0, landmarks)
    assert sharp == sharpness(blurred)
    assert found == quality(score=0.8, size_px=90.0, sharp=sharp, frontal=frontality(TEMPLATE))
    assert found < measured_again(FACES[0], 0.8, 90.0, landmarks)[1] / 2
    nan = float("nan")
    ready = quality(score=1.0, size_px=112.0, sharp=sharp, frontal=1.0)
    assert measured_again(blurred, nan, nan, np.full(10, nan)) == (sharp, ready)


@pytest.mark.parametrize("kind", ["blur", "low_resolution", "occlusion", "overexposure", "crop"])
def test_a_larger_crop_is_damaged_as_the_aligned_face_is(kind: str) -> None:
    larger = [cv2.resize(f, (160, 160), interpolation=cv2.INTER_LINEAR) for f in FACES]
    found = damaged_faces(larger, wanted_of(kind, seed=1))
    for number, small in enumerate(damaged(kind)):
        assert found[number].shape == (160, 160, 3)
        back = cv2.resize(found[number], (112, 112), interpolation=cv2.INTER_AREA).astype(float)
        assert np.abs(back - small).mean() < 0.4 * np.abs(FACES[number].astype(float) - small).mean()

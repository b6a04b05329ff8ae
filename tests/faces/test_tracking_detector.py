import numpy as np
import pytest

from avsieve.faces.detector import FaceDetector
from avsieve.faces.tracking_detector import FollowingDetector


@pytest.fixture(scope="module")
def clip() -> list[np.ndarray]:
    """A made-up person in a wide frame, 0.4 s apart."""
    from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

    rng = np.random.default_rng([7, 1])
    face = sample_face(rng, "f")
    renderer = FaceRenderer(face, sample_scene(rng, face))
    wide = []
    for k in range(8):
        image = np.full((288, 384, 3), 90, np.uint8)
        image[30:254, 80:304] = renderer.frame(0.4 * k, 0.3).image
        wide.append(image)
    return wide


class Counting:
    """Counts the images that the whole detector is asked for."""

    def __init__(self, inner: FaceDetector) -> None:
        self.inner, self.size, self.calls = inner, inner.size, 0

    def detect(self, image):
        self.calls += 1
        return self.inner.detect(image)


@pytest.fixture
def following():
    detector = FollowingDetector("builtin", size="auto", min_score=0.25, used_score=0.5)
    detector._whole = Counting(detector._whole)
    return detector


def test_a_face_is_followed_and_looked_for_anew_at_every_fifth_frame(clip, following):
    (found,) = following.detect_clips([clip])
    assert following._whole.calls == 2
    whole = FaceDetector("builtin", size="auto", min_score=0.25)
    for image, faces in zip(clip, found, strict=True):
        expected = whole.detect(image).landmarks[0]
        eyes = np.linalg.norm(expected[0] - expected[1])
        assert np.linalg.norm(faces.landmarks[0] - expected, axis=1).mean() < 0.15 * eyes


def test_a_lost_face_is_looked_for_in_the_whole_frame(clip, following):
    moved = np.full_like(clip[1], 90)
    moved[60:284, 160:384] = clip[1][30:254, 80:304]
    empty = np.full_like(clip[0], 90)
    (found,) = following.detect_clips([[clip[0], empty, moved, clip[3]]])
    assert [len(f.scores) > 0 for f in found] == [True, False, True, True]
    assert following._whole.calls >= 3


def test_small_frames_are_searched_whole(clip, following):
    following.detect_clips([[image[30:158, 110:238].copy() for image in clip[:3]]])
    assert following._whole.calls == 3

from typing import ClassVar

import numpy as np
import pytest

from avsieve.faces.align import FaceAligner, VideoFrame
from avsieve.faces.prealigned import ReadyFaces
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.reasons import Reason
from tests.faces.face_fakes import ScriptedDetector

IMAGE = np.random.default_rng(0).integers(0, 255, (224, 224, 3), dtype=np.uint8)
FACE = (60.0, 60.0, 100.0, 0.9)


def clip(n: int, image: np.ndarray = IMAGE) -> list[VideoFrame]:
    return [VideoFrame(f"{10 * (i + 1):04d}", image) for i in range(n)]


def test_every_frame_has_a_row_and_a_code():
    answers = [[FACE], [], [(60, 60, 100, 0.3)], [FACE, (0, 0, 40, 0.8)]]
    aligner = FaceAligner(ScriptedDetector(answers), min_score=0.5)
    (found,) = aligner.align([[*clip(4), VideoFrame("0050", None)]])
    codes = [row.code for row in found.rows]
    assert codes == [Reason.OK, Reason.NO_FACE, Reason.LOW_FACE_SCORE, Reason.OK, Reason.IMAGE_UNDECODABLE]
    assert [row.n_faces for row in found.rows] == [1, 0, 0, 2, 0]
    assert list(found.faces) == ["0010", "0040"]
    assert found.rows[2].score == pytest.approx(0.3)
    assert 0 < found.rows[0].quality <= 1


def test_a_face_has_its_measures_and_a_frame_without_one_has_none():
    (found,) = FaceAligner(ScriptedDetector([[FACE], []]), min_score=0.5).align([clip(2)])
    face, nothing = found.rows
    assert face.size_px == pytest.approx(100)
    assert face.sharpness > 0
    assert abs(face.yaw_deg) < 2
    assert face.roll_deg == pytest.approx(0)
    assert face.landmarks_106 is None
    assert np.isnan([nothing.size_px, nothing.yaw_deg, nothing.pitch_deg, nothing.roll_deg, nothing.quality]).all()


def test_106_landmarks_take_the_place_of_the_detectors_five():
    class Points:
        facts: ClassVar[dict[str, str]] = {"landmarks": "made up"}

        def points(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
            return np.tile(box[:2], (106, 1)).astype(np.float32)

        def five_of(self, points: np.ndarray) -> np.ndarray:
            offsets = np.array([(10, 10), (30, 20), (20, 30), (10, 40), (30, 50)])
            return points[:5] + offsets

    aligner = FaceAligner(ScriptedDetector([[FACE]]), min_score=0.5, landmarks=Points())
    assert aligner.facts["landmarks"] == "made up"
    ((row,), *_) = aligner.align([clip(1)])[0]
    assert row.landmarks[:4] == (70, 70, 90, 80)
    assert len(row.landmarks_106 or ()) == 212
    assert row.roll_deg == pytest.approx(np.degrees(np.arctan2(10, 20)))


def test_ready_faces_are_kept_as_they_are_and_other_images_have_a_reason():
    face = IMAGE[:112, :112].copy()
    stored = jpeg_of(face, 80)
    frames = [VideoFrame("0010", face, stored), VideoFrame("0020", IMAGE, b""), VideoFrame("0030", None, b"no jpeg")]
    (found,) = ReadyFaces().align([frames])
    assert found.faces == {"0010": stored}
    assert [row.code for row in found.rows] == [Reason.OK, Reason.NOT_ALIGNED, Reason.IMAGE_UNDECODABLE]
    assert 0 < found.rows[0].quality <= 1
    assert np.isnan(found.rows[0].score)


def test_ready_faces_that_come_from_memory_are_encoded():
    face = IMAGE[:112, :112].copy()
    (found,) = ReadyFaces(jpeg_quality=80).align([[VideoFrame("0010", face)]])
    assert found.faces == {"0010": jpeg_of(face, 80)}

from __future__ import annotations

import argparse
import shlex

import pytest

from avsieve.errors import ConfigError
from avsieve.faces.align import FaceAligner
from avsieve.faces.detector import FaceDetector
from avsieve.faces.options import add_face_options, aligner_of, crop_tars_of
from avsieve.faces.prealigned import ReadyFaces
from avsieve.faces.settings import Faces
from avsieve.faces.tracking_detector import FollowingDetector
from avsieve.wiring.flags import flags


def parse(faces: Faces, *more: str, device: str = "cpu") -> argparse.Namespace:
    ap = argparse.ArgumentParser()
    add_face_options(ap)
    given = shlex.split(flags(faces, leave=["jpeg_quality"]))
    return ap.parse_args([*given, "--face-jpeg-quality", str(faces.jpeg_quality), "--device", device, *more])


def test_the_options_are_those_of_the_configuration() -> None:
    args = parse(Faces(min_score=0.6, detector_size=320, jpeg_quality=80), "--no-aligned")
    aligner = aligner_of(args)
    assert isinstance(aligner, FaceAligner)
    assert isinstance(aligner.detector, FaceDetector)
    assert aligner.landmarks is None
    assert (aligner.min_score, aligner.jpeg_quality) == (0.6, 80)
    # Below the score that faces are used from, so that what was seen and not used is told apart from nothing.
    assert (aligner.detector.min_score, aligner.detector.size) == (0.3, 320)


def test_tracking_takes_the_detector_that_follows() -> None:
    aligner = aligner_of(parse(Faces(tracking=True), "--no-aligned"))
    assert isinstance(aligner, FaceAligner)
    assert isinstance(aligner.detector, FollowingDetector)


def test_aligned_frames_need_no_detector() -> None:
    aligner = aligner_of(parse(Faces(detector="absent.onnx", jpeg_quality=70), "--aligned"))
    assert isinstance(aligner, ReadyFaces)
    assert aligner.jpeg_quality == 70


def test_no_option_has_a_default(capsys: pytest.CaptureFixture[str]) -> None:
    ap = argparse.ArgumentParser()
    add_face_options(ap)
    with pytest.raises(SystemExit):
        ap.parse_args([])
    said = capsys.readouterr().err
    for name in ("--detector", "--detector-size", "--min-score", "--landmarks", "--face-jpeg-quality", "--device"):
        assert name in said


def test_each_further_crop_has_a_tar() -> None:
    faces = Faces(crops=["arcface112", "facenet160", "box112"])
    args = parse(faces, "--crop-tars", "a.tar", "b.tar", "--no-aligned")
    assert {kind: str(path) for kind, path in crop_tars_of(args).items()} == {"facenet160": "a.tar", "box112": "b.tar"}
    aligner = aligner_of(args)
    assert isinstance(aligner, FaceAligner)
    assert list(aligner.crops) == ["facenet160", "box112"]
    assert crop_tars_of(parse(Faces(), "--no-aligned")) == {}
    with pytest.raises(ConfigError, match="2 other kinds and --crop-tars 0; give as many"):
        crop_tars_of(parse(faces, "--no-aligned"))


def test_ready_faces_are_of_the_kind_that_the_source_says() -> None:
    aligner = aligner_of(parse(Faces(), "--aligned", "--aligned-as", "facenet160"))
    assert isinstance(aligner, ReadyFaces)
    assert (aligner.crop, aligner.size, aligner.facts["crop"]) == ("facenet160", 160, "facenet160")

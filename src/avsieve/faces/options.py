"""The options of scripts that align faces, and what they ask for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from avsieve.faces.settings import Faces
from avsieve.runtime.options import add_settings

if TYPE_CHECKING:
    from avsieve.faces.align import Aligner


def add_face_options(ap: argparse.ArgumentParser) -> None:
    """Add what decides how faces are found and aligned."""
    add_settings(ap, Faces, leave=["jpeg_quality"], required=True)
    ap.add_argument("--face-jpeg-quality", type=int, required=True, help="quality of the faces' JPEGs, 1 to 100")
    ap.add_argument(
        "--aligned", action=argparse.BooleanOptionalAction, required=True, help="the frames are aligned faces already"
    )
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")


def aligner_of(args: argparse.Namespace) -> Aligner:
    """Return the aligner that the options ask for."""
    if args.aligned:
        from avsieve.faces.prealigned import ReadyFaces

        return ReadyFaces(jpeg_quality=args.face_jpeg_quality)
    from avsieve.faces.align import FaceAligner
    from avsieve.faces.detector import FaceDetector
    from avsieve.faces.landmarks import FaceLandmarks
    from avsieve.faces.tracking_detector import FollowingDetector

    # Faces of half the score are looked for as well: "seen, not used" is another matter than "none".
    common = {"size": args.detector_size, "min_score": args.min_score / 2, "device": args.device}
    detector = (
        FollowingDetector(args.detector, used_score=args.min_score, **common)
        if args.tracking
        else FaceDetector(args.detector, **common)
    )
    landmarks = None if args.landmarks == "none" else FaceLandmarks(args.landmarks, device=args.device)
    return FaceAligner(detector, min_score=args.min_score, landmarks=landmarks, jpeg_quality=args.face_jpeg_quality)

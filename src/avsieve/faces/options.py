"""The options of scripts that align faces, and what they ask for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avsieve.faces.align import Aligner


def size_of(text: str) -> int | str:
    """Return a detector's size: ``auto``, or pixels."""
    return text if text == "auto" else int(text)


def add_face_options(ap: argparse.ArgumentParser) -> None:
    """Add what decides how faces are found and aligned."""
    switch = argparse.BooleanOptionalAction
    ap.add_argument("--detector", default="builtin", help="'builtin', an .onnx file, a folder or an InsightFace pack")
    ap.add_argument("--detector-size", type=size_of, required=True, help="side of the detector's input, or 'auto'")
    ap.add_argument("--min-score", type=float, default=0.5, help="faces with a lower score are not used")
    ap.add_argument("--tracking", action=switch, default=False, help="look for a face where it was before")
    ap.add_argument("--landmarks", default="none", help="'none', or the .onnx file or pack of 2d106det")
    ap.add_argument("--face-jpeg-quality", type=int, default=95, help="quality of the faces' JPEGs, 1 to 100")
    ap.add_argument("--aligned", action=switch, default=False, help="the frames are aligned faces already")
    ap.add_argument("--device", default="cpu", help="cpu, cuda or auto")


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

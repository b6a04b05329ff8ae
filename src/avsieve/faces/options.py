"""The options of scripts that align faces, and what they ask for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.errors import ConfigError
from avsieve.faces.settings import Faces
from avsieve.runtime.options import add_settings
from avsieve.storage.crops import ALIGNED, CROPS

if TYPE_CHECKING:
    from avsieve.faces.align import Aligner


def add_face_options(ap: argparse.ArgumentParser) -> None:
    """Add what decides how faces are found and aligned."""
    add_settings(ap, Faces, leave=["jpeg_quality", "crops"], required=True)
    ap.add_argument("--crops", nargs="*", choices=CROPS.names, default=[], help="kinds of crops to cut out")
    ap.add_argument(
        "--crop-tars", type=Path, nargs="*", default=[], help=f"a tar to write for each of them but {ALIGNED}"
    )
    ap.add_argument("--face-jpeg-quality", type=int, required=True, help="quality of the faces' JPEGs, 1 to 100")
    ap.add_argument(
        "--aligned", action=argparse.BooleanOptionalAction, required=True, help="the frames are aligned faces already"
    )
    ap.add_argument("--aligned-as", choices=CROPS.names, help="the kind of crop that such frames are")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")


def crop_tars_of(args: argparse.Namespace) -> dict[str, Path]:
    """Return the tars of the crops that the options ask for beside the aligned faces, by their kinds.

    Raises
    ------
    ConfigError
        If there is not one for each.
    """
    others = _others(args)
    if len(others) != len(args.crop_tars):
        raise ConfigError(f"--crops has {len(others)} other kinds and --crop-tars {len(args.crop_tars)}; give as many")
    return dict(zip(others, args.crop_tars, strict=True))


def _others(args: argparse.Namespace) -> list[str]:
    return [kind for kind in args.crops if kind != ALIGNED]


def aligner_of(args: argparse.Namespace) -> Aligner:
    """Return the aligner that the options ask for."""
    if args.aligned:
        from avsieve.faces.prealigned import ReadyFaces

        return ReadyFaces(jpeg_quality=args.face_jpeg_quality, crop=args.aligned_as or ALIGNED)
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
    return FaceAligner(
        detector, min_score=args.min_score, landmarks=landmarks, jpeg_quality=args.face_jpeg_quality,
        crops=_others(args),
    )  # fmt: skip

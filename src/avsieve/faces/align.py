"""Align the face that an utterance is about: detect, follow, choose, cut out; a row for every frame.

Works on images in memory: they come from a shard of frames, or straight from decoding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from avsieve.faces.cutting import cut
from avsieve.faces.pose import pose_of
from avsieve.faces.quality import frontality, quality, sharpness
from avsieve.faces.scrfd import Detections
from avsieve.faces.template import align_face
from avsieve.faces.tracking import choose_faces
from avsieve.storage.crops import CROPS
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.reasons import Reason

_NAN = float("nan")
_NONE: Mapping[str, dict[str, bytes]] = {}


class Detector(Protocol):
    """Whatever finds faces in images."""

    batch: int
    """Images that the network takes at a time."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about it."""
        ...

    def detect_clips(self, clips: Sequence[Sequence[np.ndarray]]) -> list[list[Detections]]:
        """Find the faces of the frames of each clip, images (h, w, 3) uint8 BGR in the order of time."""
        ...


class Landmarks(Protocol):
    """A network that finds the landmarks of a face anew."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about it."""
        ...

    def points(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Return the points (106, 2) of the face in ``box``."""
        ...

    def five_of(self, points: np.ndarray) -> np.ndarray:
        """Return eyes, tip of the nose and corners of the mouth (5, 2)."""
        ...


class VideoFrame(NamedTuple):
    """A frame of an utterance."""

    name: str
    image: np.ndarray | None
    """(h, w, 3) uint8 BGR, or None where it could not be decoded."""
    content: bytes | None = None
    """The file that it came from, if any."""


class FrameRow(NamedTuple):
    """What is known about one frame; NaN and zeros where it shows no usable face."""

    frame: str
    n_faces: int
    score: float
    box: tuple[float, ...] = (_NAN,) * 4
    landmarks: tuple[float, ...] = (_NAN,) * 10
    sharpness: float = _NAN
    size_px: float = _NAN
    yaw_deg: float = _NAN
    pitch_deg: float = _NAN
    roll_deg: float = _NAN
    quality: float = _NAN
    code: Reason = Reason.OK
    landmarks_106: tuple[float, ...] | None = None


class AlignedUtterance(NamedTuple):
    """The faces of one utterance."""

    rows: list[FrameRow]
    faces: dict[str, bytes]
    """Frame name -> JPEG of the aligned face (112, 112), in the order of the frames."""
    crops: Mapping[str, dict[str, bytes]] = _NONE
    """Kind of `avsieve.storage.crops.CROPS` -> the same frames' JPEGs; those that were asked for beside it."""


class Aligner(Protocol):
    """Whatever makes aligned faces of the frames of utterances; threads may share it."""

    at_a_time: int
    """Utterances that are best given together."""
    wants_files: bool
    """Whether the files of the frames are wanted; images alone are enough otherwise."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about it."""
        ...

    def align(self, utterances: Sequence[Sequence[VideoFrame]]) -> list[AlignedUtterance]:
        """Align the faces of utterances, each given by its frames in the order of time."""
        ...


class FaceAligner:
    """Find, choose and align faces.

    Parameters
    ----------
    detector
        Finds the faces; it should return faces well below ``min_score``, so that they can be recorded.
    min_score
        Faces below are recorded and not used.
    landmarks
        Finds 106 points of each chosen face, five of which then align it; None for the detector's own five.
    jpeg_quality
        Of the aligned faces, 1 to 100.
    crops
        Kinds of `avsieve.storage.crops.CROPS` to cut out beside the aligned face.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        min_score: float,
        landmarks: Landmarks | None = None,
        jpeg_quality: int = 95,
        crops: Sequence[str] = (),
    ) -> None:
        self.crops = {kind: CROPS[kind] for kind in crops}
        self.detector, self.landmarks, self.wants_files = detector, landmarks, False
        self.min_score, self.jpeg_quality = min_score, jpeg_quality
        # An utterance of VoxCeleb2 has some 16 frames: enough of them to fill the network's batches.
        self.at_a_time = -(-detector.batch // 16)

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this way."""
        settings: dict[str, Any] = {"min_score": self.min_score, "jpeg_quality": self.jpeg_quality}
        if self.crops:
            settings["crops"] = list(self.crops)
        return {**settings, **self.detector.facts, **(self.landmarks.facts if self.landmarks is not None else {})}

    def align(self, utterances: Sequence[Sequence[VideoFrame]]) -> list[AlignedUtterance]:
        """Align the face that each utterance is about."""
        decoded = [[f.image for f in frames if f.image is not None] for frames in utterances]
        found = self.detector.detect_clips(decoded)
        return [self._one(frames, clip) for frames, clip in zip(utterances, found, strict=True)]

    def _one(self, frames: Sequence[VideoFrame], detections: list[Detections]) -> AlignedUtterance:
        remaining = iter(detections)
        found = [None if f.image is None else next(remaining) for f in frames]
        usable = [np.zeros((0, 4), np.float32) if d is None else d.boxes[d.scores >= self.min_score] for d in found]
        size = next((f.image.shape for f in frames if f.image is not None), (1, 1))
        chosen = choose_faces(usable, width=size[1], height=size[0])
        rows: list[FrameRow] = []
        faces: dict[str, bytes] = {}
        crops: dict[str, dict[str, bytes]] = {kind: {} for kind in self.crops}
        for number, (frame, d) in enumerate(zip(frames, found, strict=True)):
            if frame.image is None or d is None:
                rows.append(FrameRow(frame.name, 0, _NAN, code=Reason.IMAGE_UNDECODABLE))
            elif number in chosen:
                pick = int(np.flatnonzero(d.scores >= self.min_score)[chosen[number]])
                row, face = self._aligned(frame.name, frame.image, d, pick, len(usable[number]))
                rows.append(row)
                faces[frame.name] = jpeg_of(face, self.jpeg_quality)
                for kind, crop in self.crops.items():
                    other = cut(frame.image, d.boxes[pick], np.reshape(row.landmarks, (5, 2)), crop)
                    crops[kind][frame.name] = jpeg_of(other, self.jpeg_quality)
            else:
                low = len(d.scores) > 0 and not len(usable[number])
                rows.append(
                    FrameRow(
                        frame.name,
                        len(usable[number]),
                        float(d.scores[0]) if len(d.scores) else _NAN,
                        code=Reason.LOW_FACE_SCORE if low else Reason.NO_FACE,
                    )
                )
        return AlignedUtterance(rows, faces, crops)

    def _aligned(
        self, name: str, image: np.ndarray, found: Detections, pick: int, n_faces: int
    ) -> tuple[FrameRow, np.ndarray]:
        box, score, marks = found.boxes[pick], float(found.scores[pick]), found.landmarks[pick]
        points = None
        if self.landmarks is not None:
            points = self.landmarks.points(image, box)
            marks = self.landmarks.five_of(points)
        face = align_face(image, marks)
        sharp = sharpness(face)
        size_px = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 0)))
        pose = pose_of(marks)
        row = FrameRow(
            name,
            n_faces,
            score,
            tuple(box.tolist()),
            tuple(marks.reshape(-1).tolist()),
            sharp,
            size_px,
            *pose,
            quality(score=score, size_px=size_px, sharp=sharp, frontal=frontality(marks)),
            landmarks_106=None if points is None else tuple(points.reshape(-1).tolist()),
        )
        return row, face


def verdict(rows: list[FrameRow]) -> tuple[Reason, str]:
    """Return the code of an utterance and a word about it."""
    if not rows:
        return Reason.NO_FRAMES, ""
    codes = [row.code for row in rows]
    if Reason.OK in codes:
        return Reason.OK, ""
    for code in (Reason.LOW_FACE_SCORE, Reason.NO_FACE, Reason.NOT_ALIGNED, Reason.IMAGE_UNDECODABLE):
        if code in codes:
            best = max((row.score for row in rows if row.score == row.score), default=_NAN)
            detail = (
                f"best score {best:.3f} in {len(rows)} frames"
                if code is Reason.LOW_FACE_SCORE
                else f"{len(rows)} frames"
            )
            return code, detail
    raise ValueError(f"frame codes {sorted(set(codes))}: no rule for them")

"""Align the faces of a shard: detect, follow, choose, cut out; a row for every frame and for every utterance."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, Protocol

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.faces.alignment import align_face
from avsieve.faces.detector import Detections
from avsieve.faces.quality import frontality, quality, sharpness
from avsieve.faces.tracking import choose_faces
from avsieve.progress import progress
from avsieve.reasons import Reason
from avsieve.shards import ShardReader, ShardWriter
from avsieve.status import StatusTable
from avsieve.tables import write_table

_NAN = float("nan")
DETECTION_SCHEMA = pa.schema(
    [
        ("utterance", pa.string()),
        ("frame", pa.string()),
        ("n_faces", pa.int32()),
        *((name, pa.float32()) for name in ("score", "x1", "y1", "x2", "y2")),
        ("landmarks", pa.list_(pa.float32(), 10)),
        ("sharpness", pa.float32()),
        ("quality", pa.float32()),
        ("code", pa.string()),
    ]
)


class Detector(Protocol):
    """Whatever finds faces in an image."""

    def detect(self, image: np.ndarray) -> Detections:
        """Find the faces of an image (h, w, 3) uint8 BGR."""
        ...


class FrameRow(NamedTuple):
    """What is known about one frame; NaN and zeros where it shows no usable face."""

    frame: str
    n_faces: int
    score: float
    box: tuple[float, ...]
    landmarks: tuple[float, ...]
    sharpness: float
    quality: float
    code: Reason


class AlignedUtterance(NamedTuple):
    """The faces of one utterance."""

    rows: list[FrameRow]
    faces: dict[str, np.ndarray]
    """Frame name -> aligned face (112, 112, 3) uint8 BGR, in the order of the frames."""


def _missing(frame: str, n_faces: int, score: float, code: Reason) -> FrameRow:
    return FrameRow(frame, n_faces, score, (_NAN,) * 4, (_NAN,) * 10, _NAN, _NAN, code)


def align_utterance(
    images: Iterable[tuple[str, np.ndarray | None]], detector: Detector, *, min_score: float
) -> AlignedUtterance:
    """Align the face that one utterance is about.

    Works on images in memory, so that extraction can hand its frames over without storing them.

    Parameters
    ----------
    images
        Frame name and image (h, w, 3) uint8 BGR, or None where it could not be decoded.
    min_score
        Faces below are recorded and not used.
    """
    frames = [(name, image, detector.detect(image) if image is not None else None) for name, image in images]
    usable = [np.zeros((0, 4), np.float32) if d is None else d.boxes[d.scores >= min_score] for _, _, d in frames]
    size = next((image.shape for _, image, _ in frames if image is not None), (1, 1))
    chosen = choose_faces(usable, width=size[1], height=size[0])
    rows: list[FrameRow] = []
    faces: dict[str, np.ndarray] = {}
    for number, (name, image, found) in enumerate(frames):
        if image is None or found is None:
            rows.append(_missing(name, 0, _NAN, Reason.IMAGE_UNDECODABLE))
        elif number in chosen:
            pick = np.flatnonzero(found.scores >= min_score)[chosen[number]]
            row, face = _aligned(name, image, found, int(pick), int((found.scores >= min_score).sum()))
            rows.append(row)
            faces[name] = face
        elif len(found.scores) and not len(usable[number]):
            rows.append(_missing(name, 0, float(found.scores[0]), Reason.LOW_FACE_SCORE))
        else:
            best = float(found.scores[0]) if len(found.scores) else _NAN
            rows.append(_missing(name, len(usable[number]), best, Reason.NO_FACE))
    return AlignedUtterance(rows, faces)


def _aligned(name: str, image: np.ndarray, found: Detections, pick: int, n_faces: int) -> tuple[FrameRow, np.ndarray]:
    box, score, marks = found.boxes[pick], float(found.scores[pick]), found.landmarks[pick]
    face = align_face(image, marks)
    sharp = sharpness(face)
    size_px = float(np.sqrt(max((box[2] - box[0]) * (box[3] - box[1]), 0)))
    weight = quality(score=score, size_px=size_px, sharp=sharp, frontal=frontality(marks))
    row = FrameRow(
        name, n_faces, score, tuple(box.tolist()), tuple(marks.reshape(-1).tolist()), sharp, weight, Reason.OK
    )
    return row, face


def _verdict(rows: list[FrameRow]) -> tuple[Reason, str]:
    """Return the code of an utterance and a word about it."""
    if not rows:
        return Reason.NO_FRAMES, ""
    codes = [row.code for row in rows]
    if Reason.OK in codes:
        return Reason.OK, ""
    for code in (Reason.LOW_FACE_SCORE, Reason.NO_FACE, Reason.IMAGE_UNDECODABLE):
        if code in codes:
            best = max((row.score for row in rows if row.score == row.score), default=_NAN)
            detail = (
                f"best score {best:.3f} in {len(rows)} frames"
                if code is Reason.LOW_FACE_SCORE
                else f"{len(rows)} frames"
            )
            return code, detail
    raise ValueError(f"frame codes {sorted(set(codes))}: no rule for them")


def align_shard(
    utterances: list[str],
    frames_tar: str | Path,
    detector: Detector,
    *,
    faces_tar: str | Path,
    detections: str | Path,
    min_score: float,
    jpeg_quality: int = 95,
) -> StatusTable:
    """Align the faces of a shard.

    Parameters
    ----------
    utterances
        All of the shard's, in order; those without frames get a row too.
    frames_tar
        Shard of frames from extraction.
    detector
        Finds the faces; it should return faces well below ``min_score``, so that they can be recorded.
    faces_tar, detections
        To write: the aligned faces, under the names of their frames, and a row for every frame.

    Returns
    -------
    StatusTable
        With ``n_frames``, ``n_faces`` (frames that gave an aligned face), ``n_several`` (frames with several faces)
        and ``n_low`` (frames whose only faces scored too low).
    """
    status = StatusTable("align_faces", n_frames="int64", n_faces="int64", n_several="int64", n_low="int64")
    columns: dict[str, list] = {name: [] for name in DETECTION_SCHEMA.names}
    with ShardReader(frames_tar) as frames, ShardWriter(faces_tar) as out:
        for utterance in progress(utterances, "utterances"):
            images = (
                (Path(n).stem, cv2.imdecode(np.frombuffer(c, np.uint8), cv2.IMREAD_COLOR))
                for n, c in frames.of(utterance)
            )
            found = align_utterance(images, detector, min_score=min_score)
            for name, face in found.faces.items():
                jpeg = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, jpeg_quality])[1]
                out.add(utterance, f"{utterance}/{name}.jpg", jpeg.tobytes())
            for row in found.rows:
                values = (utterance, row.frame, row.n_faces, row.score, *row.box, list(row.landmarks))
                for column, value in zip(
                    columns.values(), (*values, row.sharpness, row.quality, row.code.value), strict=True
                ):
                    column.append(value)
            code, detail = _verdict(found.rows)
            status.add(
                utterance,
                code,
                detail,
                n_frames=len(found.rows),
                n_faces=len(found.faces),
                n_several=sum(row.n_faces > 1 for row in found.rows),
                n_low=sum(row.code is Reason.LOW_FACE_SCORE for row in found.rows),
            )
    write_table(detections, pa.table(columns, schema=DETECTION_SCHEMA))
    return status


def utterances_of(status: pd.DataFrame) -> tuple[list[str], int]:
    """Return the utterances of a shard by the status table of its extraction, and how many of them have no frames."""
    return status["utterance"].tolist(), int((status["n_frames"] == 0).sum())

"""Faces that are aligned already, such as AVCleanse's ``frame_align``: none is looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from avsieve.faces.align import AlignedUtterance, FrameRow, VideoFrame
from avsieve.faces.quality import quality, sharpness
from avsieve.storage.crops import ALIGNED, CROPS
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.reasons import Reason

_NAN = float("nan")


class ReadyFaces:
    """Take every frame for the aligned face; its file is kept as it is.

    Nothing is known of score, box, landmarks and pose: only the sharpness counts for the quality.

    Parameters
    ----------
    jpeg_quality
        Of faces whose file is not known.
    crop
        The kind of crop that they are, a name of `avsieve.storage.crops.CROPS`.
    """

    at_a_time = 1
    wants_files = True

    def __init__(self, *, jpeg_quality: int = 95, crop: str = ALIGNED) -> None:
        self.jpeg_quality, self.crop, self.size = jpeg_quality, crop, CROPS[crop].size

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this way."""
        return {"detector": None} | ({} if self.crop == ALIGNED else {"crop": self.crop})

    def align(self, utterances: Sequence[Sequence[VideoFrame]]) -> list[AlignedUtterance]:
        """Return the faces as they are, and a row for every frame."""
        return [self._one(frames) for frames in utterances]

    def _one(self, frames: Sequence[VideoFrame]) -> AlignedUtterance:
        rows: list[FrameRow] = []
        faces: dict[str, bytes] = {}
        for frame in frames:
            if frame.image is None:
                rows.append(FrameRow(frame.name, 0, _NAN, code=Reason.IMAGE_UNDECODABLE))
            elif frame.image.shape != (self.size, self.size, 3):
                rows.append(FrameRow(frame.name, 0, _NAN, code=Reason.NOT_ALIGNED))
            else:
                rows.append(_row(frame.name, frame.image))
                faces[frame.name] = frame.content or jpeg_of(frame.image, self.jpeg_quality)
        return AlignedUtterance(rows, faces)


def _row(name: str, face: np.ndarray) -> FrameRow:
    sharp = sharpness(face)
    return FrameRow(
        name, 1, _NAN, sharpness=sharp, quality=quality(score=1.0, size_px=float(len(face)), sharp=sharp, frontal=1.0)
    )

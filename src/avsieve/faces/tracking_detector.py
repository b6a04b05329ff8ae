"""Follow a face from frame to frame: look for it where it was, and over the whole frame only when it is lost.

A square around the last box is cut out, scaled to a small input and searched. The whole frame is searched when nothing
is found there or what is found does not overlap with the last box, when there are several faces, and now and then
anyway, since others may have come. Which face the video is about is decided afterwards, by `choose_faces`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from avsieve.faces.detector import FaceDetector, input_size
from avsieve.faces.scrfd import Detections
from avsieve.faces.tracking import overlaps

NEAR_PX = 128
"""Side of the input for what is cut out."""
MARGIN = 1.4
"""Side of what is cut out, in sides of the last box."""
MIN_OVERLAP = 0.3
"""Least intersection over union with the last box; `link_tracks` asks for as much."""
EVERY = 5
"""At least every so many frames the whole frame is searched."""


class FollowingDetector:
    """A detector that follows single faces; the parameters are those of `FaceDetector`.

    Parameters
    ----------
    used_score
        A face is followed as long as its score is at least this.
    """

    def __init__(
        self, model: str | Path, *, size: int | str, min_score: float, used_score: float, device: str = "cpu"
    ) -> None:
        self._whole = FaceDetector(model, size=size, min_score=min_score, device=device, batch=1)
        self._near = FaceDetector(model, size=NEAR_PX, min_score=min_score, device=device, batch=1)
        self._used_score = used_score
        self.batch = 1

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this detector."""
        return {**self._whole.facts, "tracking": {"size": NEAR_PX, "margin": MARGIN, "every": EVERY}}

    def detect_clips(self, clips: Sequence[Sequence[np.ndarray]]) -> list[list[Detections]]:
        """Find the faces of the frames of each clip, images (h, w, 3) uint8 BGR in the order of time."""
        return [self._clip(clip) for clip in clips]

    def _clip(self, frames: Sequence[np.ndarray]) -> list[Detections]:
        found: list[Detections] = []
        last: np.ndarray | None = None
        followed = 0
        for image in frames:
            faces = self._around(image, last) if last is not None and followed < EVERY - 1 else None
            followed = followed + 1 if faces is not None else 0
            faces = faces if faces is not None else self._whole.detect(image)
            found.append(faces)
            used = faces.boxes[faces.scores >= self._used_score]
            last = used[0] if len(used) == 1 else None
        return found

    def _around(self, image: np.ndarray, box: np.ndarray) -> Detections | None:
        """Return the faces around ``box``, or None where the whole frame has to be searched."""
        whole = input_size(self._whole.size, image.shape[1], image.shape[0])
        side = MARGIN * float(max(box[2] - box[0], box[3] - box[1]))
        if whole[0] * whole[1] <= NEAR_PX**2 or side <= 0:
            return None
        scale = NEAR_PX / side
        corner = (box[:2] + box[2:]) / 2 - np.float32(side / 2)
        place = np.array([[scale, 0, -scale * corner[0]], [0, scale, -scale * corner[1]]], np.float64)
        part = self._near.detect(cv2.warpAffine(image, place, (NEAR_PX, NEAR_PX), flags=cv2.INTER_LINEAR))
        boxes = part.boxes / np.float32(scale) + np.tile(corner, 2)
        used = boxes[part.scores >= self._used_score]
        if len(used) != 1 or overlaps(box[None], used)[0, 0] < MIN_OVERLAP:
            return None
        return Detections(boxes, part.scores, part.landmarks / np.float32(scale) + corner)

"""106 landmarks of a face: the one place where InsightFace's ``2d106det`` is loaded.

AVCleanse aligned its faces by this network (InsightFace's ``coordinate_reg``). Five points of the 106 take the place of
the detector's, and the alignment stays the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from insightface.model_zoo import get_model
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from avsieve.errors import ModelError
from avsieve.onnx_runtime.sessions import CPU, check_provider, providers_for, session_options, with_options
from avsieve.onnx_runtime.shipped import read_onnx, resolve_model
from avsieve.storage.provenance import sha256_of

POINTS = 106
LOOSE = 1.5
"""Side of what the network sees, in longer sides of the detector's box."""
# Which points stand for the five, by InsightFace's published mark-up (2d106markup.jpg in its alignment/coordinate_reg):
# 33 to 42 are the left eye in the image with the pupil 38, 87 to 96 the right one with the pupil 88, 72 to 86 the nose
# with its tip 86, 52 to 71 the mouth with its outer corners 52 and 61. An eye's centre is taken as the mean of its two
# corners and of the middles of its lids, as LivePortrait does: a pupil moves with the gaze.
LEFT_EYE, RIGHT_EYE = (33, 35, 40, 39), (87, 89, 94, 93)
NOSE_TIP, LEFT_MOUTH, RIGHT_MOUTH = 86, 52, 61


def five_of(points: np.ndarray) -> np.ndarray:
    """Return eyes, tip of the nose and corners of the mouth (5, 2) of the 106 points (106, 2)."""
    eyes = [points[list(eye)].mean(axis=0) for eye in (LEFT_EYE, RIGHT_EYE)]
    return np.stack([*eyes, points[NOSE_TIP], points[LEFT_MOUTH], points[RIGHT_MOUTH]])


class FaceLandmarks:
    """A network from the image of a face to 106 points; threads may share it.

    Parameters
    ----------
    model
        A path, a folder or the name of a pack; see `resolve_model`.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    ModelError
        If the file is no such network, or cannot run on ``device``.
    """

    def __init__(self, model: str | Path, *, device: str = "cpu") -> None:
        self.path = resolve_model(model, "landmarks")
        read_onnx(self.path)
        wanted = providers_for(device)
        try:
            network = get_model(str(self.path), providers=with_options(wanted, device), sess_options=session_options())
        except (ort_errors.InvalidArgument, ort_errors.Fail, ort_errors.InvalidGraph) as error:
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it: {error}") from error
        task = getattr(network, "taskname", type(network).__name__)
        if task != f"landmark_2d_{POINTS}":
            raise ModelError(
                f"{self.path}: InsightFace loads it as {task}; expected {POINTS} points in the plane (2d106det.onnx)"
            )
        network.prepare(ctx_id=-1 if wanted[0] == CPU else 0)
        self._network = network
        self._size: int = network.input_size[0]
        self.provider = check_provider(network.session, wanted, str(self.path))

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this network."""
        return {"landmarks": self.path.name, "landmarks_sha256": sha256_of(self.path)}

    def five_of(self, points: np.ndarray) -> np.ndarray:
        """Return eyes, tip of the nose and corners of the mouth (5, 2)."""
        return five_of(points)

    def points(self, image: np.ndarray, box: np.ndarray) -> np.ndarray:
        """Return the points (106, 2) float32, in pixels, of the face in ``box`` (x1, y1, x2, y2) of an image.

        What the network sees is a square around the middle of the box; it answers with -1 and 1 for its edges.
        """
        size, half = self._size, self._size // 2
        scale = size / (LOOSE * float(max(box[2] - box[0], box[3] - box[1])))
        shift = size / 2 - scale * (np.asarray(box[:2], np.float64) + box[2:]) / 2
        place = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        face = cv2.warpAffine(image, place, (size, size), borderValue=0.0)
        mean = (self._network.input_mean,) * 3
        blob = cv2.dnn.blobFromImage(face, 1 / self._network.input_std, (size, size), mean, swapRB=True)
        answer = self._network.session.run(self._network.output_names, {self._network.input_name: blob})[0]
        return (((answer.reshape(-1, 2)[-POINTS:] + 1) * half - shift) / scale).astype(np.float32)

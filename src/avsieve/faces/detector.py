"""Detect faces: the one place where InsightFace's detectors are called."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from insightface.model_zoo import get_model
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from avsieve.errors import ModelError
from avsieve.faces.models import read_onnx, resolve_model
from avsieve.faces.onnx_dynamic import fixed_size, write_dynamic
from avsieve.faces.sessions import check_provider, providers_for, session_options
from avsieve.provenance import sha256_of

_RUN_ERRORS = (ort_errors.InvalidArgument, ort_errors.RuntimeException, ort_errors.Fail, ort_errors.InvalidGraph)


class Detections(NamedTuple):
    """Faces of one image, best score first."""

    boxes: np.ndarray
    """(n, 4) float32: x1, y1, x2, y2 in pixels of the image."""
    scores: np.ndarray
    """(n,) float32, 0..1."""
    landmarks: np.ndarray
    """(n, 5, 2) float32 pixels: eyes, tip of the nose, corners of the mouth; the left one in the image first."""


class FaceDetector:
    """An SCRFD detector at one input size.

    Parameters
    ----------
    model
        ``builtin``, a path, a folder or the name of a pack; see `resolve_model`.
    size
        Side of the square that images are scaled to, a multiple of 32. There is no default on purpose: InsightFace's
        changed between versions, and it decides both speed and what is found.
    min_score
        Faces below are not returned.
    device
        ``cpu``, ``cuda`` or ``auto``.

    Raises
    ------
    ModelError
        If the file is no SCRFD detector with landmarks, cannot run at ``size``, or not on ``device``.
    """

    def __init__(
        self, model: str | Path, *, size: int, min_score: float, device: str = "cpu", threads: int = 1
    ) -> None:
        if size < 32 or size % 32:
            raise ModelError(f"detector size {size}: expected a multiple of 32, such as 224 or 640")
        self.path = resolve_model(model, "detector")
        self.size, self.min_score = size, min_score
        graph = read_onnx(self.path)
        if len(graph.graph.output) != 9:
            raise ModelError(
                f"{self.path}: {len(graph.graph.output)} outputs; expected the 9 of an SCRFD detector with landmarks "
                f"(det_500m, det_2.5g or det_10g of InsightFace's packs)"
            )
        fixed = fixed_size(graph)
        self.made_dynamic = fixed is not None and fixed != (size, size)
        wanted = providers_for(device)
        # The session for the size is made by the first image; once that has run, the copy is needed no more.
        with tempfile.TemporaryDirectory(prefix="avsieve-") as folder:
            file = write_dynamic(self.path, Path(folder)) if self.made_dynamic else self.path
            self._scrfd = self._load(file, wanted, threads)
            self._try_out(fixed)
        self.provider = check_provider(self._scrfd.session, wanted, str(self.path))

    def _load(self, file: Path, wanted: list[str], threads: int) -> Any:
        try:
            scrfd = get_model(str(file), providers=wanted, sess_options=session_options(threads))
        except _RUN_ERRORS as error:
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
        if getattr(scrfd, "taskname", None) != "detection":
            raise ModelError(f"{self.path}: InsightFace takes it for {type(scrfd).__name__}, not for a detector")
        scrfd.prepare(ctx_id=-1 if wanted[0].startswith("CPU") else 0, det_thresh=self.min_score)
        return scrfd

    def _try_out(self, fixed: tuple[int, int] | None) -> None:
        """Run a blank image, and refuse a model that stumbles over the size or ignores it."""
        cause = f"its input is fixed at {fixed[0]} x {fixed[1]}" if fixed else "its input is dynamic"
        try:
            self._scrfd.detect(np.zeros((self.size, self.size, 3), np.uint8), input_size=(self.size, self.size))
        except (*_RUN_ERRORS, RuntimeError, ValueError, IndexError) as error:
            raise ModelError(
                f"{self.path}: cannot run at {self.size} x {self.size} ({cause}): {_first_line(error)}; "
                f"ask for that size, or export the model with a dynamic input"
            ) from error
        made = self._scrfd.resolution_session_input_sizes
        if (self.size, self.size) not in made:
            raise ModelError(f"{self.path}: ran at {made} instead of {self.size} x {self.size} ({cause})")

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this detector."""
        return {
            "detector": self.path.name,
            "detector_sha256": sha256_of(self.path),
            "detector_size": self.size,
            "detector_made_dynamic": self.made_dynamic,
            "provider": self.provider,
        }

    def detect(self, image: np.ndarray) -> Detections:
        """Find the faces of an image (h, w, 3) uint8 BGR; it is scaled to fit the detector's size."""
        boxes, marks = self._scrfd.detect(image, input_size=(self.size, self.size))
        return Detections(boxes[:, :4].astype(np.float32), boxes[:, 4].astype(np.float32), marks.astype(np.float32))


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

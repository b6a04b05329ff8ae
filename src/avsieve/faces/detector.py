"""Detect faces: the one place where InsightFace's detectors are loaded."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from insightface.model_zoo import get_model
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from avsieve.errors import ModelError
from avsieve.faces.scrfd import STRIDES, WIDTHS, Detections, blob_of, decoded, letterbox
from avsieve.onnx_runtime.dynamic import fixed_size, write_dynamic
from avsieve.onnx_runtime.sessions import CPU, check_provider, providers_for, session_options, with_options
from avsieve.onnx_runtime.shipped import read_onnx, resolve_model
from avsieve.storage.provenance import sha256_of

__all__ = ["AUTO", "Detections", "FaceDetector", "input_size"]

AUTO = "auto"
MAX_AUTO = 640
"""Greatest side of the input that follows the material."""
GPU_BATCH = 64
_RUN_ERRORS = (ort_errors.InvalidArgument, ort_errors.RuntimeException, ort_errors.Fail, ort_errors.InvalidGraph)


def input_size(size: int | str, width: int, height: int) -> tuple[int, int]:
    """Return width and height of the detector's input for an image.

    A number is the side of a square. ``auto`` is the image's own size, scaled down to `MAX_AUTO` if need be, each side
    rounded up to a multiple of 32.
    """
    if not isinstance(size, str):
        return size, size
    scale = min(1.0, MAX_AUTO / max(width, height))
    sides = [-(-round(scale * side) // 32) * 32 for side in (width, height)]
    return max(sides[0], 32), max(sides[1], 32)


class FaceDetector:
    """An SCRFD detector; threads may share it.

    Parameters
    ----------
    model
        ``builtin``, a path, a folder or the name of a pack; see `resolve_model`.
    size
        Side of the square that images are scaled to, a multiple of 32, or ``auto`` for the size of the images. There
        is no default on purpose: InsightFace's changed between versions, and it decides both speed and what is found.
    min_score
        Faces below are not returned.
    device
        ``cpu``, ``cuda`` or ``auto``.
    threads
        Threads inside an operator. Threads that share the detector are the better use of cores.
    batch
        Most images in one run of the network; 0 for 64 on a GPU and 1 on the CPU, where more bring nothing.

    Raises
    ------
    ModelError
        If the file is no SCRFD detector with landmarks, cannot run at ``size``, or not on ``device``.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        size: int | str,
        min_score: float,
        device: str = "cpu",
        threads: int = 1,
        batch: int = 0,
    ) -> None:
        if size != AUTO and (isinstance(size, str) or size < 32 or size % 32):
            raise ModelError(f"detector size {size}: expected {AUTO}, or a multiple of 32 such as 224 or 640")
        self.path = resolve_model(model, "detector")
        self.size, self.min_score = size, min_score
        graph = read_onnx(self.path)
        if len(graph.graph.output) != 9:
            raise ModelError(
                f"{self.path}: {len(graph.graph.output)} outputs; expected the 9 of an SCRFD detector with landmarks "
                f"(det_500m, det_2.5g or det_10g of InsightFace's packs)"
            )
        self._fixed = fixed_size(graph)
        wanted = providers_for(device)
        self.batch = batch or (1 if wanted[0] == CPU else GPU_BATCH)
        self.made_dynamic = self._fixed is not None and (self._fixed != (size, size) or self.batch > 1)
        # Sessions for further sizes are made from the copy, so it stays as long as the detector does.
        self._folder = tempfile.TemporaryDirectory(prefix="avsieve-")
        file = write_dynamic(self.path, Path(self._folder.name)) if self.made_dynamic else self.path
        self._scrfd = self._load(file, with_options(wanted, device), threads)
        self._input, self._outputs = self._scrfd.input_name, self._scrfd.output_names
        self._lock = threading.Lock()
        self._sessions: dict[tuple[int, int], Any] = {}
        self._session(input_size(size, 224, 224))
        self.provider = check_provider(self._scrfd.session, wanted, str(self.path))
        if self.batch > 1 and not self._takes_batches():
            self.batch = 1

    def _load(self, file: Path, providers: list[Any], threads: int) -> Any:
        try:
            scrfd = get_model(str(file), providers=providers, sess_options=session_options(threads))
        except _RUN_ERRORS as error:
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it: {_first_line(error)}") from error
        if getattr(scrfd, "taskname", None) != "detection":
            raise ModelError(f"{self.path}: InsightFace loads it as {type(scrfd).__name__}, not as a detector")
        scrfd.prepare(ctx_id=-1 if providers[0] == CPU else 0, det_thresh=self.min_score)
        return scrfd

    def _session(self, size: tuple[int, int]) -> Any:
        """Return InsightFace's session for inputs of ``size`` (width, height); the first time, make it."""
        if size not in self._sessions:
            with self._lock:
                if size not in self._sessions:
                    self._sessions[size] = self._tried_out(size)
        return self._sessions[size]

    def _tried_out(self, size: tuple[int, int]) -> Any:
        """Run a blank image, and refuse a model that stumbles over the size or ignores it."""
        width, height = size
        fixed = self._fixed
        cause = f"its input is fixed at {fixed[0]} x {fixed[1]}" if fixed else "its input is dynamic"
        try:
            self._scrfd.detect(np.zeros((height, width, 3), np.uint8), input_size=size)
        except (*_RUN_ERRORS, RuntimeError, ValueError, IndexError) as error:
            raise ModelError(
                f"{self.path}: cannot run at {width} x {height} ({cause}): {_first_line(error)}; "
                f"ask for that size, or export the model with a dynamic input"
            ) from error
        made = self._scrfd.resolution_sessions
        if size not in made:
            raise ModelError(f"{self.path}: ran at {sorted(made)} instead of {width} x {height} ({cause})")
        return made[size]

    def _takes_batches(self) -> bool:
        """Tell whether two images at a time give what each gives alone; some exports have one image built in."""
        size = input_size(self.size, 224, 224)
        blob = np.random.default_rng(0).normal(0, 0.5, (2, 3, size[1], size[0])).astype(np.float32)
        try:
            both = self._run_batch(blob, size)
        except _RUN_ERRORS:
            return False
        alone = [outputs for i in range(2) for outputs in self._run_batch(blob[i : i + 1], size)]
        return len(both) == len(alone) and all(
            a.shape == b.shape and np.allclose(a, b, atol=1e-2)
            for one, other in zip(both, alone, strict=True)
            for a, b in zip(one, other, strict=True)
        )

    def _run_batch(self, blob: np.ndarray, size: tuple[int, int]) -> list[list[np.ndarray]]:
        """Run the dynamic session; return the nine outputs (anchors, width) of each image."""
        outputs = self._scrfd.session.run(self._outputs, {self._input: blob})
        anchors = [2 * (size[0] // s) * (size[1] // s) for s in STRIDES] * len(WIDTHS)
        widths = [width for width in WIDTHS for _ in STRIDES]
        if any(o.size != len(blob) * a * w for o, a, w in zip(outputs, anchors, widths, strict=True)):
            return []
        split = [o.reshape(len(blob), a, w) for o, a, w in zip(outputs, anchors, widths, strict=True)]
        return [[o[i] for o in split] for i in range(len(blob))]

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this detector."""
        return {
            "detector": self.path.name,
            "detector_sha256": sha256_of(self.path),
            "detector_size": self.size,
            "detector_made_dynamic": self.made_dynamic,
            "detector_batch": self.batch,
            "provider": self.provider,
        }

    def detect(self, image: np.ndarray) -> Detections:
        """Find the faces of an image (h, w, 3) uint8 BGR; it is scaled to fit the detector's size."""
        size = input_size(self.size, image.shape[1], image.shape[0])
        whole, scale = letterbox(image, size, enlarge=self.size != AUTO)
        outputs = self._session(size).run(self._outputs, {self._input: blob_of([whole])})
        return decoded([o[0] if o.ndim == 3 else o for o in outputs], size, scale, self.min_score)

    def detect_batch(self, images: Sequence[np.ndarray]) -> list[Detections]:
        """Find the faces of several images, those of one size together, at most ``batch`` at a time."""
        if self.batch == 1:
            return [self.detect(image) for image in images]
        found: dict[int, Detections] = {}
        groups: dict[tuple[int, int], list[int]] = {}
        for number, image in enumerate(images):
            groups.setdefault(input_size(self.size, image.shape[1], image.shape[0]), []).append(number)
        for size, numbers in groups.items():
            for first in range(0, len(numbers), self.batch):
                some = numbers[first : first + self.batch]
                whole = [letterbox(images[n], size, enlarge=self.size != AUTO) for n in some]
                blob = blob_of([w for w, _ in whole])
                if spare := self.batch - len(blob):  # cuDNN makes its plans anew whenever a batch has another shape
                    blob = np.concatenate([blob, np.zeros((spare, *blob.shape[1:]), blob.dtype)])
                for n, (_, scale), outputs in zip(some, whole, self._run_batch(blob, size), strict=False):
                    found[n] = decoded(outputs, size, scale, self.min_score)
        return [found[n] for n in range(len(images))]

    def detect_clips(self, clips: Sequence[Sequence[np.ndarray]]) -> list[list[Detections]]:
        """Find the faces of the frames of each clip; on a GPU a batch goes over their borders."""
        found = iter(self.detect_batch([image for clip in clips for image in clip]))
        return [[next(found) for _ in clip] for clip in clips]


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

"""Face encoders as ONNX files, loaded by InsightFace: ArcFace models, MobileFaceNet and the shipped one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from insightface.model_zoo import get_model
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from avsieve.errors import ModelError
from avsieve.onnx_runtime.sessions import CUDA, check_provider, providers_for, session_options, with_options
from avsieve.onnx_runtime.shipped import resolve_model
from avsieve.storage.provenance import sha256_of

_LOAD_ERRORS = (ort_errors.InvalidProtobuf, ort_errors.InvalidGraph, ort_errors.InvalidArgument, ort_errors.Fail)


class OnnxFaceEncoder:
    """An InsightFace recognition model.

    InsightFace loads it, reads mean and scale from the file, and feeds RGB; so do we, but many faces at a time, with
    the input bound on CUDA. Files that fix the batch size run in batches of it.

    Parameters
    ----------
    model
        ``builtin``, a path, a folder or the name of a pack; see `avsieve.onnx_runtime.shipped.resolve_model`.
    device
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``.

    Raises
    ------
    ModelError
        If the file is no 112 x 112 recognition model, or does not run on ``device``.
    """

    def __init__(self, model: str | Path, *, device: str = "cpu", threads: int = 1) -> None:
        self.path = resolve_model(model, "recognition")
        wanted = providers_for(device)
        try:
            self._net: Any = get_model(
                str(self.path), providers=with_options(wanted, device), sess_options=session_options(threads)
            )
        except _LOAD_ERRORS as error:
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it: {str(error).splitlines()[0]}") from error
        if getattr(self._net, "taskname", None) != "recognition" or tuple(self._net.input_size) != (112, 112):
            raise ModelError(
                f"{self.path}: InsightFace loads it as {type(self._net).__name__}; expected a recognition model with "
                f"input 3 x 112 x 112 (w600k_r50, glintr100, or 'builtin')"
            )
        self.provider = check_provider(self._net.session, wanted, str(self.path))
        self._session = self._net.session
        self._cuda, self._gpu = self.provider == CUDA, int(device.partition(":")[2] or 0)
        first = self._session.get_inputs()[0].shape[0]
        self._fixed = first if isinstance(first, int) else None
        self.dim = self.embed(np.zeros((1, 112, 112, 3), np.uint8)).shape[1]

    @property
    def facts(self) -> dict[str, Any]:
        """What a shard's provenance should say about this encoder."""
        return {
            "encoder": self.path.name,
            "encoder_sha256": sha256_of(self.path),
            "channels": "rgb",
            "provider": self.provider,
        }

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32, not normalised, of faces (B, 112, 112, 3) uint8 BGR."""
        return self.run(self.prepare(faces))

    def prepare(self, faces: np.ndarray) -> np.ndarray:
        """Return faces (B, 112, 112, 3) uint8 BGR as the file wants them: (B, 3, 112, 112) float, RGB, standardised."""
        blob = np.empty((len(faces), 3, 112, 112), np.float32)
        for plane in range(3):  # half the time of cv2.dnn.blobFromImages, with the same result
            np.subtract(faces[..., 2 - plane], np.float32(self._net.input_mean), out=blob[:, plane], dtype=np.float32)
        blob *= np.float32(1.0 / self._net.input_std)
        return blob.astype(getattr(self._net, "input_dtype", np.float32), copy=False)

    def run(self, prepared: np.ndarray) -> np.ndarray:
        """Return embeddings (B, dim) float32 of what `prepare` returned."""
        count, step = len(prepared), self._fixed or len(prepared)
        if spare := -count % step:
            prepared = np.concatenate([prepared, np.zeros((spare, *prepared.shape[1:]), prepared.dtype)])
        parts = [self._run(prepared[i : i + step]) for i in range(0, len(prepared), step)]
        return np.concatenate(parts)[:count].astype(np.float32, copy=False)

    def _run(self, blob: np.ndarray) -> np.ndarray:
        name, (output,) = self._net.input_name, self._net.output_names
        if not self._cuda:
            return np.asarray(self._session.run([output], {name: blob})[0])
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(blob, "cuda", self._gpu))
        binding.bind_output(output, "cpu")
        self._session.run_with_iobinding(binding)
        return np.asarray(binding.copy_outputs_to_cpu()[0])


def load(arch: str, model: str | Path, *, channels: str, precision: str, device: str, threads: int) -> OnnxFaceEncoder:
    """Return the encoder of an ONNX file: how `avsieve.encoders.registry.VISUAL` loads it; it takes RGB in fp32."""
    return OnnxFaceEncoder(model, device=device, threads=threads)

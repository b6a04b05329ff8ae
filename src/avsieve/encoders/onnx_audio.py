"""Any ONNX speaker encoder: waveforms or Kaldi filter banks in, embeddings out.

The file itself says what it wants. An input (B, T) or (B, 1, T) takes waveforms, one (B, T, 80) Kaldi filter banks:
WeSpeaker's unless the metadata that sherpa-onnx writes (``framework``, ``normalize_samples``,
``feature_normalize_type``) says otherwise. Utterances of equal length only are run together, so an embedding does not
depend on its batch.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors
from torch import Tensor, nn

from avsieve.encoders.contract import Examined
from avsieve.encoders.kaldi_fbank import RECIPES, FbankRecipe, KaldiFbank, used_samples
from avsieve.encoders.registry import AUDIO, without_states
from avsieve.encoders.states import InnerStates, State
from avsieve.errors import ModelError
from avsieve.onnx_runtime.sessions import CUDA, check_provider, providers_for, session_options, with_options
from avsieve.onnx_runtime.shipped import check_external
from avsieve.storage.wav import SAMPLE_RATE

logger = logging.getLogger(__name__)
_LOAD_ERRORS = (
    ort_errors.InvalidProtobuf, ort_errors.InvalidGraph, ort_errors.InvalidArgument, ort_errors.Fail,
    ort_errors.NoSuchFile, ort_errors.NotImplemented,
)  # fmt: skip
_RUN_ERRORS = (ort_errors.InvalidArgument, ort_errors.RuntimeException, ort_errors.Fail)
_BANDS = 80


def load(arch: str, checkpoint: str | Path, *, device: str, features: str, threads: int) -> OnnxSpeaker:
    """Return the encoder of an ONNX file: how `avsieve.encoders.registry.AUDIO` loads it.

    Raises
    ------
    ModelError
        If there is no such file, or it is no speaker encoder.
    """
    path = Path(checkpoint)
    if path.suffix != ".onnx" or not path.is_file():
        raise ModelError(f"{path}: no such ONNX file; audio.arch {arch} needs audio.checkpoint to be the path of one")
    return OnnxSpeaker(path, features=features, device=device, threads=threads)


def examine(audio: Any) -> Examined:
    """Load the file that the block ``audio`` of the configuration names, for the doctor (`AvsieveError`)."""
    return Examined(load(audio.arch, audio.checkpoint, device="cpu", features=audio.features, threads=1).path)


class OnnxSpeaker(InnerStates, nn.Module):
    """Map (B, samples) float32 in [-1, 1) at 16 kHz to (B, dim) float32 embeddings, as the file returns them.

    Parameters
    ----------
    path
        The ONNX file.
    features
        ``auto``; ``wave``; or a recipe of `avsieve.encoders.kaldi_fbank.RECIPES`.
    device
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``: where the session runs and where waveforms are expected.
    threads
        Threads inside an operator on the CPU.

    Attributes
    ----------
    dim
        Length of the embedding.
    min_samples
        Shortest input, in samples.
    own_precision
        True: the file decides on the arithmetic, no setting changes it.

    Raises
    ------
    ModelError
        If ONNX Runtime cannot load the file or run it on ``device``, or its inputs are of another kind.
    """

    min_samples = 400
    takes_lengths = False
    own_precision = True
    offers = ()

    def __init__(self, path: str | Path, *, features: str = "auto", device: str = "cpu", threads: int = 1) -> None:
        super().__init__()
        self.path = Path(path)
        wanted = providers_for(device)
        check_external(self.path)
        number = int(device.partition(":")[2] or 0)
        try:
            self._session = onnxruntime.InferenceSession(
                str(self.path), session_options(threads), providers=with_options(wanted, device)
            )
        except _LOAD_ERRORS as error:
            raise ModelError(f"{self.path}: ONNX Runtime cannot load it: {str(error).splitlines()[0]}") from error
        self.provider = check_provider(self._session, wanted, str(self.path))
        self._device = torch.device("cuda", number) if self.provider == CUDA else torch.device("cpu")
        self._input, self._one_by_one, self._channel, recipe = self._inspect(features)
        self.fbank = None if recipe is None else KaldiFbank(recipe).to(self._device)
        self.features = "wave" if recipe is None else f"fbank {recipe}"
        self._output = self._embedding_output()
        logger.info("%s: %s, on %s", self.path.name, self.features, self.provider)
        self.dim = int(self(torch.zeros(1, SAMPLE_RATE, device=self._device)).shape[1])

    def _inspect(self, features: str) -> tuple[str, bool, bool, FbankRecipe | None]:
        """Return the input's name, whether its batch is fixed to 1, whether it has a channel axis, and the features."""
        inputs = self._session.get_inputs()
        shapes = ", ".join(f"{i.name} {i.shape}" for i in inputs)
        if len(inputs) != 1 or inputs[0].type != "tensor(float)":
            raise ModelError(
                f"{self.path}: inputs {shapes} of {inputs[0].type}; expected one of float32: waveforms (B, T) or "
                f"filter banks (B, T, 80). Export the network without lengths, or with its own front end"
            )
        name, shape = inputs[0].name, inputs[0].shape
        fits_wave = len(shape) == 2 or (len(shape) == 3 and shape[1] == 1)
        fits_fbank = len(shape) == 3 and (shape[2] == _BANDS or not any(isinstance(n, int) for n in shape[1:]))
        kind = features if features != "auto" else ("wave" if fits_wave else self._framework())
        if not (fits_wave if kind == "wave" else fits_fbank):
            raise ModelError(
                f"{self.path}: input {shapes} does not fit audio.features {features!r}; expected (B, T) or (B, 1, T) "
                f"for wave, (B, T, {_BANDS}) for filter banks"
            )
        time = shape[-1] if kind == "wave" else shape[1]
        if isinstance(time, int):
            raise ModelError(f"{self.path}: input {shapes} fixes the time; export it with a dynamic time axis")
        if shape[0] not in (1, None) and isinstance(shape[0], int):
            raise ModelError(f"{self.path}: input {shapes} fixes the batch to {shape[0]}; export it with a dynamic one")
        recipe = None if kind == "wave" else self._recipe(RECIPES[kind], from_file=features == "auto")
        return name, shape[0] == 1, kind == "wave" and len(shape) == 3, recipe

    def _framework(self) -> str:
        """Return the recipe of the project that the metadata name; WeSpeaker where they name none."""
        named = self._session.get_modelmeta().custom_metadata_map.get("framework", "wespeaker")
        known = {"wespeaker": "wespeaker", "3d-speaker": "3dspeaker"}
        if named not in known:
            raise ModelError(
                f"{self.path}: its metadata say framework {named!r}; expected one of {', '.join(known)}: "
                f"set audio.features if its features are the same as theirs"
            )
        return known[named]

    def _recipe(self, recipe: FbankRecipe, *, from_file: bool) -> FbankRecipe:
        """Return the recipe with what the file's own metadata say of scale and normalisation, if they are asked."""
        said = self._session.get_modelmeta().custom_metadata_map if from_file else {}
        if "normalize_samples" in said:
            recipe = replace(recipe, scale=1.0 if said["normalize_samples"].strip() == "1" else 32768.0)
        # WeSpeaker always subtracts the mean; sherpa-onnx leaves the key empty for its files all the same.
        if said.get("feature_normalize_type") not in (None, "", "global-mean"):
            raise ModelError(
                f"{self.path}: feature_normalize_type {said['feature_normalize_type']!r}; expected global-mean or none"
            )
        return recipe

    def _embedding_output(self) -> str:
        """Return the name of the output (B, dim): the only one of two axes, or the one called ``embs``."""
        flat = [o.name for o in self._session.get_outputs() if o.shape is None or len(o.shape) == 2]
        named = [n for n in flat if n in ("embs", "embedding", "embeddings")]
        found = named if len(named) == 1 else flat
        if len(found) != 1:
            told = ", ".join(f"{o.name} {o.shape}" for o in self._session.get_outputs())
            raise ModelError(f"{self.path}: outputs {told}; expected one (B, dim), or one of them called embs")
        return found[0]

    def used_samples(self, samples: int) -> int:
        """Return how many of an utterance's first samples have an influence on its embedding."""
        return samples if self.fbank is None else used_samples(samples)

    def forward(self, waves: Tensor) -> Tensor:
        """Embed rows of equal length."""
        if waves.device.type != self._device.type:
            raise ModelError(
                f"{self.path}: waveforms on {waves.device}, the session runs on {self.provider}; load the encoder with "
                f"device={waves.device.type!r}"
            )
        x = waves.float() if self.fbank is None else self.fbank(waves)
        x = (x[:, None] if self._channel else x).contiguous()
        parts = x.split(1) if self._one_by_one else (x,)
        return torch.cat([self._run(part) for part in parts])

    def forward_states(
        self, inputs: Tensor, lengths: Tensor | None = None, *, only: Sequence[str] | None = None
    ) -> tuple[Tensor, list[State]]:
        """Refuse (`ConfigError`): of an ONNX file only the outputs are to be had."""
        raise without_states(AUDIO, f"{self.path} (an ONNX file)")

    def _run(self, x: Tensor) -> Tensor:
        """Run the session on a tensor where it lies: bound, not copied, on CUDA."""
        try:
            if self._device.type == "cpu":
                found = self._session.run([self._output], {self._input: x.numpy()})[0]
                return torch.from_numpy(np.asarray(found, np.float32))
            binding = self._session.io_binding()
            torch.cuda.current_stream(x.device).synchronize()  # the session has a stream of its own
            index = x.device.index or 0
            binding.bind_input(self._input, "cuda", index, np.float32, tuple(x.shape), x.data_ptr())
            binding.bind_output(self._output, "cpu")
            self._session.run_with_iobinding(binding)
            return torch.from_numpy(np.asarray(binding.copy_outputs_to_cpu()[0], np.float32)).to(x.device)
        except _RUN_ERRORS as error:
            raise ModelError(
                f"{self.path}: ONNX Runtime cannot run it on input {tuple(x.shape)}: {str(error).splitlines()[0]}"
            ) from error

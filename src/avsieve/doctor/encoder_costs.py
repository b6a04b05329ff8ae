"""How long encoders take to train: examples by their settings, and what one takes, by the rate of embedding.

A pass back takes twice a pass forward: on two threads of an AMD EPYC a step of `ecapa_small` takes 3.1 times what
embedding its crops does (docs/benchmarks.md). Preparing an example comes on top. A GPU is worth so many of those cores
at the least: on an H100 one process that prepares its data itself trained `ecapa1024` 129 times as fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avsieve.doctor.rates import FACES, LARGEST_FACE_FILE, SHIPPED, VOICES, Rate

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.training.encoder.settings import EncoderTraining

PASSES = 3
GPU_CORES = 100
# Seconds of a core to read, decode and augment an example.
PREPARE_S = {"audio": 8.5e-4, "visual": 5e-4}


@dataclass(frozen=True)
class EncoderCost:
    """The seconds of a training: those of the steps that the settings name, and those that grow with the list."""

    fixed_s: float
    utterance_s: float
    origin: str

    def seconds(self, utterances: float) -> float:
        """Return the seconds that a list of so many utterances takes."""
        return self.fixed_s + self.utterance_s * utterances


def encoder_cost(config: Config, modality: str, measured: Rate | None = None) -> EncoderCost:
    """Return what the training of an encoder takes, on the processes that share it.

    Parameters
    ----------
    measured
        What embedding takes here, by the architecture that embeds: this machine, or its GPU, against the one that the
        shipped figures are of. None, or a shipped figure, for those alone.
    """
    training = config.training
    wanted: EncoderTraining = getattr(training, modality)
    origin, faster = SHIPPED, 1.0
    if config.device.startswith("cuda"):
        origin, faster = f"{SHIPPED}; a GPU taken for {GPU_CORES} of them", float(GPU_CORES)
    if measured is not None and not measured.origin.startswith(SHIPPED):
        # Embedding was measured where trainings run.
        embedding = config.audio.arch if modality == "audio" else config.visual.arch
        origin, faster = measured.origin, _rate(modality, embedding) / measured.core_s
    example_s = PASSES * _rate(modality, wanted.arch) / faster
    processes = training.devices * training.nodes
    prepare_s = PREPARE_S[modality] / max(1, training.workers)
    fixed = utterance = 0.0
    for examples, per_utterance, length_s in _phases(config, modality):
        each = (example_s * length_s + prepare_s) / processes
        fixed, utterance = fixed + examples * each, utterance + per_utterance * each
    return EncoderCost(fixed, utterance, origin)


def _rate(modality: str, arch: str) -> float:
    """Return the seconds of a core for a second of sound or a face."""
    return (VOICES.get(arch, VOICES["onnx"]) if modality == "audio" else FACES.get(arch, LARGEST_FACE_FILE))[0]


def _phases(config: Config, modality: str) -> list[tuple[float, float, float]]:
    """Return of each phase its examples, those for each utterance of the list, and the length of one."""
    wanted: EncoderTraining = getattr(config.training, modality)
    length_s = config.training.audio.crop_s if modality == "audio" else 1.0
    examples = 0.0 if wanted.epochs else float(wanted.steps * wanted.batch)
    phases = [(examples, float(wanted.epochs), length_s)]
    if modality == "audio":
        large = config.training.audio.large_margin
        phases.append((float(large.steps * (large.batch or wanted.batch)), 0.0, large.crop_s))
    return phases

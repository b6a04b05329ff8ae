"""The configuration of the trainings of encoders."""

from __future__ import annotations

from typing import Literal

from avsieve.settings import Block, key
from avsieve.training.encoder.settings import TrainAudio, TrainVisual


class Training(Block):
    """Training of encoders from a list: `snakemake train_encoders`, or one of its models by name."""

    precision: Literal["fp32", "bf16", "fp16"] = key(
        "fp32", "Numerical precision; `bf16` and `fp16` are mixed precision, the loss stays in `fp32`.", "train_audio"
    )
    devices: int = key(
        1,
        "GPUs that share each batch (or processes on a CPU); the result is the same up to rounding. Takes effect in "
        "the next training.",
        "none",
        ge=1,
    )
    nodes: int = key(
        1,
        "Machines that share each batch, each with `devices` GPUs: Slurm gives them to the training's job, and `srun` "
        "starts it there. Takes effect in the next training of an encoder.",
        "none",
        ge=1,
    )
    workers: int = key(
        0, "Processes that prepare batches, per device. Takes effect in the next training.", "none", ge=0
    )
    tensorboard: bool = key(
        False,
        "Write TensorBoard files next to the models (needs the package tensorboard). Takes effect in the next "
        "training.",
        "none",
    )
    audio: TrainAudio = key(TrainAudio, "", "train_audio")
    visual: TrainVisual = key(TrainVisual, "", "train_visual")

"""Train joint models from shards: steps a second, the network's own limit, peak memory, how busy the GPU is."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import cv2
import torch
from train import SPEAKERS, WARM, Ready, make_up

from avsieve.fusion.optimisation import optimiser_of, schedule_of
from avsieve.fusion.recipe import Recipe
from avsieve.fusion.settings import Fusion
from avsieve.joint.augmentation import augmentation_of
from avsieve.joint.base import JointModel
from avsieve.joint.encoders import empty_encoders
from avsieve.joint.models import joint_model
from avsieve.joint.settings import JointSettings
from avsieve.joint.signal_batches import ListedSignals, SignalBatches
from avsieve.joint.signals import Signals
from avsieve.settings import filled
from avsieve.training.devices import Machine, start
from avsieve.training.phase import Phase, PhaseRun
from gpu_parts.part import Facts, Part, cores
from gpu_parts.training import Busy

STEPS = 10


@dataclass(frozen=True)
class Case:
    """A model with the encoders that its paper has."""

    model: str
    audio: str
    visual: str
    batch: int
    faces: int


CASES = {
    # VUT's video head (d), and AVCleanse's encoders under AVN's head and side by side.
    "vut_video_frames": Case("vut_video_frames", "wavlm_mhfa", "inception_resnet_v1_112", 16, 8),
    "speaker_face": Case("speaker_face", "ecapa1024", "iresnet18", 128, 1),
    "avn_j": Case("avn_j", "ecapa1024", "iresnet18", 128, 1),
    "avn_f": Case("avn_f", "ecapa1024", "iresnet18", 128, 1),
}
DRY_CASES = {name: Case(name, "ecapa_small", "mobileface_small", 2, 2) for name in ("vut_video_frames", "avn_j")}
PRECISIONS = ("bf16", "fp32")


def measure(part: Part) -> None:
    """Time every model in every precision."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)  # the workers need the cores
    files = make_up(part.work)
    workers = 0 if part.dry else max(1, min(12, cores() - 2))
    part.note(steps=part.size(STEPS, 1), workers=workers)
    for precision in PRECISIONS[1:] if part.dry else PRECISIONS:
        for name, case in (DRY_CASES if part.dry else CASES).items():
            part.case(lambda c=case, p=precision: trained(part, files, c, p, workers), name, precision)


def trained(part: Part, files: Any, case: Case, precision: str, workers: int) -> Facts:
    """Return the figures of a model."""
    kind = joint_model(case.model)
    given = {
        "audio_arch": case.audio,
        "visual_arch": case.visual,
        "faces": case.faces,
        "batch_size": case.batch,
        "epochs": 1,
    }
    own = filled(kind.settings, given, case.model)
    assert isinstance(own, JointSettings)
    train_list, wavs, faces = files
    steps = part.size(STEPS, 1)
    fabric = start(Machine(part.device, precision=precision), partial=True)
    listed = ListedSignals(train_list, Signals([wavs], [faces]))
    source = SignalBatches(
        listed,
        steps=steps + WARM,
        batch=case.batch,
        seed=0,
        reading=kind.reading(own, "rgb", training=True),
        augmentation=augmentation_of(own.augmentation),
    )
    cuda = part.device == "cuda"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    ready: Any = Ready(source[0], source.dimensions)  # type: ignore[arg-type]
    alone, _ = rate(fabric, kind, own, ready, steps, 0)
    with Busy(part.device) as busy:
        found, parameters = rate(fabric, kind, own, source, steps, workers)
    return {
        "batch": case.batch,
        "faces": case.faces,
        "parameters": parameters,
        "steps_per_s": round(found, 2),
        "batch_in_memory_steps_per_s": round(alone, 2),
        "share_of_batch_in_memory": round(found / alone, 3),
        "peak_memory_gib": round(torch.cuda.max_memory_allocated() / 2**30, 2) if cuda else None,
        **busy.facts(),
    }


def rate(
    fabric: Any, kind: type[JointModel], own: JointSettings, batches: Any, steps: int, workers: int
) -> tuple[float, int]:
    """Return steps a second of a new network, the first ones left out, and how many parameters it has."""
    torch.manual_seed(0)
    network = kind.build(own, *empty_encoders(own), 512).to(fabric.device)
    recipe = Recipe.of(Fusion(), own)
    criterion = kind.criterion(network, SPEAKERS, recipe, own).to(fabric.device)
    phase = Phase(batches, schedule_of(recipe, steps + WARM))
    run = PhaseRun(fabric, network, criterion, phase, optimiser_of(recipe), 0, steps)
    begun = 0.0
    for step, (inputs, labels) in run.batches(0, workers):
        if step == WARM:
            _wait(fabric)
            begun = time.perf_counter()
        if step == steps + WARM:
            break
        run.step(step, inputs, labels, seed=0)
    _wait(fabric)
    return steps / (time.perf_counter() - begun), sum(p.numel() for p in network.parameters())


def _wait(fabric: Any) -> None:
    if fabric.device.type == "cuda":
        torch.cuda.synchronize()

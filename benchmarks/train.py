"""Time training steps from shards against the network's own limit; print steps a second and the share of the limit.

limit    forward, loss, backward and optimiser on one batch that is ready in memory, again and again;
shards   the training itself: crops read from a wav shard, one augmentation each, masks (or augmented faces),
         prepared in this process or by workers.

Utterances are synthetic, 8 s long as VoxCeleb2's are on average. On CUDA each precision is timed, and a face network
also without the layout channels_last that it has there. The ways take turns. CPU: about a minute.

    python benchmarks/train.py [--audio ARCH] [--visual ARCH] [--batch N] [--steps N] [--device cuda] [--workers 0 1]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from avsieve.encoders.audio import AUDIO
from avsieve.encoders.registry import build
from avsieve.encoders.visual import VISUAL
from avsieve.lists.train_list import write_train_list
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.wav import wav_bytes
from avsieve.training.devices import Machine, start
from avsieve.training.encoder.audio_data import CropBatches, Speech
from avsieve.training.encoder.augment import Augmenter
from avsieve.training.encoder.face_augment import FaceAugmentation
from avsieve.training.encoder.settings import TrainAudio, TrainVisual
from avsieve.training.encoder.spec_augment import Masked
from avsieve.training.encoder.visual_data import FaceBatches, Faces, Scaled
from avsieve.training.margin import AAMSoftmax
from avsieve.training.optimisation import Optimiser, Schedule
from avsieve.training.phase import Phase, PhaseRun

SPEAKERS, VIDEOS, SECONDS, WARM = 40, 4, 8, 2


class Ready(Dataset):
    """One batch, whatever the step; ``dimensions`` other than its own keep the layout from being chosen by them."""

    def __init__(self, batch: tuple[Tensor, Tensor], dimensions: int) -> None:
        self.batch, self.dimensions = batch, dimensions

    def __len__(self) -> int:
        return 1_000_000

    def __getitem__(self, step: int) -> tuple[Tensor, Tensor]:
        return self.batch

    def share(self, rank: int, world: int) -> None:
        """Stay whole: there is one process."""


def make_up(work: Path) -> tuple[Path, Path, Path]:
    """Write a list, its wav shard and its shard of faces; return their paths."""
    rng = np.random.default_rng(0)
    utterances = [f"id{s:05d}/v{v}/00001" for s in range(SPEAKERS) for v in range(VIDEOS)]
    with TarWriter(work / "wav.tar") as wavs, TarWriter(work / "faces.tar") as faces:
        for utterance in utterances:
            samples = (3000 * rng.standard_normal(SECONDS * 16_000)).astype(np.int16)
            wavs.add(utterance, f"{utterance}.wav", wav_bytes(samples))
            for frame in range(5):
                image = cv2.GaussianBlur(rng.integers(0, 255, (112, 112, 3), dtype=np.uint8), (0, 0), 2)
                faces.add(utterance, f"{utterance}/{10 * frame:04d}.jpg", cv2.imencode(".jpg", image)[1].tobytes())
    write_train_list(work / "list.txt", utterances, [f"{SECONDS}.000"] * len(utterances))
    return work / "list.txt", work / "wav.tar", work / "faces.tar"


def crops(train_list: Path, wavs: Path, batch: int, steps: int) -> CropBatches:
    """Return batches of crops of 2.015 s with one augmentation each."""
    audio = TrainAudio()
    augmenter = Augmenter(audio.augment, stack=audio.stack, gain_db=audio.gain_db, mixing=audio.mixing, seed=0)
    speech = Speech(train_list, [wavs])
    return CropBatches(speech, crop_s=2.015, augmenter=augmenter, steps=steps, batch=batch, seed=0)


def images(train_list: Path, faces: Path, batch: int, steps: int) -> FaceBatches:
    """Return batches of augmented faces."""
    augmentation = FaceAugmentation.of(TrainVisual(), "rgb")
    return FaceBatches(Faces(train_list, [faces]), augmentation=augmentation, steps=steps, batch=batch, seed=0)


def fresh(name: str) -> nn.Module:
    """Return a network as trainings take it, with new weights; features are masked where there are any."""
    if name in VISUAL:
        return Scaled(build(VISUAL, name))
    network = build(AUDIO, name)
    return Masked(network, TrainAudio().mask if hasattr(network, "fbank") else 0.0)


def rate(fabric: Any, network: nn.Module, classes: int, batches: Any, steps: int, workers: int) -> float:
    """Return steps a second, the first ones left out."""
    settings = TrainAudio(steps=steps + WARM)
    dim = int(network.encoder.dim)  # type: ignore[union-attr,arg-type]
    criterion = AAMSoftmax(dim, classes, margin=settings.margin, scale=settings.scale)
    phase = Phase(batches, Schedule.of(settings))
    run = PhaseRun(fabric, network, criterion, phase, Optimiser.of(settings), 0, steps)
    begun = 0.0
    for step, (inputs, labels) in run.batches(0, workers):
        if step == WARM:
            _wait(fabric)
            begun = time.perf_counter()
        run.step(step, inputs, labels, seed=0)
    _wait(fabric)
    return steps / (time.perf_counter() - begun)


def _wait(fabric: Any) -> None:
    if fabric.device.type == "cuda":
        torch.cuda.synchronize()


def main() -> None:
    """Time both modalities."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--audio", default="ecapa_small", help="audio architecture")
    ap.add_argument("--visual", default="mobileface_small", help="visual architecture")
    ap.add_argument("--batch", type=int, default=32, help="crops or faces a step")
    ap.add_argument("--steps", type=int, default=12, help="steps timed a round")
    ap.add_argument("--rounds", type=int, default=3, help="rounds; medians are printed")
    ap.add_argument("--device", default="cpu", help="cpu or cuda")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    ap.add_argument("--workers", type=int, nargs="+", default=[0, 1], help="processes that prepare batches")
    args = ap.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    precisions = ("fp32", "bf16", "fp16") if args.device == "cuda" else ("fp32",)
    with tempfile.TemporaryDirectory() as work:
        train_list, wavs, faces = make_up(Path(work))
        total = args.steps + WARM
        said, seen = crops(train_list, wavs, args.batch, total), images(train_list, faces, args.batch, total)
        for precision in precisions:
            fabric = start(Machine(args.device, precision=precision))
            for name, batches in ((args.audio, said), (args.visual, seen)):
                compare(fabric, name, batches, args)


def compare(fabric: Any, name: str, batches: Any, args: argparse.Namespace) -> None:
    """Time an architecture in every way, in turns, and print the medians."""
    ways: dict[str, tuple[Any, int]] = {"limit": (Ready(batches[0], batches.dimensions), 0)}
    for workers in args.workers:
        ways[f"shards, {workers} workers"] = (batches, workers)
    if name in VISUAL and fabric.device.type == "cuda":
        ways["limit, plain layout"] = (Ready(batches[0], 0), 0)
    found: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(args.rounds):
        for way, (source, workers) in ways.items():
            found[way].append(rate(fabric, fresh(name), SPEAKERS, source, args.steps, workers))
    begun = time.process_time()
    for step in range(args.steps):
        batches[step]
    prepared = (time.process_time() - begun) / args.steps
    print(f"{name}, {fabric.strategy.precision.precision}, batch {args.batch}, {fabric.device.type}")
    print(
        f"  a batch is prepared in {1000 * prepared:.0f} ms of one core: {args.batch / prepared:.0f} samples/s a worker"
    )
    for way, rates in found.items():
        share = median(a / b for a, b in zip(rates, found["limit"], strict=True))
        print(f"  {way:24} {median(rates):8.2f} steps/s  {share:.2f} of the limit")
    if fabric.device.type == "cuda":
        print(f"  largest memory           {torch.cuda.max_memory_allocated() / 2**30:8.2f} GiB")


if __name__ == "__main__":
    main()

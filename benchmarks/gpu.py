"""Compare the GPU with the CPU, network by network: do they agree, and how much faster is it.

Networks have random weights, with statistics as after training; inputs are made up. For each the least cosine between
the embedding on the GPU and that on the CPU is printed, in each precision, and the rates of forward passes over batches
that lie ready. Then the shipped detector on rendered frames (found faces and landmarks on both), ten steps of a
training (losses on both), and a fusion model on so many utterances. Needs a CUDA device; some three minutes.

    python benchmarks/gpu.py [--audio ARCH ...] [--visual ARCH ...] [--detector FILE] [--utterances N]
"""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import torch
from align import landmarks_of, rendered, write_frames
from torch import nn
from train import make_up

from avsieve.encoders.audio import AUDIO
from avsieve.encoders.device import PRECISIONS
from avsieve.encoders.onnx_face import OnnxFaceEncoder
from avsieve.encoders.registry import build
from avsieve.encoders.visual import VISUAL
from avsieve.faces.align import FaceAligner
from avsieve.faces.align_shard import align_shard
from avsieve.faces.detector import FaceDetector
from avsieve.fusion.gated import Gated
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.settings import Fusion
from avsieve.fusion.training import train_fusion
from avsieve.training.devices import Machine
from avsieve.training.encoder.audio import train_audio
from avsieve.training.encoder.encoder_run import Run
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.loop import Keeping
from avsieve.training.shipped.onnx_export import export_face_encoder

CPU, GPU = torch.device("cpu"), torch.device("cuda")
PASSES = 10


def seconds(work: Callable[[], object]) -> float:
    """Return how long it takes, with what it leaves running on the GPU."""
    torch.cuda.synchronize()
    begun = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - begun


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Return the least cosine between equal rows."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float(((a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).min())


def settle(network: nn.Module, inputs: torch.Tensor) -> nn.Module:
    """Give the batch normalisations statistics: without them numbers grow from layer to layer."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.momentum = 1.0
    with torch.no_grad():
        network.train()(inputs)
    return network.eval()


def network(table: Any, arch: str, inputs: torch.Tensor, rows: int, unit: str) -> None:
    """Compare a torch network on both devices."""
    torch.manual_seed(0)
    net = settle(build(table, arch), inputs[:8])

    def forward(device: torch.device, kind: torch.dtype | None, batch: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast(device.type, kind, enabled=kind is not None):
            return net(batch).float()

    few = inputs[:4]
    slow = seconds(lambda: forward(CPU, None, few))
    want = forward(CPU, None, few).numpy()
    net.to(GPU)
    batch = inputs.repeat(-(-rows // len(inputs)), *[1] * (inputs.dim() - 1))[:rows].to(GPU)
    told = []
    for name, kind in PRECISIONS.items():
        found = forward(GPU, kind, few.to(GPU)).cpu().numpy()
        forward(GPU, kind, batch)
        taken = seconds(lambda kind=kind: [forward(GPU, kind, batch) for _ in range(PASSES)])
        told.append(f"{name} {PASSES * rows / taken:.0f} {unit}/s (cosine {cosine(found, want):.6f})")
    print(f"{arch}: CPU {len(few) / slow:.1f} {unit}/s by {len(few)}; GPU by {rows}: {', '.join(told)}", flush=True)


def onnx_face(arch: str, folder: Path) -> None:
    """Compare a face network in ONNX Runtime on both devices."""
    torch.manual_seed(0)
    net = settle(build(VISUAL, arch), torch.rand(8, 3, 112, 112) * 2 - 1)
    export_face_encoder(net, folder / f"{arch}.onnx")
    faces = np.random.default_rng(0).integers(0, 256, (64, 112, 112, 3), dtype=np.uint8)
    cpu, gpu = (OnnxFaceEncoder(folder / f"{arch}.onnx", device=device) for device in ("cpu", "cuda"))
    want, found = cpu.embed(faces[:8]), gpu.embed(faces[:8])
    gpu.embed(faces)
    taken = seconds(lambda: [gpu.embed(faces) for _ in range(PASSES)])
    slow = seconds(lambda: cpu.embed(faces[:8]))
    print(
        f"onnx:{arch}: CPU {8 / slow:.1f} faces/s; GPU by 64, prepared too: {PASSES * 64 / taken:.0f} faces/s (cosine "
        f"{cosine(found, want):.6f})", flush=True
    )  # fmt: skip


def detector(model: str, folder: Path) -> None:
    """Compare detection and alignment on both devices."""
    clips = rendered(40, 10)
    write_frames(folder / "frames.tar", clips)
    marks = {}
    for device, threads in (("cpu", 1), ("cuda", 1), ("cuda", 4), ("cuda", 8)):
        found = FaceDetector(model, size="auto", min_score=0.25, device=device)
        aligner = FaceAligner(found, min_score=0.5)
        marks[device] = landmarks_of(aligner, clips)
        taken = seconds(
            lambda aligner=aligner, threads=threads: align_shard(
                list(clips), folder / "frames.tar", aligner, faces_tar=folder / "faces.tar",
                detections=folder / "d.parquet", workers=threads,
            )
        )  # fmt: skip
        print(f"{found.path.name}, {device}, {threads} thread(s): {400 / taken:.0f} frames/s, JPEG to JPEG", flush=True)
    both = [(a, b) for a, b in zip(marks["cpu"], marks["cuda"], strict=True) if len(a) and len(b)]
    apart = max(float(np.abs(a - b).max()) for a, b in both)
    count = [sum(len(m) > 0 for m in marks[d]) for d in ("cpu", "cuda")]
    print(f"  found in {count[0]} frames on the CPU, {count[1]} on the GPU; landmarks at most {apart:.4f} px apart")


def training(folder: Path) -> None:
    """Compare the losses of a training on both devices, and a resumed one with an unbroken one."""
    train_list, wavs, _ = make_up(folder)
    losses, weights = {}, {}
    for name, device in (("cpu", "cpu"), ("gpu", "cuda"), ("gpu again", "cuda")):
        train_audio(
            train_list, [wavs], folder / f"{name}.safetensors",
            settings=TrainAudio(arch="ecapa_small", batch=16, steps=10, lr=1e-3),
            run=Run(
                Machine(device), Keeping(folder / f"{name}.csv", 1, folder / f"{name}.resume"), workers=0,
                provenance=folder / f"{name}.json",
            ),
        )  # fmt: skip
        rows = (folder / f"{name}.csv").read_text().splitlines()
        losses[name] = [float(row.split(",")[rows[0].split(",").index("loss")]) for row in rows[1:]]
        weights[name] = (folder / f"{name}.safetensors").read_bytes()
    apart = max(abs(a - b) / a for a, b in zip(losses["cpu"], losses["gpu"], strict=True))
    same = "the same bytes" if weights["gpu"] == weights["gpu again"] else "other bytes"
    print(f"ecapa_small, 10 steps: losses on CPU and GPU at most {apart:.1e} apart; the GPU again: {same}", flush=True)


def fusion(utterances: int) -> None:
    """Time the training of a fusion model on both devices."""
    rng = np.random.default_rng(0)
    speakers = np.arange(utterances) % max(2, utterances // 100)
    people = rng.standard_normal((speakers.max() + 1, 192)).astype(np.float32)
    vectors = people[speakers] + rng.standard_normal((utterances, 192)).astype(np.float32)
    there = np.ones(utterances, dtype=bool)
    inputs = Inputs(
        [f"{s}/v/{i}" for i, s in enumerate(speakers)], Stream(vectors, there), Stream(vectors[:, ::-1], there)
    )
    for device in (CPU, GPU):
        torch.manual_seed(0)
        model = Gated(192, 192, 128, Gated.settings())
        settings = Fusion(epochs=2, batch_size=512)
        names = [str(s) for s in speakers]
        taken = seconds(lambda m=model, s=settings, d=device, n=names: train_fusion(m, inputs, n, s, seed=0, device=d))
        print(f"gated fusion, {utterances} utterances, {device.type}: {2 * utterances / taken:.0f} utterances/s")


def main() -> None:
    """Compare everything."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--audio", nargs="*", default=["ecapa_small", "ecapa512", "ecapa1024", "rawnet2"])
    ap.add_argument("--visual", nargs="*", default=["mobileface_small", "iresnet18", "iresnet50", "iresnet100"])
    ap.add_argument("--onnx", nargs="*", default=["mobileface_small", "iresnet18", "iresnet100"])
    ap.add_argument("--detector", default="builtin", help="the builtin detector, or an .onnx file")
    ap.add_argument("--utterances", type=int, default=100_000, help="of the fusion's training")
    args = ap.parse_args()
    warnings.filterwarnings("ignore")
    logging.getLogger("avsieve").setLevel(logging.WARNING)
    cv2.setNumThreads(1)
    torch.set_num_threads(min(8, os.cpu_count() or 1))
    print(
        f"{torch.cuda.get_device_name()}; {os.cpu_count()} cores, {torch.get_num_threads()} threads of torch; torch "
        f"{torch.__version__}, onnxruntime {onnxruntime.__version__}"
    )  # fmt: skip
    rng = torch.Generator().manual_seed(0)
    sound = torch.randn(16, 128_000, generator=rng) * 0.1
    for arch in args.audio:
        network(AUDIO, arch, sound, 32, "utterances of 8 s")
    for arch in args.visual:
        side = 160 if arch == "inception_resnet_v1" else 112
        network(VISUAL, arch, torch.rand(16, 3, side, side, generator=rng) * 2 - 1, 256, "faces")
    with tempfile.TemporaryDirectory() as work:
        for arch in args.onnx:
            onnx_face(arch, Path(work))
        if args.detector:
            detector(args.detector, Path(work))
        training(Path(work))
    fusion(args.utterances)


if __name__ == "__main__":
    main()

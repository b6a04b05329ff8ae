"""Embed synthetic voices and faces end to end from shards, and compare with the habits of the field and with the limit.

Shards, wav files and JPEGs are written to a temporary folder: utterances as long as VoxCeleb2's (4 s and more, mean
7.8 s), faces of 112 pixels. Networks have random weights, which cost what trained ones cost. For each network:

limit      forward passes on tensors that lie ready: as much sound without any padding, in batches of as many rows or
           one by one, whichever is faster;
batched    a shard as the workflow embeds it: reading, decoding, batches, writing Parquet;
single     the same, one utterance or face at a time;
habit      one utterance at a time from wav files with soundfile, as the ECAPA-TDNN and AVCleanse evaluations do; one
           face at a time from JPEG files, with InsightFace's ``get_feat`` for ONNX files.

All ways take turns, `--rounds` times; medians are compared. "of limit" is the rate over that of the limit, "CPU" the
same by processor time, which other work on the machine disturbs less. Each network is also checked: every embedding is
compared with that of its utterance or face alone.

    python benchmarks/embed.py [--audio ecapa512] [--visual iresnet18 onnx:iresnet18] [--utterances N] [--faces N]
                               [--rounds N] [--threads N] [--device cpu|cuda] [--precision fp32|fp16|bf16]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import tempfile
import time
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import torch
from torch import nn

from avsieve.embedding_files.own_tables import read_embeddings
from avsieve.encoders.audio import AUDIO
from avsieve.encoders.batches import Piece, batches_of
from avsieve.encoders.device import PRECISIONS
from avsieve.encoders.embed_audio import CPU_BATCH_S
from avsieve.encoders.embed_audio import embed_shard as embed_voices
from avsieve.encoders.embed_visual import embed_shard as embed_faces
from avsieve.encoders.face_encoder import StagedEncoder
from avsieve.encoders.registry import build
from avsieve.encoders.torch_face import TorchFaceEncoder
from avsieve.encoders.visual import VISUAL
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.tables import write_table
from avsieve.storage.wav import wav_bytes

Ways = dict[str, Callable[[], object]]
BATCH = 64


def measure(ways: Ways, rounds: int) -> dict[str, tuple[float, float]]:
    """Run the ways in turns; return the median wall and processor seconds of each."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for name, way in [*ways.items()] * rounds:
        wall, cpu = time.perf_counter(), time.process_time()
        way()
        taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return {n: (statistics.median(w for w, _ in t), statistics.median(c for _, c in t)) for n, t in taken.items()}


def show(title: str, unit: str, count: int, seconds: dict[str, tuple[float, float]], least: float) -> None:
    """Print a table of rates and ratios."""
    print(f"\n{title}: {count} {unit}; least cosine to the embedding alone {least:.6f}")
    print(f"{'':10}{unit + '/s':>14}{'of limit':>10}{'CPU':>7}{'over habit':>12}")
    limits = [seconds.pop("limit, one"), seconds["limit"]]
    limit = min(limits)
    seconds["limit"] = limit
    for name, (wall, cpu) in seconds.items():
        of_limit, of_cpu = limit[0] / wall, min(c for _, c in limits) / cpu
        print(f"{name:10}{count / wall:14.2f}{of_limit:10.2f}{of_cpu:7.2f}{seconds['habit'][0] / wall:12.2f}")


def write_voices(folder: Path, count: int, rng: np.random.Generator) -> list[str]:
    """Write a shard of wavs and the same as single files; lengths are multiples of 40 ms, as with videos."""
    names = [f"id{i // 20:05d}/video{i // 5 % 4}/{i:05d}" for i in range(count)]
    with TarWriter(folder / "wav.tar") as writer:
        for name in names:
            samples = 640 * round(float(np.clip(4 + rng.exponential(3.8), 4, 20)) * 25)
            content = wav_bytes(rng.normal(0, 3000, samples).clip(-32_768, 32_767).astype(np.int16))
            writer.add(name, f"{name}.wav", content)
            path = folder / "wav" / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return names


def voice_ways(
    network: nn.Module, folder: Path, names: list[str], *, device: torch.device, precision: str, batch_s: float
) -> Ways:
    """Return the ways to embed what `write_voices` wrote; ``batched`` and ``single`` write `b.parquet`, `s.parquet`."""
    kind = PRECISIONS[precision]
    pieces = [Piece(n, 0, _samples(folder / "wav" / f"{n}.wav")) for n in names]
    cuda = device.type == "cuda"
    mixed = cuda and bool(getattr(network, "takes_lengths", False))
    most_s = batch_s if cuda else min(batch_s, CPU_BATCH_S)
    sizes = [(len(b), sum(p.length for p in b) // len(b)) for b in batches_of(pieces, most_s, mixed=mixed)]
    ready = [torch.randn(rows, samples, device=device) * 0.1 for rows, samples in sizes]

    def forward(waves: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode(), torch.autocast(device.type, kind, enabled=kind is not None):
            return network(waves)

    def limit(step: int) -> None:
        for waves in ready:
            for part in waves.split(step):
                last = forward(part)
        last.cpu()

    def shard(batch_s: float, out: str) -> None:
        results, _ = embed_voices(
            folder / "wav.tar", names, network, device=device, batch_s=batch_s, precision=precision
        )
        results.write(folder / out, folder / f"segments.{out}")

    def habit() -> None:
        import soundfile

        found = {}
        for name in names:
            samples, _ = soundfile.read(folder / "wav" / f"{name}.wav", dtype="float32")
            vector = forward(torch.from_numpy(samples)[None].to(device))
            found[name] = torch.nn.functional.normalize(vector.float(), dim=1).cpu().numpy()
        np.savez(folder / "habit.npz", utterance=list(found), embedding=np.concatenate(list(found.values())))

    return {
        "limit": lambda: limit(1000),
        "limit, one": lambda: limit(1),
        "batched": lambda: shard(batch_s, "b.parquet"),
        "single": lambda: shard(0.0, "s.parquet"),
        "habit": habit,
        "first": lambda: forward(ready[0]),
    }


def _samples(path: Path) -> int:
    with wave.open(str(path)) as file:
        return file.getnframes()


def voices(arch: str, folder: Path, names: list[str], args: argparse.Namespace) -> None:
    """Measure an audio network."""
    device = torch.device(args.device)
    torch.manual_seed(0)
    network: nn.Module = build(AUDIO, arch).eval().to(device)
    ways = voice_ways(network, folder, names, device=device, precision=args.precision, batch_s=args.batch_s)
    ways.pop("first")()
    seconds = measure(ways, args.rounds)
    sound_s = sum(_samples(folder / "wav" / f"{n}.wav") for n in names) / 16_000
    batched, alone = read_embeddings(folder / "b.parquet")[1], read_embeddings(folder / "s.parquet")[1]
    cosines = (batched * alone).sum(1) / np.linalg.norm(batched, axis=1) / np.linalg.norm(alone, axis=1)
    show(f"voices, {arch}, {sound_s:.0f} s of sound", "utterances", len(names), seconds, float(cosines.min()))


def write_faces(folder: Path, count: int, rng: np.random.Generator) -> list[str]:
    """Write a shard of aligned faces, five to an utterance, its detections, and the same as single files."""
    names = [f"id{i // 20:05d}/video{i // 5 % 4}/{i:05d}" for i in range(count // 5)]
    (folder / "jpg").mkdir()
    rows = []
    with TarWriter(folder / "faces.tar") as writer:
        for name in names:
            for frame in range(5):
                coarse = rng.integers(0, 256, (14, 14, 3)).astype(np.uint8)
                face = cv2.resize(coarse, (112, 112), interpolation=cv2.INTER_CUBIC)
                content = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
                writer.add(name, f"{name}/{frame:04d}.jpg", content)
                (folder / "jpg" / f"{name.replace('/', '_')}_{frame:04d}.jpg").write_bytes(content)
                rows.append({"utterance": name, "frame": f"{frame:04d}", "quality": 0.5, "code": "ok"})
    write_table(folder / "detections.parquet", pd.DataFrame(rows))
    return names


def face_encoder(what: str, folder: Path, *, device: str, precision: str, threads: int) -> StagedEncoder:
    """Return a face network with random weights: an architecture, or ``onnx:`` and one, run by ONNX Runtime."""
    torch.manual_seed(0)
    network = build(VISUAL, what.removeprefix("onnx:"))
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm1d):
            module.momentum = 1.0
    with torch.no_grad():  # statistics as after training: without them the numbers grow from layer to layer
        network.train()(torch.rand(4, 3, 112, 112) * 2 - 1)
    network.eval()
    if what.startswith("onnx:"):
        # Here alone: the packages that ONNX files need are absent where only networks of torch are measured.
        from avsieve.encoders.onnx_face import OnnxFaceEncoder
        from avsieve.training.shipped.onnx_export import export_face_encoder

        export_face_encoder(network, folder / "face.onnx")
        return OnnxFaceEncoder(folder / "face.onnx", device=device, threads=threads)
    torch.save(network.state_dict(), folder / "face.pt")
    return TorchFaceEncoder(
        what, folder / "face.pt", channels="rgb", device=device, precision=precision, threads=threads
    )


def face_ways(encoder: StagedEncoder, folder: Path, names: list[str], *, alone: bool = True) -> Ways:
    """Return the ways to embed what `write_faces` wrote; ``batched`` and ``single`` write as in `voice_ways`.

    Without ``alone`` the forward passes one by one are left out: their inputs take long to prepare.
    """
    paths = sorted((folder / "jpg").iterdir())
    images = np.stack([cv2.imread(str(p)) for p in paths])
    ready = [encoder.prepare(images[i : i + BATCH]) for i in range(0, len(images), BATCH)]
    get_feat = encoder._net.get_feat if not isinstance(encoder, TorchFaceEncoder) else None  # type: ignore[attr-defined]

    def limit(batches: Iterable[Any]) -> None:
        for batch in batches:
            encoder.run(batch)

    def shard(batch: int, out: str) -> None:
        embed_faces(
            folder / "faces.tar", folder / "detections.parquet", names, encoder, batch=batch, pooling="quality",
            embeddings=folder / out, frame_embeddings=folder / f"frames.{out}",
        )  # fmt: skip

    def habit() -> None:
        found = []
        for path in paths:
            image = cv2.imread(str(path))
            vector = get_feat(image) if get_feat else encoder.embed(image[None])
            found.append(vector[0] / np.linalg.norm(vector))
        np.save(folder / "habit.npy", np.stack(found))

    singles = [encoder.prepare(image[None]) for image in images] if alone else []
    ways: Ways = {
        "limit": lambda: limit(ready),
        "batched": lambda: shard(BATCH, "b.parquet"),
        "single": lambda: shard(1, "s.parquet"),
        "habit": habit,
        "first": lambda: limit(ready[:1]),
    }
    return ways | ({"limit, one": lambda: limit(singles)} if alone else {})


def faces(what: str, folder: Path, names: list[str], args: argparse.Namespace) -> None:
    """Measure a face network: an architecture, or ``onnx:`` and one, exported and run by ONNX Runtime."""
    encoder = face_encoder(what, folder, device=args.device, precision=args.precision, threads=args.threads)
    ways = face_ways(encoder, folder, names)
    ways.pop("first")()
    seconds = measure(ways, args.rounds)
    batched, alone = (read_embeddings(folder / f"frames.{n}.parquet")[1].astype(np.float32) for n in "bs")
    cosines = (batched * alone).sum(1) / np.linalg.norm(batched, axis=1) / np.linalg.norm(alone, axis=1)
    show(f"faces, {what}", "faces", len(batched), seconds, float(cosines.min()))


def sizes(args: argparse.Namespace) -> None:
    """Print what a second of processor time embeds, by rows in a batch."""
    sound, some = torch.randn(8, 128_000) * 0.1, (1, 2, 4, 8)
    cases = [(f"{arch}, utterances of 8 s", build(AUDIO, arch), sound, some) for arch in args.audio]
    for arch in args.visual:
        if arch.startswith("onnx:"):
            continue
        pictures, first = torch.rand(32, 3, 112, 112) * 2 - 1, build(VISUAL, arch)
        last = build(VISUAL, arch).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        cases.append((f"{arch}, channels first", first, pictures, (1, 4, 8, 32)))
        ordered = pictures.contiguous(memory_format=torch.channels_last)
        cases.append((f"{arch}, channels last", last, ordered, (1, 4, 8, 32)))
    for name, network, rows, counts in cases:
        network.eval()
        with torch.inference_mode():
            network(rows[:1])
            ways: Ways = {str(n): functools.partial(network, rows[:n]) for n in counts}
            taken = measure(ways, args.rounds)
        print(f"{name}: " + ", ".join(f"{int(n) / cpu:.1f}/s by {n}" for n, (_, cpu) in taken.items()))


def main() -> None:
    """Measure every network asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--audio", nargs="*", default=["ecapa512"], help="architectures of encoders.audio.AUDIO")
    parser.add_argument("--visual", nargs="*", default=["iresnet18", "onnx:iresnet18"])
    parser.add_argument("--utterances", type=int, default=16)
    parser.add_argument("--faces", type=int, default=40)
    parser.add_argument("--batch-s", type=float, default=60.0, help="sound in a batch, as audio.batch_s")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", choices=list(PRECISIONS), default="fp32")
    parser.add_argument("--sizes", action="store_true", help="measure batch sizes instead")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    if args.sizes:
        sizes(args)
        return
    rng = np.random.default_rng(0)
    print(f"{args.device}, {args.threads} thread(s), {args.precision}, {args.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        if args.audio:
            names = write_voices(Path(folder), args.utterances, rng)
            for arch in args.audio:
                voices(arch, Path(folder), names, args)
        if args.visual:
            names = write_faces(Path(folder), args.faces, rng)
            for what in args.visual:
                faces(what, Path(folder), names, args)


if __name__ == "__main__":
    main()

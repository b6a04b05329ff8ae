"""Align the faces in the frames of talking-head clips: ours against InsightFace's own loop and against the limit.

The same detector file everywhere. The work on each frame is JPEG decoding, detection with five landmarks, and the
aligned crop of 112 x 112. Ways, each with one thread a worker, except where said:

ours           a shard as the workflow aligns it: reading, decoding, tracks, choice, pose, sharpness, JPEGs, tables;
tracking       the same with `faces.tracking`;
one shard      "ours" with all frames in one shard, and a thread of one process for each worker (`--threads`);
in memory      the same on images that are decoded already, as the fused stage has them, without writing;
limit          ``session.run`` of the detector on inputs that lie ready, at the frames' size, and nothing else;
640            ``FaceAnalysis.get`` an image at a time as it comes (an input of 640 x 640), then ``norm_crop``.
               Detection is its only task; it writes nothing;
equal size     the same with an input of the frames' size (of a dynamic copy where the file is fixed);
..., all cores both in one process with ONNX Runtime's own number of threads for the one image at a time: what comes
               out of the box.

A worker is a process with a shard of its own, as in the workflow; processes live from round to round.

All ways take turns, `--rounds` times; medians of the rounds' ratios are shown with their range, and the ratio of the
processor times, which other work on the machine disturbs less (two workers have twice the cores of one). The agreement
says in how many frames both found the face, and how far its landmarks lie apart.

With `--clips` (a folder of clips; without it, frames are rendered) decoding is measured too: the two stages with frames
on disk against the fused one.

    python benchmarks/align.py [--detector builtin|FILE] [--clips DIR] [--most N] [--rounds N] [--workers 1 2]
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np
from insightface.app import FaceAnalysis
from insightface.utils.face_align import norm_crop

from avsieve.faces.align import FaceAligner, VideoFrame
from avsieve.faces.align_shard import align_shard
from avsieve.faces.detector import FaceDetector, input_size
from avsieve.faces.extract import extract_faces_shard
from avsieve.faces.scrfd import blob_of, letterbox
from avsieve.faces.tracking_detector import FollowingDetector
from avsieve.media.decode import decode_clip
from avsieve.media.extract import extract_shard
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.onnx_runtime.dynamic import write_dynamic
from avsieve.onnx_runtime.sessions import CPU, session_options
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.synthetic.faces.person import FaceRenderer, sample_face, sample_scene

Ways = dict[str, Callable[[], float | None]]
"""Each returns the processor seconds of other processes, if it had any."""
ALONE = ("one shard", "640, all cores", "equal size, all cores")
"""Ways that one process goes for all."""
Taken = dict[str, list[tuple[float, float]]]


def measure(ways: Ways, rounds: int) -> Taken:
    """Run the ways in turns; return the wall and processor seconds of each."""
    taken: Taken = {name: [] for name in ways}
    for name, way in [*ways.items()] * rounds:
        wall, cpu = time.perf_counter(), time.process_time()
        elsewhere = way()
        spent = time.process_time() - cpu if elsewhere is None else elsewhere
        taken[name].append((time.perf_counter() - wall, spent))
    return taken


def show(taken: Taken, count: int, unit: str) -> None:
    """Print how many a second each way makes."""
    for name, seconds in taken.items():
        print(f"  {name:22}{count / statistics.median(w for w, _ in seconds):9.1f} {unit}/s")


def ratio(taken: Taken, slow: str, fast: str) -> str:
    """Return how many times faster one way is: the median of the rounds' ratios, their range, and by processor time."""
    pairs = list(zip(taken[slow], taken[fast], strict=True))
    wall, cpu = sorted(a[0] / b[0] for a, b in pairs), statistics.median(a[1] / b[1] for a, b in pairs)
    return f"{statistics.median(wall):.2f} ({wall[0]:.2f} to {wall[-1]:.2f}); processor time {cpu:.2f}"


def rendered(people: int, frames: int) -> dict[str, list[np.ndarray]]:
    """Return frames of synthetic people, one every 0.4 s."""
    clips = {}
    for seed in range(people):
        rng = np.random.default_rng([31, seed])
        face = sample_face(rng, "fm"[seed % 2])
        renderer = FaceRenderer(face, sample_scene(rng, face))
        clips[f"id{seed:05d}/video/00001"] = [
            renderer.frame(0.4 * (k + 1), float(rng.choice([0, 0.3, 0.7]))).image for k in range(frames)
        ]
    return clips


def decoded(clips: list[Path]) -> dict[str, list[np.ndarray]]:
    """Return the frames of clips."""
    return {
        f"id/v/{number:05d}": list(decode_clip(path, interval_s=0.4, as_images=True).images.values())
        for number, path in enumerate(clips)
    }


def write_frames(tar: Path, clips: dict[str, list[np.ndarray]]) -> None:
    """Write a shard of frames as extraction does."""
    with TarWriter(tar) as out:
        for utterance, images in clips.items():
            for k, image in enumerate(images):
                jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
                out.add(utterance, f"{utterance}/{10 * (k + 1):04d}.jpg", jpeg.tobytes())


def analysis(model: Path, folder: Path, size: int, threads: int | None) -> FaceAnalysis:
    """Return FaceAnalysis with this detector alone; ``threads`` None leaves ONNX Runtime its own number."""
    folder.mkdir()
    shutil.copy(model, folder)
    options = {} if threads is None else {"sess_options": session_options(threads)}
    app = FaceAnalysis(str(folder), providers=[CPU], **options)
    app.prepare(ctx_id=-1, det_thresh=0.5, det_size=(size, size))
    return app


def habit(app: FaceAnalysis, jpegs: list[bytes]) -> list[np.ndarray]:
    """Find and cut out the greatest face of each image; return landmarks (5, 2), or an empty array."""
    marks = []
    for jpeg in jpegs:
        image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        faces = app.get(image)
        if not faces:
            marks.append(np.zeros((0, 2)))
            continue
        face = max(faces, key=lambda f: (f.bbox[2] - f.bbox[0]) * (f.bbox[3] - f.bbox[1]))
        norm_crop(image, face.kps)
        marks.append(face.kps)
    return marks


def agreement(name: str, ours: list[np.ndarray], theirs: list[np.ndarray]) -> None:
    """Print in how many frames both found the face, and the distance of its landmarks."""
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if len(a) and len(b)]
    apart = np.array([np.linalg.norm(a - b, axis=1).mean() for a, b in both])
    eyes = np.array([np.linalg.norm(b[0] - b[1]) for _, b in both])
    found = [sum(len(m) > 0 for m in marks) for marks in (ours, theirs)]
    print(
        f"  ours and {name}: found in {found[0]} and {found[1]} of {len(ours)} frames, in both {len(both)}; landmarks "
        f"apart: median {np.median(apart):.2f} px, 99 % within {np.quantile(apart, 0.99):.2f} px "
        f"({np.quantile(apart / eyes, 0.99):.1%} of the distance of the eyes)"
    )


def landmarks_of(aligner: FaceAligner, clips: dict[str, list[np.ndarray]]) -> list[np.ndarray]:
    """Return what alignment used for each frame."""
    found = aligner.align([[VideoFrame(str(k), image) for k, image in enumerate(c)] for c in clips.values()])
    return [
        np.array(row.landmarks).reshape(5, 2) if row.code == "ok" else np.zeros((0, 2))
        for each in found
        for row in each.rows
    ]


class Material:
    """A shard of frames, as JPEGs and as images, and the networks that look at them."""

    def __init__(self, frames_tar: Path, utterances: list[str], args: argparse.Namespace, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.utterances = folder, utterances
        with TarReader(frames_tar) as reader, TarWriter(folder / "frames.tar") as own:
            stored = {u: list(reader.of(u)) for u in utterances}
            for utterance, files in stored.items():
                for name, content in files:
                    own.add(utterance, name, content)
        self.jpegs = [content for files in stored.values() for _, content in files]
        self.clips = {
            u: [cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) for _, content in files]
            for u, files in stored.items()
        }
        images = [image for each in self.clips.values() for image in each]
        side = max(images[0].shape[:2])
        self.size = args.size or input_size("auto", side, side)[0]
        self.detector = FaceDetector(args.detector, size=self.size, min_score=0.25)
        following = FollowingDetector(args.detector, size=self.size, min_score=0.25, used_score=0.5)
        self.ours, self.tracking = (FaceAligner(d, min_score=0.5) for d in (self.detector, following))
        self.blobs = [blob_of([letterbox(image, (self.size, self.size))[0]]) for image in images]
        self.memory = [[VideoFrame(str(k), image) for k, image in enumerate(c)] for c in self.clips.values()]
        self.dynamic = write_dynamic(self.detector.path, folder)

    def habit(self, name: str, threads: int | None = 1) -> Callable[[], list[np.ndarray]]:
        """Return a loop over the JPEGs with ``FaceAnalysis`` at ``640`` as it comes, or at ``equal`` size."""
        model, size = (self.detector.path, 640) if name == "640" else (self.dynamic, self.size)
        app = analysis(model, self.folder / f"{name}-{threads}", size, threads)
        return lambda: habit(app, self.jpegs)

    def align(self, which: FaceAligner, threads: int = 1) -> None:
        """Align the shard."""
        align_shard(
            self.utterances, self.folder / "frames.tar", which, faces_tar=self.folder / "faces.tar",
            detections=self.folder / "detections.parquet", workers=threads,
        )  # fmt: skip

    def in_memory(self) -> None:
        """Align images that are decoded already."""
        for clip in self.memory:
            self.ours.align([clip])

    def limit(self) -> None:
        """Run the network and nothing else."""
        session, name = self.detector._session((self.size, self.size)), self.detector._input
        for blob in self.blobs:
            session.run(None, {name: blob})


def quiet() -> None:
    """Set up a process: no threads but those that are measured, no chatter."""
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    logging.getLogger("avsieve").setLevel(logging.WARNING)


def serve(pipe: Connection, frames_tar: Path, rank: int, workers: int, args: argparse.Namespace, folder: Path) -> None:
    """Be a worker: go the ways that are asked for over a share of the frames, and tell the processor seconds."""
    quiet()
    with TarReader(frames_tar) as reader:
        utterances = reader.utterances
    m = Material(frames_tar, utterances[rank::workers], args, folder / f"{workers}-{rank}")
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: m.align(m.ours),
        "tracking": lambda: m.align(m.tracking),
        "in memory": m.in_memory,
        "limit": m.limit,
        "640": m.habit("640"),
        "equal size": m.habit("equal"),
    }
    if rank == 0:
        whole = Material(frames_tar, utterances, args, folder / f"{workers}-whole")
        ways["one shard"] = lambda: whole.align(whole.ours, workers)
        ways["640, all cores"] = whole.habit("640", None)
        ways["equal size, all cores"] = whole.habit("equal", None)
    for way in ways.values():
        way()  # sessions for a size are made by the first image
    pipe.send(list(ways))
    for name in iter(pipe.recv, None):
        begun = time.process_time()
        ways[name]()
        pipe.send(time.process_time() - begun)


class Crew:
    """Worker processes, which go a way together."""

    def __init__(self, frames_tar: Path, workers: int, args: argparse.Namespace, folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes = []
        for rank in range(workers):
            here, there = context.Pipe()
            context.Process(target=serve, args=(there, frames_tar, rank, workers, args, folder), daemon=True).start()
            self._pipes.append(here)
        ready = [pipe.recv() for pipe in self._pipes]
        self.ways: list[str] = ready[0]

    def go(self, name: str) -> float:
        """Go a way; return the processor seconds of all workers."""
        pipes = self._pipes[:1] if name in ALONE else self._pipes
        for pipe in pipes:
            pipe.send(name)
        return sum(pipe.recv() for pipe in pipes)

    def end(self) -> None:
        """Let the workers go."""
        for pipe in self._pipes:
            pipe.send(None)


def frames_part(clips: dict[str, list[np.ndarray]], args: argparse.Namespace, folder: Path) -> None:
    """Measure alignment on frames, and print it."""
    frames_tar = folder / "frames.tar"
    write_frames(frames_tar, clips)
    m = Material(frames_tar, list(clips), args, folder / "agreement")
    image = next(iter(m.clips.values()))[0]
    print(f"{len(m.jpegs)} frames {image.shape[1]} x {image.shape[0]}, {m.detector.path.name}")
    for workers in args.workers:
        measured(frames_tar, len(m.jpegs), workers, args, folder)
    print("\nAgreement")
    own = landmarks_of(m.ours, m.clips)
    agreement("FaceAnalysis at equal size", own, m.habit("equal")())
    agreement("FaceAnalysis at 640", own, m.habit("640")())
    agreement("ours with tracking", own, landmarks_of(m.tracking, m.clips))


def measured(frames_tar: Path, count: int, workers: int, args: argparse.Namespace, folder: Path) -> None:
    """Measure all ways with so many workers, and print the rates and ratios."""
    crew = Crew(frames_tar, workers, args, folder)
    taken = measure({name: partial(crew.go, name) for name in crew.ways}, args.rounds)
    crew.end()
    print(f"\n{workers} worker(s), medians of {args.rounds} rounds")
    show(taken, count, "frames")
    for text, slow, fast in (
        ("ours over FaceAnalysis as it comes, a thread a worker", "640", "ours"),
        ("ours over FaceAnalysis as it comes, all cores on one image", "640, all cores", "ours"),
        ("ours over FaceAnalysis at equal size, a thread a worker", "equal size", "ours"),
        ("ours over FaceAnalysis at equal size, all cores on one image", "equal size, all cores", "ours"),
        ("tracking over FaceAnalysis at equal size, a thread a worker", "equal size", "tracking"),
        ("tracking over FaceAnalysis at equal size, all cores on one image", "equal size, all cores", "tracking"),
        ("ours, images in memory, of the limit", "limit", "in memory"),
        ("ours with JPEG decoding and writing, of the limit", "limit", "ours"),
        ("tracking over ours", "ours", "tracking"),
    ):
        print(f"  {text}: {ratio(taken, slow, fast)}")


def fused_part(clips: list[Path], args: argparse.Namespace, folder: Path) -> None:
    """Measure extraction and alignment in two stages and in one, and print it."""
    aligner = FaceAligner(FaceDetector(args.detector, size="auto", min_score=0.25), min_score=0.5)
    root = folder / "clips"
    root.mkdir()
    for number, path in enumerate(clips):
        (root / f"{number:05d}").symlink_to(path.resolve())
    index = media_table(
        IndexedClip(f"id/v/{n:05d}", "train", Place(f"{n:05d}", 0, path.stat().st_size)) for n, path in enumerate(clips)
    )
    roots = {"train": root, "test": root}
    common = {"interval_s": 0.4, "min_audio_s": 0.1}

    def stages(workers: int) -> None:
        extract_shard(
            index, roots, frames_tar=folder / "f.tar", wav_tar=folder / "w.tar", jpeg_quality=95, workers=workers,
            **common,
        )  # fmt: skip
        align_shard(
            index["utterance"].tolist(), folder / "f.tar", aligner, faces_tar=folder / "a.tar",
            detections=folder / "d.parquet", workers=workers,
        )  # fmt: skip

    def fused(workers: int) -> None:
        extract_faces_shard(
            index, roots, None, aligner, wav_tar=folder / "w1.tar", faces_tar=folder / "a1.tar",
            detections=folder / "d1.parquet", workers=workers, **common,
        )  # fmt: skip

    for workers in args.workers:
        ways: Ways = {"two stages": lambda n=workers: stages(n), "fused": lambda n=workers: fused(n)}
        for way in ways.values():
            way()
        taken = measure(ways, args.rounds)
        print(f"\n{len(clips)} clips, decoded and aligned, {workers} worker(s)")
        show(taken, len(clips), "clips")
        print(f"  fused over two stages: {ratio(taken, 'two stages', 'fused')}")
    sizes = {n: (folder / n).stat().st_size for n in ("f.tar", "w.tar", "a.tar")}
    saved = sizes["f.tar"] / sum(sizes.values())
    print(f"  frames not stored: {sizes['f.tar'] / 1e6:.1f} MB, {saved:.0%} of what both stages leave")


def main() -> None:
    """Measure and print."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--detector", default="builtin", help="the builtin detector, or an .onnx file")
    ap.add_argument("--clips", type=Path, help="folder of clips; without it frames are rendered")
    ap.add_argument("--most", type=int, default=40, help="clips to take")
    ap.add_argument("--frames", type=int, default=10, help="frames of each rendered clip")
    ap.add_argument("--size", type=int, help="side of the detector's input; the frames' without it")
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    args = ap.parse_args()
    quiet()
    clips = (
        sorted(p for p in args.clips.rglob("*") if p.suffix in (".mp4", ".mpg", ".avi", ".mkv")) if args.clips else []
    )
    clips = clips[:: max(1, len(clips) // args.most)][: args.most]
    with tempfile.TemporaryDirectory() as folder:
        frames = decoded(clips) if clips else rendered(args.most, args.frames)
        frames_part(frames, args, Path(folder))
        if clips:
            fused_part(clips, args, Path(folder))


if __name__ == "__main__":
    main()

"""Align the faces in the frames of talking-head clips: ours against InsightFace's own loop and against the limit.

The same detector file everywhere. The work on each frame is JPEG decoding, detection with five landmarks, and the
aligned crop of 112 x 112. Ways, each with one thread a worker:

ours           a shard as the workflow aligns it: reading, decoding, tracks, choice, pose, sharpness, JPEGs, tables;
tracking       the same with `faces.tracking`;
in memory      the same on images that are decoded already, as the fused stage has them, without writing;
limit          ``session.run`` of the detector on inputs that lie ready, at the frames' size, and nothing else;
640            ``FaceAnalysis.get`` an image at a time as it comes (an input of 640 x 640), then ``norm_crop``.
               Detection is its only task; it writes nothing;
equal size     the same with an input of the frames' size (of a dynamic copy where the file is fixed);
..., all cores both with ONNX Runtime's own number of threads for the one image at a time: what comes out of the box.

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
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from insightface.app import FaceAnalysis
from insightface.utils.face_align import norm_crop

from avsieve.faces.align import FaceAligner, VideoFrame
from avsieve.faces.align_shard import align_shard
from avsieve.faces.detector import FaceDetector, input_size
from avsieve.faces.extract import extract_faces_shard
from avsieve.faces.following import FollowingDetector
from avsieve.faces.onnx_dynamic import write_dynamic
from avsieve.faces.scrfd import blob_of, fitted
from avsieve.faces.sessions import CPU, session_options
from avsieve.media.decode import decode_clip
from avsieve.media.extract import extract_shard
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.shards import ShardReader, ShardWriter
from avsieve.synthetic.faces import FaceRenderer, sample_face, sample_scene

Ways = dict[str, Callable[[], object]]
Taken = dict[str, list[tuple[float, float]]]


def measure(ways: Ways, rounds: int) -> Taken:
    """Run the ways in turns; return the wall and processor seconds of each."""
    taken: Taken = {name: [] for name in ways}
    for name, way in [*ways.items()] * rounds:
        wall, cpu = time.perf_counter(), time.process_time()
        way()
        taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
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
    """Return frames of made-up people, one every 0.4 s."""
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
    with ShardWriter(tar) as out:
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


def parts(items: list, workers: int) -> list[list]:
    """Split a list among workers."""
    return [items[w::workers] for w in range(workers)]


def spread(workers: int, work: Callable[[int], object]) -> None:
    """Run ``work`` in so many threads; the decoder and the network let go of Python's lock."""
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, range(workers)))


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
    """Frames as a shard, as JPEGs and as images, and the networks that look at them."""

    def __init__(self, clips: dict[str, list[np.ndarray]], args: argparse.Namespace, folder: Path) -> None:
        self.folder = folder
        write_frames(folder / "frames.tar", clips)
        with ShardReader(folder / "frames.tar") as reader:
            stored = {u: [content for _, content in reader.of(u)] for u in clips}
        self.jpegs = [jpeg for each in stored.values() for jpeg in each]
        self.clips = {
            u: [cv2.imdecode(np.frombuffer(j, np.uint8), cv2.IMREAD_COLOR) for j in each] for u, each in stored.items()
        }
        images = [image for each in self.clips.values() for image in each]
        side = max(images[0].shape[:2])
        self.size = args.size or input_size("auto", side, side)[0]
        self.detector = FaceDetector(args.detector, size=self.size, min_score=0.25)
        following = FollowingDetector(args.detector, size=self.size, min_score=0.25, used_score=0.5)
        self.ours, self.tracking = (FaceAligner(d, min_score=0.5) for d in (self.detector, following))
        self.blobs = [blob_of([fitted(image, (self.size, self.size))[0]]) for image in images]
        self.memory = [[VideoFrame(str(k), image) for k, image in enumerate(c)] for c in self.clips.values()]
        print(f"{len(images)} frames {images[0].shape[1]} x {images[0].shape[0]}, {self.detector.path.name}")

    def analyses(self, name: str, model: Path, size: int, count: int, threads: int | None = 1) -> list[FaceAnalysis]:
        """Return as many FaceAnalysis as there are workers."""
        return [analysis(model, self.folder / f"{name}-{count}-{w}", size, threads) for w in range(count)]

    def align(self, which: FaceAligner, workers: int) -> None:
        """Align the shard."""
        align_shard(
            list(self.clips), self.folder / "frames.tar", which, faces_tar=self.folder / "faces.tar",
            detections=self.folder / "detections.parquet", workers=workers,
        )  # fmt: skip

    def in_memory(self, workers: int) -> None:
        """Align images that are decoded already."""
        spread(workers, lambda w: [self.ours.align([clip]) for clip in parts(self.memory, workers)[w]])

    def limit(self, workers: int) -> None:
        """Run the network and nothing else."""
        session, name = self.detector._session((self.size, self.size)), self.detector._input
        spread(workers, lambda w: [session.run(None, {name: blob}) for blob in parts(self.blobs, workers)[w]])

    def habits(self, apps: list[FaceAnalysis]) -> None:
        """Go through the images with a FaceAnalysis a worker."""
        spread(len(apps), lambda w: habit(apps[w], parts(self.jpegs, len(apps))[w]))


def frames_part(clips: dict[str, list[np.ndarray]], args: argparse.Namespace, folder: Path) -> None:
    """Measure alignment on frames, and print it."""
    m = Material(clips, args, folder)
    dynamic = write_dynamic(m.detector.path, folder)
    for workers in args.workers:
        measured(m, dynamic, workers, args.rounds)
    print("\nAgreement")
    own = landmarks_of(m.ours, m.clips)
    agreement("FaceAnalysis at equal size", own, habit(*m.analyses("ae", dynamic, m.size, 1), m.jpegs))
    agreement("FaceAnalysis at 640", own, habit(*m.analyses("a6", m.detector.path, 640, 1), m.jpegs))
    agreement("ours with tracking", own, landmarks_of(m.tracking, m.clips))


def measured(m: Material, dynamic: Path, workers: int, rounds: int) -> None:
    """Measure all ways with so many workers, and print the rates and ratios."""
    as_it_comes = m.analyses("640", m.detector.path, 640, workers)
    equal_size = m.analyses("equal", dynamic, m.size, workers)
    all_640 = m.analyses(f"all-{workers}", m.detector.path, 640, 1, None)
    all_equal = m.analyses(f"equal-all-{workers}", dynamic, m.size, 1, None)
    ways: Ways = {
        "ours": lambda: m.align(m.ours, workers),
        "tracking": lambda: m.align(m.tracking, workers),
        "in memory": lambda: m.in_memory(workers),
        "limit": lambda: m.limit(workers),
        "640": lambda: m.habits(as_it_comes),
        "equal size": lambda: m.habits(equal_size),
        "640, all cores": lambda: m.habits(all_640),
        "equal size, all cores": lambda: m.habits(all_equal),
    }
    for way in ways.values():
        way()  # sessions for a size are made by the first image
    taken = measure(ways, rounds)
    print(f"\n{workers} worker(s), medians of {rounds} rounds")
    show(taken, len(m.jpegs), "frames")
    for text, slow, fast in (
        ("ours over FaceAnalysis as it comes, a thread a worker", "640", "ours"),
        ("ours over FaceAnalysis as it comes, all cores on one image", "640, all cores", "ours"),
        ("ours over FaceAnalysis at equal size, a thread a worker", "equal size", "ours"),
        ("ours over FaceAnalysis at equal size, all cores on one image", "equal size, all cores", "ours"),
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
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", category=FutureWarning, module="insightface")
    logging.getLogger("avsieve").setLevel(logging.WARNING)
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

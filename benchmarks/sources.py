"""Measure how long it takes to list the clips of a source, and to find those of its shards.

A tree, a zip (whole and in nine parts) and a tar of as many clips as asked for are made, of 20 bytes each; each is
planned and its rows are fetched as if their list had the lengths, in a fresh process. Then the length of a real clip is
read from its header again and again, which each clip costs where a list has no lengths. CPU: half a minute.

    python benchmarks/sources.py [--clips 100000]
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import resource
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avsieve.sources.registry import SOURCES

PARTS = 9


def names(clips: int) -> Iterator[str]:
    """Yield names as VoxCeleb2 has them: 182 clips a speaker, 7.5 a video, in round numbers."""
    for i in range(clips):
        yield f"id{i // 180:05d}/v{i // 9:010d}/{i % 9:05d}.mp4"


def make(work: Path, clips: int) -> None:
    """Make the layouts."""
    content = b"\0" * 20
    with zipfile.ZipFile(work / "whole.zip", "w") as archive, tarfile.open(work / "whole.tar", "w") as tar:
        for name in names(clips):
            archive.writestr(f"dev/mp4/{name}", content)
            info = tarfile.TarInfo(f"dev/mp4/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    joined = (work / "whole.zip").read_bytes()
    step = -(-len(joined) // PARTS)
    for i in range(PARTS):
        (work / f"vox2_dev_mp4_parta{'abcdefghi'[i]}").write_bytes(joined[i * step : (i + 1) * step])
    for name in names(clips):
        path = work / "tree" / name
        if path.name == "00000.mp4":
            path.parent.mkdir(parents=True)
        path.write_bytes(content)


def measure(kind: str, given: dict[str, Any]) -> tuple[float, float, float]:
    """Plan and fetch; return the seconds of each, and the most memory in MB."""
    source = SOURCES[kind]
    settings = source.block(**given)
    plan, fetch = source.load("plan"), source.load("fetch")
    start = time.perf_counter()
    rows = plan(settings)
    planned = time.perf_counter()
    fetch(rows.assign(seconds="8.0"), settings)
    done = time.perf_counter()
    return planned - start, done - planned, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def probe(work: Path, times: int = 500) -> float:
    """Return the milliseconds that a header costs."""
    import numpy as np

    from avsieve.media.decode import probe_duration_s
    from avsieve.media.ffmpeg import write_clip
    from avsieve.storage.wav import wav_bytes

    (work / "t.wav").write_bytes(wav_bytes(np.ones(8 * 16_000, np.int16)))
    write_clip(work / "clip.mp4", [np.zeros((224, 224, 3), np.uint8)] * 200, work / "t.wav")
    start = time.perf_counter()
    for _ in range(times):
        probe_duration_s(work / "clip.mp4")
    return 1e3 * (time.perf_counter() - start) / times


def main() -> None:
    """Measure all layouts."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--clips", type=int, default=100_000, help="clips in each")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        make(work, args.clips)
        layouts = {
            "tree": ("tree", {"root": str(work / "tree")}),
            "zip": ("archive", {"video": [str(work / "whole.zip")]}),
            f"zip in {PARTS} parts": ("archive", {"video": [str(work / "vox2_dev_mp4_part*")]}),
            "tar": ("archive", {"video": [str(work / "whole.tar")]}),
        }
        print(f"{args.clips} clips      plan, s  fetch of all shards, s  most memory, MB")
        for name, (kind, given) in layouts.items():
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                plan_s, fetch_s, memory_mb = pool.apply(measure, (kind, given))
            print(f"{name:18} {plan_s:7.2f} {fetch_s:23.2f} {memory_mb:16.0f}")
        print(f"length from a header: {probe(work):.2f} ms a clip")


if __name__ == "__main__":
    main()

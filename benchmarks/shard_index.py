"""What the index of a shard of faces costs: memory of open shards, time to open one, and random reads.

    python benchmarks/shard_index.py [--readers 32]

A shard has 4,266 utterances of 19 faces, as a 256th of VoxCeleb2 has. Beside it: dictionaries of all names and of the
rows of each utterance, which is what any reader begins with. Memory is that of the process (Linux), per shard.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from avsieve.storage.indexed_tar import INDEX_COLUMNS, TarReader, TarWriter, index_path
from avsieve.storage.tables import read_table

UTTERANCES, FACES, SHARDS = 4_266, 19, 256


def made(folder: Path) -> Path:
    """Write a shard."""
    with TarWriter(folder / "000.tar") as tar:
        for k in range(UTTERANCES):
            utterance = f"id{k % 24:05d}/{k // 8:011d}/{k % 8:05d}"
            for face in range(FACES):
                tar.add(utterance, f"{utterance}/{10 * face + 10:04d}.jpg", bytes(3000))
    return folder / "000.tar"


def as_dictionaries(tar: Path) -> tuple[dict[str, int], dict[str, list[int]], Any]:
    """Return the index as dictionaries of names and of utterances."""
    index = read_table(index_path(tar), INDEX_COLUMNS)
    rows: dict[str, list[int]] = {}
    for k, utterance in enumerate(index["utterance"]):
        rows.setdefault(utterance, []).append(k)
    return {name: k for k, name in enumerate(index["name"])}, rows, index


def resident_mb() -> float:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def opened(make: Callable[[], Any], readers: int) -> tuple[float, float]:
    """Return the memory of a reader, in MB, and the median of the seconds to open one."""
    kept, taken = [make()], []
    before = resident_mb()
    for _ in range(readers):
        begin = time.perf_counter()
        kept.append(make())
        taken.append(time.perf_counter() - begin)
    return (resident_mb() - before) / readers, statistics.median(taken)


def main() -> None:
    """Print both."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--readers", type=int, default=32)
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tar = made(Path(folder))
        for name, make in (("ours", lambda: TarReader(tar)), ("dictionaries", lambda: as_dictionaries(tar))):
            mb, seconds = opened(make, args.readers)
            every = mb * SHARDS / 1000
            print(f"{name:14s} {mb:6.2f} MB a shard, {every:5.2f} GB for {SHARDS}; {1000 * seconds:6.1f} ms to open")
        reader = TarReader(tar)
        utterances = reader.utterances
        dice = random.Random(0)
        begin = time.perf_counter()
        count = sum(1 for _ in range(2000) for _ in reader.of(dice.choice(utterances)))
        taken = time.perf_counter() - begin
        print(
            f"random utterances: {2000 / taken:,.0f} a second, {1e6 * taken / count:.1f} us a face, checksums compared"
        )


if __name__ == "__main__":
    main()

"""Memory and speed of sequences that are read from the tables of the shards by the batch.

Writes tables as the encoders do (5 segments of 192 numbers and 10 faces of 512 an utterance), makes both ready for
reading, and reads shuffled batches of 100: the peak of the resident memory, the size of the scratch files, and steps a
second. ``--full`` has the 1,092,009 utterances of VoxCeleb2 and needs 26 GB of disk. ``--long`` instead encodes 2,048
utterances, eight of which have 2,000 faces and the others 10: what memory that takes.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.packed_sequences import Facts, PackedSequences
from avsieve.fusion.sequence_files import read_sequences
from avsieve.fusion.trained_models import trained_model
from avsieve.storage import packed_rows
from avsieve.storage.packed_rows import PackedRows
from avsieve.storage.sequence_names import FRAMES, HOPS

FULL, SHARD = 1_092_009, 4_266


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _write(folder: Path, names: list[str]) -> dict[str, list[Path]]:
    """Write the tables, and return the files of each."""
    rng = np.random.default_rng(0)
    paths: dict[str, list[Path]] = {HOPS: [], FRAMES: []}
    for begin in range(0, len(names), SHARD):
        own = names[begin : begin + SHARD]
        for name, count, dim in ((HOPS, 5, 192), (FRAMES, 10, 512)):
            vectors = rng.standard_normal((len(own) * count, dim), np.float32).astype(np.float16)
            number = np.tile(np.arange(count), len(own)).astype(np.float64)
            columns = (
                {"segmentation": [HOPS] * len(vectors), "start_s": number, "length_s": number * 0 + 2}
                if name == HOPS
                else {"quality": number.astype(np.float32)}
            )
            paths[name].append(folder / f"{name}.{begin}.parquet")
            write_embeddings(paths[name][-1], np.repeat(own, count).tolist(), vectors, **columns)
    return paths


def _long(folder: Path) -> None:
    """Encode long sequences among short ones."""
    rng = np.random.default_rng(0)
    counts = np.full(2048, 10)
    counts[::256] = 2000
    rows = PackedRows(int(counts.sum()), 512, folder)
    rows.write(0, rng.standard_normal((rows.rows, 512), np.float32).astype(np.float16))
    unknown = np.array([np.nan], np.float32)
    faces = PackedSequences(rows, Facts(*[unknown] * 3), np.cumsum(counts) - counts, counts)
    there = np.ones(len(counts), bool)
    voice, face = (rng.standard_normal((len(counts), dim), np.float32) for dim in (192, 512))
    names = [f"a/{i}/0" for i in range(len(counts))]
    inputs = Inputs(names, Stream(voice, there), Stream(face, there, {FRAMES: faces}))
    kind = trained_model("vut_video_scalar")
    model = kind(192, 512, 128, kind.settings())
    print(f"peak before: {_peak_mb():,.0f} MB")
    start = time.perf_counter()
    model.encode(inputs)
    print(f"{len(inputs):,} utterances encoded in {time.perf_counter() - start:.1f} s; peak {_peak_mb():,.0f} MB")


def main() -> None:
    """Measure."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--utterances", type=int, default=50_000, help="how many")
    ap.add_argument("--full", action="store_true", help=f"{FULL:,} utterances")
    ap.add_argument("--long", action="store_true", help="encode long sequences among short ones")
    ap.add_argument("--steps", type=int, default=500, help="batches of 100 to read")
    ap.add_argument("--folder", type=Path, default=Path(), help="where the tables and scratch files go")
    args = ap.parse_args()
    if args.long:
        _long(args.folder)
        return
    total = FULL if args.full else args.utterances
    packed_rows.HELD_BYTES = 0  # as the whole corpus is read, however few there are here
    rng = np.random.default_rng(0)
    names = [f"id{i // 180:05d}/v{i // 8:07d}/{i % 8:05d}" for i in range(total)]
    print(f"{total:,} utterances")
    with tempfile.TemporaryDirectory(dir=args.folder) as made:
        folder = Path(made)
        # In a process of its own: what writing takes is no part of the peak.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            paths = pool.apply(_write, (folder, names))
        print(f"peak before anything is read: {_peak_mb():,.0f} MB")
        start = time.perf_counter()
        readers = [read_sequences(names, paths[n], [n], scratch=folder, unnamed=n)[n] for n in (HOPS, FRAMES)]
        print(f"made ready in {time.perf_counter() - start:.1f} s; peak {_peak_mb():,.0f} MB")
        start = time.perf_counter()
        for _ in range(args.steps):
            rows = rng.integers(0, total, 100)
            for reader in readers:
                reader.read(rows)
        seconds = time.perf_counter() - start
        print(f"{args.steps / seconds:.0f} steps/s of 100 utterances, {1000 * seconds / args.steps:.2f} ms for both")
        print(f"peak {_peak_mb():,.0f} MB")


if __name__ == "__main__":
    main()

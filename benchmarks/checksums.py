"""What checksums cost: of reading tars and tables, beside what is done with what was read; and of the records of jobs.

tar       members of a JPEG's size are read through the index, with and without comparing their CRC-32, and decoded;
table     embeddings (float16, 512 numbers) are written and read with and without checksums of the pages;
scratch   rows of a scratch file are read with and without comparing their sums;
record    what a record of a job over these files takes, and what of it is reading them.

Ways take turns, `--rounds` times; medians of the processor time are shown, so that a busy machine tells the same.

    python benchmarks/checksums.py [--faces N] [--rounds N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from avsieve.runtime.records import Job
from avsieve.storage import indexed_tar, packed_rows
from avsieve.storage.file_digest import digest_of
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.packed_rows import PackedRows
from avsieve.storage.tables import read_arrow, write_table
from avsieve.storage.whole import trouble_of


def seconds(ways: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the median processor time of each way, of all its threads."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            start = time.process_time()
            way()
            found[name].append(time.process_time() - start)
    return {name: statistics.median(times) for name, times in found.items()}


def told(what: str, found: dict[str, float], plain: str, checked: str, whole: str) -> None:
    """Print the times, and the share that checking has of ``whole``."""
    print(f"{what}: " + ", ".join(f"{name} {1e3 * value:.1f} ms" for name, value in found.items()))
    share = max(0.0, found[checked] - found[plain]) / found[whole]
    print(f"  comparing checksums: {share:.1%} of {whole}")


def main() -> None:
    """Measure and print."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--faces", type=int, default=5000, help="members of the tar, and rows of the tables")
    ap.add_argument("--rounds", type=int, default=7)
    ap.add_argument("--folder", type=Path, help="where the files are made; a temporary folder unless given")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        measure(Path(folder), args.faces, args.rounds)


def measure(folder: Path, faces: int, rounds: int) -> None:
    """Make the files, and measure."""
    rng = np.random.default_rng(0)
    image = cv2.GaussianBlur(rng.integers(0, 255, (112, 112, 3), np.uint8), (0, 0), 2)
    jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    tar = folder / "000.faces.tar"
    with TarWriter(tar) as writer:
        for n in range(faces):
            writer.add(f"a/v/{n // 10}", f"a/v/{n // 10}/{n:06d}.jpg", jpeg)
    reader = TarReader(tar)
    names = reader.index["name"].tolist()

    def unchecked() -> None:
        with mock.patch.object(indexed_tar.TarReader, "_checked", indexed_tar.TarReader._content):
            for name in names:
                reader.read(name)

    def checked() -> None:
        for name in names:
            reader.read(name)

    def decoded() -> None:
        for name in names:
            cv2.imdecode(np.frombuffer(reader.read(name), np.uint8), cv2.IMREAD_COLOR)

    print(f"{faces} faces of {len(jpeg):,} bytes")
    ways: dict[str, Callable[[], object]] = {"unchecked": unchecked, "checked": checked, "read and decoded": decoded}
    told("tar", seconds(ways, rounds), "unchecked", "checked", "read and decoded")

    vectors = rng.normal(size=(faces, 512)).astype(np.float16)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 512)
    table = pa.table({"utterance": [f"a/v/{n}" for n in range(faces)], "embedding": column})
    path, plain = folder / "with.parquet", folder / "without.parquet"
    write_table(path, table)
    pq.write_table(table, plain, compression="zstd")
    ways = {"unchecked": lambda: pq.ParquetFile(plain, pre_buffer=False).read(), "checked": lambda: read_arrow(path)}
    told("table", seconds(ways, rounds), "unchecked", "checked", "checked")

    with mock.patch.object(packed_rows, "HELD_BYTES", 0):
        rows = PackedRows(faces, 512, folder)
    rows.write(0, vectors)
    begins, counts = rng.permutation(faces // 50) * 50, np.full(faces // 50, 50)

    def unsummed() -> None:
        kept, rows._sums = rows._sums, np.zeros(faces, np.uint64)
        with mock.patch.object(packed_rows, "_sums", lambda found: np.zeros(len(found), np.uint64)):
            rows.read(begins, counts)
        rows._sums = kept

    ways = {"unchecked": unsummed, "checked": lambda: rows.read(begins, counts)}
    told("scratch", seconds(ways, rounds), "unchecked", "checked", "checked")

    job = Job(str(folder))
    for made in (tar, tar.with_suffix(".parquet"), path):
        job.written(made)
    ways = {
        "record": job.record,
        "its digests": lambda: [digest_of(made) for made in (tar, tar.with_suffix(".parquet"), path)],
        "verify": lambda: [trouble_of(made, digest_of(made)) for made in (tar, path)],
    }
    found = seconds(ways, rounds)
    size = (tar.stat().st_size + path.stat().st_size) / 1e9
    print("record: " + ", ".join(f"{name} {1e3 * value:.1f} ms" for name, value in found.items()))
    print(f"  verify reads {size / found['verify']:.2f} GB for each second of a core")


if __name__ == "__main__":
    main()

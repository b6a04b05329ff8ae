"""What the paired loader of voices and faces costs: memory of its index, and time beside that of reading and decoding.

    python benchmarks/paired_loader.py index [--folder FOLDER]
    python benchmarks/paired_loader.py speed [--folder FOLDER] [--workers 2]

``index`` writes as many utterances as VoxCeleb2 has (1,092,009 in 256 shards, 19 faces each), in tars whose contents
are holes, opens them all with their training list, and prints by how much the memory of a process has grown after its
imports, its own (anonymous) part beside it. Linux only; 0.3 GB of disk.

``speed`` reads shuffled batches of 64 utterances, 3 s of the voice and some of 19 faces, from shards of 2,000
utterances: batches a second and megabytes of shards a second. Beside it is the floor, which does nothing but read the
same members, compare their checksums and decode them. Each step of both follows the other; medians. Shards are in the
memory of the system when they are read: a disk is not measured.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from torch.utils.data import DataLoader

from avsieve.joint.augmentation import AUGMENTATIONS, augmentation_of
from avsieve.joint.reading import SignalReading
from avsieve.joint.signal_batches import ListedSignals, SignalBatches
from avsieve.joint.signals import Signals
from avsieve.storage.indexed_tar import INDEX_COLUMNS, TarWriter, index_path
from avsieve.storage.jpeg import image_of, jpeg_of
from avsieve.storage.tables import write_table
from avsieve.storage.tar_index import padded
from avsieve.storage.wav import as_float, samples_of, wav_bytes

FULL, SHARDS, FACES = 1_092_009, 256, 19
WAV_BYTES, FACE_BYTES = 252_000, 3_000
UTTERANCES, VOICE_S = 2_000, 8
BATCH, STEPS = 64, 21


def hollow(tar: Path, utterances: list[str], names: list[str], size: int) -> None:
    """Write the index of a tar whose members have ``size`` bytes each, and the tar as a hole."""
    offset = np.arange(len(names), dtype=np.int64) * (512 + padded(size)) + 512
    crc32 = np.arange(len(names), dtype=np.uint32) * np.uint32(2_654_435_761)
    columns = [names, utterances, offset, np.full(len(names), size), crc32]
    write_table(index_path(tar), pa.table(dict(zip(INDEX_COLUMNS, columns, strict=True))))
    with tar.open("wb") as file:
        file.truncate(int(offset[-1]) + padded(size) + 1024)


def write_full(folder: Path) -> None:
    """Write the shards and the list of a corpus as large as VoxCeleb2."""
    with (folder / "list.txt").open("w", encoding="ascii") as listed:
        for shard in range(SHARDS):
            numbers = range(FULL * shard // SHARDS, FULL * (shard + 1) // SHARDS)
            own = [f"id{k // 182:05d}/{k // 8:011d}/{k % 8:05d}" for k in numbers]
            listed.writelines(f"{u[:7]} {u}.wav 7.904\n" for u in own)
            hollow(folder / f"{shard:03d}.wav.tar", own, [f"{u}.wav" for u in own], WAV_BYTES)
            names = [f"{u}/{10 * k + 10:04d}.jpg" for u in own for k in range(FACES)]
            hollow(folder / f"{shard:03d}.faces.tar", [u for u in own for _ in range(FACES)], names, FACE_BYTES)


def grown_mb(before: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float]:
    """Return the memory of this process beyond ``before``, MB: all of it, and what no file stands behind."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    found = [float(fields[name].split()[0]) / 1000 for name in ("VmRSS", "RssFile")]
    return found[0] - before[0], found[0] - found[1] - before[1]


def tars(folder: Path, kind: str) -> list[Path]:
    """Return the shards of a kind."""
    return sorted(folder.glob(f"*.{kind}.tar"))


def measure_index(folder: Path) -> None:
    """Open all shards, read the list, and find utterances; print the memory after each."""
    start, before = time.perf_counter(), grown_mb()

    def tell(what: str) -> None:
        all_of_it, own = grown_mb(before)
        print(f"{what:42s} {all_of_it:6.0f} MB, {own:4.0f} of them its own; {time.perf_counter() - start:5.1f} s")

    signals = Signals(tars(folder, "wav"), tars(folder, "faces"))
    tell("index of voices and faces, and homes")
    utterances = [f"id{k // 182:05d}/{k // 8:011d}/{k % 8:05d}" for k in range(0, FULL, 1000)]
    begin = time.perf_counter()
    found = sum((signals.wavs.of(u) is not None) + (signals.images.of(u) is not None) for u in utterances)
    each = (time.perf_counter() - begin) / (2 * len(utterances))
    assert found == 2 * len(utterances)
    print(f"shard of an utterance: {1e6 * each:.1f} us")
    listed = ListedSignals(folder / "list.txt", signals)
    tell(f"and a list of {len(listed):,} utterances")


def measure_dictionary() -> None:
    """Print the memory of a dictionary that tells the shard of each utterance."""
    before = grown_mb()
    homes = {f"id{k // 182:05d}/{k // 8:011d}/{k % 8:05d}": k * SHARDS // FULL for k in range(FULL)}
    print(f"{f'a dictionary of {len(homes):,} homes alone':42s} {grown_mb(before)[0]:6.0f} MB")


def index(folder: Path) -> None:
    """Measure each in a process of its own."""
    if not (folder / "list.txt").exists():
        write_full(folder)
    for measure, arguments in ((measure_index, (folder,)), (measure_dictionary, ())):
        process = multiprocessing.get_context("spawn").Process(target=measure, args=arguments)
        process.start()
        process.join()


def write_small(folder: Path) -> None:
    """Write shards with contents: noise as voices, blotches as faces."""
    rng = np.random.default_rng(0)
    voice = wav_bytes((rng.standard_normal(VOICE_S * 16_000) * 2000).astype(np.int16))
    blotches = rng.integers(0, 256, (50, 14, 14, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    jpegs = [jpeg_of(face, 95) for face in blotches]
    names = [f"id{k // 20:05d}/{k // 8:011d}/{k % 8:05d}" for k in range(UTTERANCES)]
    with TarWriter(folder / "000.wav.tar") as wavs, TarWriter(folder / "000.faces.tar") as faces:
        for k, utterance in enumerate(names):
            wavs.add(utterance, f"{utterance}.wav", voice)
            for face in range(FACES):
                faces.add(utterance, f"{utterance}/{10 * face + 10:04d}.jpg", jpegs[(k + face) % len(jpegs)])
    lines = [f"{u[:7]} {u}.wav {VOICE_S}.0\n" for u in names]
    (folder / "list.txt").write_text("".join(lines), encoding="ascii")


def floor_of(signals: Signals, names: list[str], rows: np.ndarray, reading: SignalReading) -> int:
    """Read and decode what a batch is made of, and nothing else; return the bytes that were read."""
    rng, read, n = np.random.default_rng(0), 0, reading.n or 0
    wavs, images = signals.wavs.readers[0], signals.images.readers[0]
    for row in rows:
        content = wavs.read(f"{names[row]}.wav")
        as_float(samples_of(content)[:n])
        read += len(content)
        members = list(images.members(names[row]))
        for k in rng.choice(len(members), reading.faces, replace=False):
            content = images.content(members[k])
            image_of(content)
            read += len(content)
    return read


class Timed(NamedTuple):
    """Medians of a step: seconds, and seconds of this process's CPUs."""

    wall: float
    cpu: float


def timed(runs: Sequence[Callable[[int], None]]) -> list[Timed]:
    """Return what a step of each takes; the same step of all follows each other, so that a busy machine slows all."""
    taken: list[list[tuple[float, float]]] = [[] for _ in runs]
    for step in range(STEPS):
        for times, run in zip(taken, runs, strict=True):
            wall, cpu = time.perf_counter(), time.process_time()
            run(step)
            times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return [Timed(*(statistics.median(column) for column in zip(*times, strict=True))) for times in taken]


def speed(folder: Path, workers: int) -> None:
    """Print the speed of reading batches."""
    if not (folder / "list.txt").exists():
        write_small(folder)
    signals = Signals(tars(folder, "wav"), tars(folder, "faces"))
    listed = ListedSignals(folder / "list.txt", signals)
    names = list(listed.utterances)
    for faces in (1, 4, 8):
        reading = SignalReading(crop_s=3.0, faces=faces, choice="random")
        rows = np.random.default_rng(0).integers(0, len(names), (STEPS, BATCH))
        every = {
            name: SignalBatches(
                listed, steps=STEPS, batch=BATCH, reading=reading, augmentation=augmentation_of(name), seed=0
            )
            for name in AUGMENTATIONS
        }

        def floor(step: int, rows: np.ndarray = rows, reading: SignalReading = reading) -> None:
            floor_of(signals, names, rows[step], reading)

        mb = floor_of(signals, names, rows[0], reading) / 1e6
        print(f"{BATCH} utterances of 3 s and {faces} of {FACES} faces, {mb:.1f} MB of the shards a batch:")
        medians = timed([floor, *(partial(_read, batches) for batches in every.values())])
        titles = ["the floor: reading and decoding alone", *(f"batches, augmentation {name}" for name in every)]
        for what, found in zip(titles, medians, strict=True):
            print(
                f"  {what:40s} {1 / found.wall:6.1f} batches/s, {mb / found.wall:5.0f} MB/s; "
                f"{1000 * found.cpu:5.0f} ms of CPU a batch, {found.cpu / medians[0].cpu:5.2f} of the floor's"
            )
        if workers:
            loader = iter(DataLoader(every["none"], batch_size=None, num_workers=workers))
            next(loader)
            begin = time.perf_counter()
            count = sum(1 for _ in loader)
            print(f"  {f'none, {workers} worker processes':40s} {count / (time.perf_counter() - begin):6.1f} batches/s")


def _read(batches: SignalBatches, step: int) -> None:
    batches[step]


def main() -> None:
    """Measure."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("what", choices=("index", "speed"))
    ap.add_argument("--folder", type=Path, help="where the shards are written, and taken from if they are there")
    ap.add_argument("--workers", type=int, default=2, help="worker processes beside reading in this process")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        if args.what == "index":
            index(folder)
        else:
            speed(folder, args.workers)


if __name__ == "__main__":
    main()

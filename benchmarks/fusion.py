"""Every fusion model at VoxCeleb2's size: steps a second, time spent waiting for data, memory, and Vox1-E's trials.

Embeddings are random: 192 numbers for a voice and 512 for a face, as ECAPA and IResNet give them, in a file that is
read by the batch as a run reads it; so are eight parts of each voice and ten faces: 17.6 GB of scratch at full size.
Each model runs in a process of its own, on the code that trainings use: a network until so many steps or seconds are
over, a fitted model to the end. The first steps are not counted. What is timed as data is how long a step waited for
its batch; what a thread reads meanwhile is not. Of the tested utterances some are encoded, and all trials are scored by
what came out, repeated. Memory is told without the pages of files, which the system takes back where it is short; with
``--cold`` these are dropped before each model.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch

from avsieve.evaluation.scoring import Part
from avsieve.fusion.base import FittedModel, FusionModel, NeuralModel
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.network_training import train_network
from avsieve.fusion.packed_sequences import Facts, PackedSequences
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.settings import filled
from avsieve.storage.packed_rows import PackedRows
from avsieve.storage.sequence_names import EIGHTHS, FRAMES
from avsieve.training.devices import Machine, start
from avsieve.training.phase import PhaseRun

VOXCELEB2 = (1_092_009, 5_994)
VOX1_E = (145_160, 579_818)
DIMS = {"audio": 192, "visual": 512}
SEQUENCES = {"audio": (EIGHTHS, 8), "visual": (FRAMES, 10)}
BLOCK = 8192  # utterances that are made at a time; sequences repeat after so many
WARM_UP, WARM_UP_S = 20, 5.0  # steps that are not counted, unless they take longer than so many seconds


class EnoughError(Exception):
    """So many steps were to be timed."""


class Corpus:
    """Random embeddings about a direction for each speaker, and the files that they lie in.

    Parameters
    ----------
    utterances, speakers
        How many.
    folder
        Of the files, which have no names.
    """

    def __init__(self, utterances: int, speakers: int, folder: Path) -> None:
        rng = np.random.default_rng(0)
        label = np.sort(rng.integers(speakers, size=utterances))
        names = [f"s{s:04d}/v{i // 8}/{i}" for i, s in enumerate(label.tolist())]
        self.speakers = [f"s{s:04d}" for s in label.tolist()]
        self.files: list[BinaryIO] = []
        streams = {}
        for modality, dim in DIMS.items():
            file = tempfile.TemporaryFile(dir=folder)
            os.posix_fallocate(file.fileno(), 0, 4 * utterances * dim)
            pooled = np.memmap(file, np.float32, "r+", shape=(utterances, dim))
            people = rng.standard_normal((speakers, dim), dtype=np.float32)
            for at in range(0, utterances, BLOCK):
                own = label[at : at + BLOCK]
                pooled[at : at + BLOCK] = rng.standard_normal((len(own), dim), dtype=np.float32) + people[own]
            measures = {
                name: rng.uniform(4, 12, utterances).astype(np.float32)
                for name in (("duration_s", "snr_db") if modality == "audio" else ("n_faces", "quality"))
            }
            name, count = SEQUENCES[modality]
            rows = PackedRows(utterances * count, dim, folder)
            block = rng.standard_normal((BLOCK * count, dim), dtype=np.float32).astype(np.float16)
            for at in range(0, rows.rows, len(block)):
                rows.write(at, block[: rows.rows - at])
            begins = np.arange(utterances) * count
            unknown = np.array([np.nan], np.float32)
            packed = PackedSequences(rows, Facts(*[unknown] * 3), begins, np.full(utterances, count))
            streams[modality] = Stream(pooled, np.ones(utterances, bool), {name: packed}, measures)
            self.files += [file] + ([rows._file] if rows._file is not None else [])
        self.inputs = Inputs(names, **streams)

    def forget(self) -> None:
        """Have the system drop the pages of the files: what is read next comes from the disk."""
        for file in self.files:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


class Peak:
    """The largest resident memory that is no page of a file, in GB, asked for ten times a second."""

    def __enter__(self) -> Peak:
        """Begin."""
        self.gb, self._over = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            lines = Path("/proc/self/status").read_text().splitlines()
            self.gb = max(self.gb, *(int(line.split()[1]) / 1e6 for line in lines if line.startswith("RssAnon")))

    def __exit__(self, *_: object) -> None:
        """End."""
        self._over.set()
        self._thread.join()


class Watched:
    """Counts steps, and what they wait for, until it is enough."""

    def __init__(self, steps: int, seconds: float, device: str = "cpu") -> None:
        self._most, self._longest = steps, seconds
        self._wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else lambda: None
        self.steps, self.waited, self.taken, self.began = 0, 0.0, 0.0, 0.0

    def batches(self, run: PhaseRun, first: int, workers: int) -> Iterator[Any]:
        """Yield what the loop of trainings asks for."""
        given = _BATCHES(run, first, workers)
        self.began, since, counted = time.perf_counter(), 0.0, 0
        for number in range(len(run.phase.batches)):
            asked = time.perf_counter()
            if not since and (number >= WARM_UP or (number and asked - self.began > WARM_UP_S)):
                self._wait()
                self.waited, since, counted = 0.0, time.perf_counter(), number
            elif since:
                self.steps, self.taken = number - counted, asked - since
                if self.steps >= self._most or self.taken > self._longest:
                    self._wait()
                    self.taken = time.perf_counter() - since
                    break
            batch = next(given)
            self.waited += time.perf_counter() - asked
            yield batch
        raise EnoughError


_BATCHES = PhaseRun.batches


def begun(name: str) -> FusionModel:
    """Return a model as a training begins with it."""
    torch.manual_seed(0)
    kind = MODELS[name]
    if issubclass(kind, NeuralModel | FittedModel):
        return kind(DIMS["audio"], DIMS["visual"], Fusion().dim, filled(kind.settings, {}, name))
    return kind()


def watched_training(
    model: NeuralModel, corpus: Corpus, *, steps: int, seconds: float, device: str = "cpu", precision: str = "fp32"
) -> tuple[Watched, int]:
    """Train a network until so many steps or seconds are over; return what was counted, and the size of a batch."""
    settings, watched = Fusion(), Watched(steps, seconds, device)
    PhaseRun.batches = lambda *given: watched.batches(*given)  # type: ignore[method-assign]
    try:
        fabric = start(Machine(device, precision=precision))
        train_network(model, corpus.inputs, corpus.speakers, settings, seed=0, fabric=fabric)
    except EnoughError:
        model.network.eval()
    finally:
        PhaseRun.batches = _BATCHES  # type: ignore[method-assign]
    return watched, getattr(model.own, "batch_size", None) or settings.batch_size


def measured(name: str, corpus: Corpus, args: argparse.Namespace) -> str:
    """Return the line of a model."""
    torch.set_num_threads(args.threads)
    inputs = corpus.inputs
    began = time.perf_counter()
    trained = ""
    model = begun(name)
    if isinstance(model, FittedModel):
        model.fit(inputs, corpus.speakers, seed=0, device=torch.device("cpu"))
        trained = f"fitted in {time.perf_counter() - began:.1f} s"
    elif isinstance(model, NeuralModel):
        watched, size = watched_training(model, corpus, steps=args.steps, seconds=args.seconds)
        speed, share = watched.steps / watched.taken, watched.waited / watched.taken
        trained = f"{watched.began - began:.1f} | {watched.steps:,} of {size} | {speed:.1f} | {share:.1%}"
    tested, n_trials = VOX1_E if args.full else tuple(n // 10 for n in VOX1_E)
    some = inputs.of(np.arange(min(tested, args.encoded)))
    began = time.perf_counter()
    parts = model.encode(some)
    encoded = len(some) / (time.perf_counter() - began)
    whole = [Part(np.resize(p.vectors, (tested, p.vectors.shape[1])), np.resize(p.present, tested)) for p in parts]
    enrol, test = np.random.default_rng(1).integers(tested, size=(2, n_trials))
    began = time.perf_counter()
    model.score(whole, enrol, test)
    return f"{trained} | {encoded:,.0f} | {time.perf_counter() - began:.2f}"


def _alone(name: str, corpus: Corpus, args: argparse.Namespace, out: Any) -> None:
    try:
        with Peak() as peak:
            line = measured(name, corpus, args)
        out.send(f"| `{name}` | {line} | {peak.gb:.2f} |")
    except Exception as error:
        out.send(f"| `{name}` | {type(error).__name__}: {error} |")
        raise


def main() -> None:
    """Print a table."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--full", action="store_true", help="VoxCeleb2's size; a tenth of it else")
    # Networks first.
    names = sorted(MODELS, key=lambda name: not issubclass(MODELS[name], NeuralModel))
    ap.add_argument("--models", nargs="*", default=names, metavar="NAME", help="which; by default all")
    ap.add_argument("--steps", type=int, default=2000, help="steps of a network that are timed, at most")
    ap.add_argument("--seconds", type=float, default=10, help="how long they may take")
    ap.add_argument("--encoded", type=int, default=2000, help="utterances that are encoded")
    ap.add_argument("--threads", type=int, default=1, help="of torch")
    ap.add_argument("--cold", action="store_true", help="begin each model with nothing of the files in memory")
    ap.add_argument("--folder", type=Path, default=Path(), help="where the scratch files go")
    args = ap.parse_args()
    size = VOXCELEB2 if args.full else tuple(n // 10 for n in VOXCELEB2)
    began = time.perf_counter()
    with Peak() as peak:
        corpus = Corpus(*size, args.folder)
    print(f"{size[0]:,} utterances of {size[1]:,} speakers, made in {time.perf_counter() - began:.0f} s, ", end="")
    print(f"{peak.gb:.2f} GB in memory", flush=True)
    print("| model | start s | steps of batch | steps/s | waits for data | encoded/s | trials s | peak GB |")
    # Forked, so that the files without names stay open; nothing has asked torch for threads before.
    context = multiprocessing.get_context("fork")
    for name in args.models:
        if args.cold:
            corpus.forget()
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_alone, args=(name, corpus, args, sender))
        process.start()
        sender.close()
        try:
            print(receiver.recv(), flush=True)
        except EOFError:
            print(f"| `{name}` | the process ended, which says that memory was short |", flush=True)
        process.join()


if __name__ == "__main__":
    main()

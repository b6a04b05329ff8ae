"""Embed the utterances of a wav shard: batches by length, padding masked, one model load.

Utterances are sorted by length and packed into batches of about ``batch_s`` seconds. On CUDA an encoder that takes
lengths masks the padding; another one, and any on the CPU, gets batches of equal lengths only. Either way an embedding
is that of the utterance alone, up to rounding.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.encoders.audio import BUILTIN_FILE, load_audio_encoder
from avsieve.encoders.batches import Piece, batches_of, read_batches, segments_of
from avsieve.encoders.checkpoint import resolve
from avsieve.encoders.device import PRECISIONS, pick_device
from avsieve.encoders.registry import AUDIO
from avsieve.encoders.segmentation import Segmentation
from avsieve.encoders.settings import Audio
from avsieve.encoders.utterance_measures import clipped, consistency, snr_db
from avsieve.errors import ConfigError, TarError
from avsieve.runtime.prefetch import prefetched
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.provenance import sha256_of
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import read_table
from avsieve.storage.wav import SAMPLE_RATE, samples_of

logger = logging.getLogger(__name__)
# A CPU is as fast with one utterance as with many, up to here; beyond, activations leave its caches (13 % slower at
# 64 s with ecapa512: benchmarks/embed.py --sizes). Padding costs it what sound costs, and masks come on top.
CPU_BATCH_S = 16.0


class Segment(NamedTuple):
    """A segment as one of a segmentation's, which may be another's as well."""

    segmentation: str
    number: int
    piece: Piece


@dataclass
class AudioEmbeddings:
    """The results of a shard, in the order of the plan; utterances without a result have a status row only."""

    dim: int
    utterances: list[str] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)
    durations_s: list[float] = field(default_factory=list)
    snrs_db: list[float] = field(default_factory=list)
    clipped: list[float] = field(default_factory=list)
    consistencies: list[float] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    segment_vectors: list[np.ndarray] = field(default_factory=list)

    def write(self, path: Path, segments_path: Path) -> None:
        """Write one float32 row per utterance, and one float16 row per segment of each segmentation."""
        write_embeddings(
            path,
            self.utterances,
            _stack(self.vectors, self.dim, np.float32),
            duration_s=self.durations_s,
            snr_db=np.array(self.snrs_db, np.float32),
            clipped=np.array(self.clipped, np.float32),
            consistency=np.array(self.consistencies, np.float32),
        )
        write_embeddings(
            segments_path,
            [s.piece.utterance for s in self.segments],
            _stack(self.segment_vectors, self.dim, np.float16),
            segmentation=pa.array([s.segmentation for s in self.segments], pa.string()),
            segment=np.array([s.number for s in self.segments], np.int32),
            start_s=np.array([s.piece.start / SAMPLE_RATE for s in self.segments], np.float64),
            length_s=np.array([s.piece.length / SAMPLE_RATE for s in self.segments], np.float64),
        )


def _stack(vectors: list[np.ndarray], dim: int, kind: type[np.floating]) -> np.ndarray:
    return np.array(vectors, kind) if vectors else np.zeros((0, dim), kind)


def embed_pieces(
    pieces: list[Piece],
    reader: TarReader,
    encoder: nn.Module,
    *,
    device: torch.device,
    batch_s: float,
    precision: str = "fp32",
    what: str = "pieces",
) -> dict[Piece, np.ndarray]:
    """Return the embedding (dim,) float32 of each piece.

    A thread reads the next batches while the network works; on CUDA they lie in pinned memory, are copied while the
    batch before is computed, and results are fetched one batch late, so that the device never waits for this process.
    On the CPU only equal lengths share a batch, and batches are small; see `CPU_BATCH_S`.
    """
    used: Callable[[int], int] = getattr(encoder, "used_samples", int)
    kind = PRECISIONS[precision]
    cuda = device.type == "cuda"
    mixed = cuda and bool(getattr(encoder, "takes_lengths", False))
    batch_s = batch_s if cuda else min(batch_s, CPU_BATCH_S)
    plan = list(batches_of(pieces, batch_s, mixed=mixed, used=used))
    found: dict[Piece, np.ndarray] = {}
    running: deque[tuple[list[Piece], Tensor]] = deque()

    def collect() -> None:
        done, output = running.popleft()
        found.update(zip(done, output.float().cpu().numpy(), strict=True))

    batches = prefetched(read_batches(plan, reader, pinned=cuda, used=used))
    for batch in progress(batches, what, total=len(plan)):
        waves = batch.waves.to(device, non_blocking=True)
        if not waves.is_floating_point():
            waves = waves.float() / 32768
        padded = min(batch.lengths) != max(batch.lengths)
        with torch.inference_mode(), torch.autocast(device.type, kind, enabled=kind is not None):
            if padded:
                output = encoder(waves, torch.tensor(batch.lengths).to(device, non_blocking=True))
            else:
                output = encoder(waves)
        running.append((batch.pieces, output))
        if len(running) > int(cuda):
            collect()
    while running:
        collect()
    return found


def embed_shard(
    wav_tar: Path,
    utterances: list[str],
    encoder: nn.Module,
    *,
    device: torch.device,
    batch_s: float,
    precision: str,
    segmentations: Sequence[Segmentation] = (),
) -> tuple[AudioEmbeddings, StatusTable]:
    """Embed the utterances of a shard and their segments.

    Parameters
    ----------
    wav_tar
        The shard's wavs, members ``speaker/video/utterance.wav``.
    utterances
        All utterances that the shard should have, in the plan's order.
    encoder
        Maps (B, samples) to (B, dim); has ``dim`` and ``min_samples``, and ``takes_lengths`` if it can mask.
    device
        Where the encoder is run; it is moved there.
    batch_s
        Seconds of sound in a batch.
    precision
        ``fp32``, ``bf16`` or ``fp16``.
    segmentations
        How utterances are cut besides; a segment that several of them have is computed once.

    Returns
    -------
    AudioEmbeddings, StatusTable
        The status has a row for every utterance.
    """
    if precision not in PRECISIONS:
        raise ConfigError(f"precision: {precision!r} is not known; expected one of {', '.join(PRECISIONS)}")
    if precision != "fp32" and getattr(encoder, "own_precision", False):
        raise ConfigError(
            f"precision: {precision!r} has no effect on an ONNX file, which has its own precision; set it to fp32"
        )
    encoder = encoder.to(device).eval()
    status = StatusTable("embed_audio")
    results = AudioEmbeddings(int(encoder.dim))  # type: ignore[arg-type]
    with TarReader(wav_tar) as reader:
        problems: dict[str, tuple[Reason, str]] = {}
        whole: dict[str, Piece] = {}
        measured: dict[str, tuple[float, float]] = {}
        for utterance in utterances:
            problem, samples = _inspect(reader, utterance, int(encoder.min_samples))  # type: ignore[arg-type]
            if problem is None:
                whole[utterance] = Piece(utterance, 0, len(samples))
                measured[utterance] = snr_db(samples), clipped(samples)
            else:
                problems[utterance] = problem
        run = {"device": device, "batch_s": batch_s, "precision": precision}
        vectors = embed_pieces(list(whole.values()), reader, encoder, what="utterances", **run)  # type: ignore[arg-type]
        shortest = int(encoder.min_samples)  # type: ignore[arg-type]
        cut = {
            u: [
                Segment(name, number, piece)
                for name, pieces in segments_of(u, p.length, segmentations, shortest).items()
                for number, piece in enumerate(pieces)
            ]
            for u, p in whole.items()
        }
        # A segment that is the whole utterance, or of another segmentation too, is not computed a second time.
        rest = list(dict.fromkeys(s.piece for own in cut.values() for s in own if s.piece not in vectors))
        vectors |= embed_pieces(rest, reader, encoder, what="segments", **run)  # type: ignore[arg-type]
    for utterance in utterances:
        pieces = [whole[utterance], *(s.piece for s in cut[utterance])] if utterance in whole else []
        if pieces and not all(np.isfinite(vectors[p]).all() for p in pieces):
            problems[utterance] = Reason.EMBEDDING_NOT_FINITE, ""
        if utterance in problems:
            status.add(utterance, *problems[utterance], duration_s=np.nan, n_segments=0)
            continue
        duration_s = whole[utterance].length / SAMPLE_RATE
        status.add(utterance, duration_s=duration_s, n_segments=len(cut[utterance]))
        results.utterances.append(utterance)
        results.vectors.append(vectors[whole[utterance]])
        results.durations_s.append(duration_s)
        results.snrs_db.append(measured[utterance][0])
        results.clipped.append(measured[utterance][1])
        # Of the first segmentation: others overlap with it.
        own = [s.piece for s in cut[utterance] if s.segmentation == segmentations[0].name]
        results.consistencies.append(consistency(np.stack([vectors[p] for p in own])) if own else np.nan)
        results.segments += cut[utterance]
        results.segment_vectors += [vectors[s.piece] for s in cut[utterance]]
    return results, status


def embed_extracted(
    wav_tar: Path, extracted: Path, audio: Audio, *, device: str, threads: int, max_failed: float
) -> tuple[AudioEmbeddings, StatusTable, dict[str, Any]]:
    """Embed the utterances of a shard that extraction has seen, as the configuration says.

    Parameters
    ----------
    wav_tar, extracted
        The shard's wavs, and the status table of its extraction.
    audio
        The encoder, its weights and its batches.
    device, threads
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``; threads of the network on the CPU.
    max_failed
        Largest share of the utterances that may fail here, beside those that have failed before.

    Returns
    -------
    AudioEmbeddings, StatusTable, dict
        The last is what the provenance says of it.

    Raises
    ------
    AvsieveError
        If the weights do not fit, the device is not there, or too many utterances failed.
    """
    torch.set_num_threads(threads)
    chosen = pick_device(device)
    encoder = load_audio_encoder(
        audio.arch, audio.checkpoint, device=str(chosen), features=audio.features, threads=threads
    )
    table = read_table(extracted, ["utterance", "code"])
    settings = audio.model_dump(include={"batch_s", "precision"})
    segmentations = audio.segmentations
    results, status = embed_shard(
        wav_tar, table["utterance"].tolist(), encoder, device=chosen, segmentations=segmentations, **settings
    )
    silent = {row["utterance"] for row in status.rows if row["code"] == Reason.NO_AUDIO}
    known = table[table["code"] != Reason.OK.value]["utterance"]
    status.check(max_failed, already_failed=int(known.isin(silent).sum()))
    facts = {
        "packages": [*AUDIO[audio.arch].packages, "numpy", "pyarrow"],
        "arch": audio.arch,
        "features": getattr(encoder, "features", "own"),
        "checkpoint_sha256": sha256_of(resolve(audio.checkpoint, BUILTIN_FILE)),
        "device": chosen.type,
        "segments": [own.facts() for own in segmentations],
        **settings,
    }
    return results, status, facts


def _inspect(reader: TarReader, utterance: str, min_samples: int) -> tuple[tuple[Reason, str] | None, np.ndarray]:
    """Return why an utterance cannot be embedded, or None, and its samples (N,) int16, none where it cannot."""
    nothing = np.zeros(0, np.int16)
    name = f"{utterance}.wav"
    if name not in reader:
        return (Reason.NO_AUDIO, ""), nothing
    try:
        samples = samples_of(reader.read(name), utterance)
    except TarError as error:
        return (Reason.AUDIO_UNDECODABLE, str(error)), nothing
    if len(samples) < min_samples:
        return (Reason.AUDIO_TOO_SHORT, f"{len(samples)} samples, the encoder needs {min_samples}"), nothing
    if not samples.any():
        return (Reason.AUDIO_SILENT, ""), nothing
    return None, samples

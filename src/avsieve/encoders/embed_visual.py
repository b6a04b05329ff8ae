"""Embed the aligned faces of a shard: every face, and one embedding per utterance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from avsieve.embedding_files.own_tables import write_embeddings
from avsieve.encoders.face_encoder import Encoder, StagedEncoder, load_face_encoder
from avsieve.encoders.registry import VISUAL
from avsieve.encoders.settings import Visual
from avsieve.encoders.utterance_measures import consistency
from avsieve.errors import TarError
from avsieve.runtime.prefetch import prefetched
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.jpeg import image_of
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import read_table


class EmbeddedFaces(NamedTuple):
    """The faces of one utterance after the network."""

    frames: list[str]
    quality: np.ndarray
    embeddings: np.ndarray


def pool(embeddings: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the normalised mean (D,) of frame embeddings (n, D), each normalised first.

    ``weights`` (n,) count the frames; None counts them alike.
    """
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    # A weight of exactly zero for all frames would leave nothing.
    w = np.ones(len(unit)) if weights is None else np.maximum(weights, 1e-3)
    mean = (unit * w[:, None]).sum(axis=0) / w.sum()
    return (mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float32)


def _qualities(detections: pd.DataFrame) -> dict[tuple[str, str], float]:
    aligned = detections[detections["code"] == Reason.OK.value]
    return dict(zip(zip(aligned["utterance"], aligned["frame"], strict=True), aligned["quality"], strict=True))


def _batches(
    reader: TarReader, utterances: list[str], batch: int, prepare: Callable[[np.ndarray], Any]
) -> Iterator[tuple[list[tuple[str, str]], Any]]:
    """Yield ``batch`` faces at a time: utterance and frame of each, and the images as ``prepare`` leaves them."""
    names: list[tuple[str, str]] = []
    images: list[np.ndarray] = []
    for utterance in progress(utterances, "utterances"):
        for name, content in reader.of(utterance):
            image = image_of(content)
            if image is None:
                raise TarError(f"{reader.path}: member {name} is not an image; run align_faces again")
            names.append((utterance, Path(name).stem))
            images.append(image)
            if len(images) == batch:
                yield names, prepare(np.stack(images))
                names, images = [], []
    if images:
        yield names, prepare(np.stack(images))


def _stages(encoder: Encoder) -> tuple[Callable[[np.ndarray], Any], Callable[[Any], np.ndarray]]:
    return (encoder.prepare, encoder.run) if isinstance(encoder, StagedEncoder) else (np.asarray, encoder.embed)


def embed_faces(
    faces_tar: str | Path, detections: pd.DataFrame, utterances: list[str], encoder: Encoder, *, batch: int
) -> dict[str, EmbeddedFaces]:
    """Return the embedded faces of the ``utterances`` that have any.

    Batches run over the borders of utterances, so that the network is never fed by halves; a thread reads, decodes and
    prepares the next ones meanwhile.
    """
    prepare, run = _stages(encoder)
    quality = _qualities(detections)
    frames: dict[str, list[str]] = {}
    vectors: dict[str, list[np.ndarray]] = {}
    with TarReader(faces_tar) as reader:
        for names, prepared in prefetched(_batches(reader, utterances, batch, prepare)):
            for (utterance, frame), vector in zip(names, run(prepared), strict=True):
                frames.setdefault(utterance, []).append(frame)
                vectors.setdefault(utterance, []).append(vector)
    return {
        utterance: EmbeddedFaces(
            own, np.array([quality[utterance, f] for f in own], np.float32), np.stack(vectors[utterance])
        )
        for utterance, own in frames.items()
    }


def embed_shard(
    faces_tar: str | Path,
    detections: str | Path,
    utterances: list[str],
    encoder: Encoder,
    *,
    embeddings: str | Path,
    frame_embeddings: str | Path,
    pooling: str,
    batch: int,
) -> StatusTable:
    """Embed the faces of a shard and write both tables.

    Parameters
    ----------
    utterances
        All of the shard's, in order; those without faces get a row of the status table only.
    embeddings
        To write: ``utterance``, ``embedding`` (float32, normalised), ``n_faces``, ``quality`` (mean of the frames'),
        ``consistency`` (`avsieve.encoders.utterance_measures`).
    frame_embeddings
        To write: ``utterance``, ``embedding`` (float16, as the network returns it), ``frame``, ``quality``.
    pooling
        ``quality`` weights the frames by their quality, ``mean`` counts them alike.
    """
    found = embed_faces(faces_tar, read_table(detections), utterances, encoder, batch=batch)
    status = StatusTable("embed_visual")
    kept: list[str] = []
    for utterance in utterances:
        faces = found.get(utterance)
        if faces is None:
            status.add(utterance, Reason.NO_FACES, n_faces=0)
        elif not np.isfinite(faces.embeddings).all():
            status.add(utterance, Reason.EMBEDDING_NOT_FINITE, n_faces=len(faces.frames))
        else:
            kept.append(utterance)
            status.add(utterance, n_faces=len(faces.frames))
    pooled = [pool(found[u].embeddings, found[u].quality if pooling == "quality" else None) for u in kept]
    write_embeddings(
        embeddings,
        kept,
        np.stack(pooled) if pooled else np.zeros((0, encoder.dim), np.float32),
        n_faces=np.array([len(found[u].frames) for u in kept], np.int32),
        quality=np.array([found[u].quality.mean() for u in kept], np.float32),
        consistency=np.array([consistency(found[u].embeddings) for u in kept], np.float32),
    )
    every = [found[u].embeddings for u in kept]
    write_embeddings(
        frame_embeddings,
        [u for u in kept for _ in found[u].frames],
        (np.concatenate(every) if every else np.zeros((0, encoder.dim), np.float32)).astype(np.float16),
        frame=[f for u in kept for f in found[u].frames],
        quality=np.concatenate([found[u].quality for u in kept] or [np.zeros(0, np.float32)]),
    )
    return status


def embed_aligned(
    faces_tar: Path,
    detections: Path,
    aligned: Path,
    visual: Visual,
    *,
    device: str,
    threads: int,
    max_failed: float,
    embeddings: Path,
    frame_embeddings: Path,
) -> tuple[StatusTable, dict[str, Any]]:
    """Embed the faces of a shard that alignment has seen, as the configuration says, and write both tables.

    Parameters
    ----------
    faces_tar, detections, aligned
        The shard's aligned faces, the table of detections and the status table of alignment.
    visual
        The encoder, its weights and its batches.
    device, threads
        ``cpu``, ``cuda``, ``cuda:N`` or ``auto``; threads of the network on the CPU.
    max_failed
        Largest share of the utterances that may fail here, beside those that have failed before.
    embeddings, frame_embeddings
        To write, see `embed_shard`.

    Returns
    -------
    StatusTable, dict
        The last is what the provenance says of it.

    Raises
    ------
    AvsieveError
        If the weights do not fit, the device is not there, or too many utterances failed.
    """
    cv2.setNumThreads(1)
    encoder = load_face_encoder(
        visual.arch,
        visual.model,
        channels=visual.channels,
        precision=visual.precision,
        device=device,
        threads=threads,
    )
    table = read_table(aligned, ["utterance", "code"])
    status = embed_shard(
        faces_tar, detections, table["utterance"].tolist(), encoder, embeddings=embeddings,
        frame_embeddings=frame_embeddings, pooling=visual.pooling, batch=visual.batch,
    )  # fmt: skip
    status.check(max_failed, already_failed=int((table["code"] != Reason.OK.value).sum()))
    facts = {
        "packages": [*VISUAL[visual.arch].packages, "opencv-python", "numpy"],
        "pooling": visual.pooling,
        "batch": visual.batch,
        "dim": encoder.dim,
        **encoder.facts,
    }
    return status, facts

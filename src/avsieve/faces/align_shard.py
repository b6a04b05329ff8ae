"""Align the faces of a shard of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pandas as pd

from avsieve.faces.align import AlignedUtterance, Aligner, VideoFrame
from avsieve.faces.tables import FaceTables, add_faces
from avsieve.runtime.prefetch import in_order
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.jpeg import image_of
from avsieve.storage.status import StatusTable


def read_frame(name: str, content: bytes) -> VideoFrame:
    """Return the frame in an image file."""
    return VideoFrame(name, image_of(content), content)


def _frames(reader: TarReader, utterance: str) -> list[VideoFrame]:
    return [read_frame(Path(name).stem, content) for name, content in reader.of(utterance)]


def _aligned(reader: TarReader, aligner: Aligner, utterances: Sequence[str]) -> list[AlignedUtterance]:
    return aligner.align([_frames(reader, utterance) for utterance in utterances])


def groups_of(items: Sequence, size: int) -> list:
    """Return ``items`` in groups of ``size``; the last may be smaller."""
    return [items[first : first + size] for first in range(0, len(items), size)]


def align_shard(
    utterances: list[str],
    frames_tar: str | Path,
    aligner: Aligner,
    *,
    faces_tar: str | Path,
    detections: str | Path,
    crop_tars: Mapping[str, str | Path] | None = None,
    workers: int = 1,
) -> StatusTable:
    """Align the faces of a shard.

    Parameters
    ----------
    utterances
        All of the shard's, in order; those without frames get a row too.
    frames_tar
        Shard of frames from extraction.
    aligner
        A `FaceAligner`, or `ReadyFaces` where the frames are aligned faces already.
    faces_tar, detections
        To write: the aligned faces, under the names of their frames, and a row for every frame.
    crop_tars
        To write as well: kind of crop that the ``aligner`` cuts -> its tar, with the same members as the faces'.
    workers
        Threads, each with utterances of its own: decoding, the network and encoding let go of Python's lock. Their
        number does not change a byte of what is written.
    """
    groups = groups_of(utterances, aligner.at_a_time)
    tables = FaceTables()
    with TarReader(frames_tar) as frames, TarWriter(faces_tar) as faces, ExitStack() as others:
        crops = {kind: others.enter_context(TarWriter(path)) for kind, path in (crop_tars or {}).items()}
        work = (partial(_aligned, frames, aligner, group) for group in groups)
        found = (each for some in in_order(work, workers) for each in some)
        for utterance, each in progress(zip(utterances, found, strict=True), "utterances", total=len(utterances)):
            add_faces(faces, utterance, each, crops)
            tables.add(utterance, each)
    tables.write(detections)
    return tables.status


def utterances_of(status: pd.DataFrame) -> tuple[list[str], int]:
    """Return the utterances of a shard by the status table of its extraction, and how many of them have no frames."""
    return status["utterance"].tolist(), int((status["n_frames"] == 0).sum())

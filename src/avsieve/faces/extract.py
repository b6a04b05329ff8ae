"""Extract and align in one go: frames go from the decoder to the detector in memory, and no JPEG of them is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import pandas as pd

from avsieve.faces.align import AlignedUtterance, Aligner, VideoFrame
from avsieve.faces.align_shard import groups_of, read_frame
from avsieve.faces.tables import FaceTables, add_faces
from avsieve.media.decode import Decoded, decode_clip
from avsieve.media.extract import add_sound, extraction_status
from avsieve.media.index import slices_of
from avsieve.media.journal import Journal, state_of
from avsieve.media.settings import Limits
from avsieve.media.slices import MediaSlice
from avsieve.media.workers import Workers, decoded_by
from avsieve.runtime.prefetch import in_order
from avsieve.runtime.progress import progress
from avsieve.storage.provenance import versions
from avsieve.storage.status import StatusTable

Clip = tuple[MediaSlice, MediaSlice | None]


def _frames_of(clip: Decoded) -> list[VideoFrame]:
    return [
        *(VideoFrame(name, image) for name, image in clip.images.items()),
        *(read_frame(name, content) for name, content in clip.frames.items()),
    ]


def _extracted(
    clips: Sequence[Clip], aligner: Aligner, pool: Workers, **settings: Any
) -> list[tuple[Decoded, int, AlignedUtterance]]:
    """Decode and align some clips; return with each how many frames it has, and no longer the frames themselves."""
    decoded = [
        decoded_by(pool, decode_clip, media, sound, **settings, as_images=not aligner.wants_files)
        for media, sound in clips
    ]
    frames = [_frames_of(clip) for clip in decoded]
    found = aligner.align(frames)
    for clip in decoded:
        clip.images, clip.frames = {}, {}
    return [(clip, len(own), each) for clip, own, each in zip(decoded, frames, found, strict=True)]


def extract_faces_shard(
    index: pd.DataFrame,
    roots: Mapping[str, Path],
    audio_roots: Mapping[str, Path] | None,
    aligner: Aligner,
    *,
    wav_tar: str | Path,
    faces_tar: str | Path,
    detections: str | Path,
    crop_tars: Mapping[str, str | Path] | None = None,
    interval_s: float,
    min_audio_s: float,
    want_video: bool = True,
    limits: Limits | None = None,
    workers: int = 1,
) -> tuple[StatusTable, StatusTable]:
    """Decode the clips of a media index and align their faces, without storing the frames.

    A killed run is taken up behind the last clip it finished, as `avsieve.media.extract.extract_shard` is.

    Parameters
    ----------
    index, roots, audio_roots, interval_s, min_audio_s, want_video, limits
        As `avsieve.media.extract.extract_shard` takes them.
    aligner
        As `avsieve.faces.align_shard.align_shard` takes it.
    wav_tar, faces_tar, detections, crop_tars
        To write; the last as `avsieve.faces.align_shard.align_shard` takes it.
    workers
        Threads, each with clips of its own: while one waits for its clip, which a process decodes, another runs the
        detector.

    Returns
    -------
    extracted, aligned : StatusTable
        As the two stages write them one after the other.
    """
    cv2.setNumThreads(1)
    settings: dict[str, Any] = {"interval_s": interval_s, "min_audio_s": min_audio_s, "want_video": want_video}
    limits = limits or Limits()
    clips = slices_of(index, roots, audio_roots)
    made_by = {
        **settings,
        "limits": limits.model_dump(),
        **aligner.facts,
        "versions": versions("insightface", "onnxruntime", "numpy"),
    }
    Path(faces_tar).parent.mkdir(parents=True, exist_ok=True)
    path = Path(faces_tar).with_name(Path(faces_tar).name + ".partial.jsonl")
    crop_tars = crop_tars or {}
    journal = Journal(
        path, [wav_tar, faces_tar, *crop_tars.values()], state_of(index, clips, made_by, [Path(__file__).parent])
    )
    status, tables = extraction_status(), FaceTables()
    for entry in journal.done:
        status.rows.append(entry["extracted"])
        tables.restore(entry["aligned"])
    first = len(journal.done)
    groups = groups_of(clips[first:], aligner.at_a_time)
    with Workers(workers, limits) as pool, journal:
        work = (partial(_extracted, group, aligner, pool, **settings, limits=limits) for group in groups)
        wavs, faces, *others = journal.writers
        crops = dict(zip(crop_tars, others, strict=True))
        found = progress((each for some in in_order(work, workers) for each in some), "clips", total=len(clips) - first)
        for utterance, (clip, n_frames, each) in zip(index["utterance"][first:], found, strict=True):
            add_sound(utterance, clip, n_frames, wavs, status)
            add_faces(faces, utterance, each, crops)
            journal.finish({"extracted": status.rows[-1], "aligned": tables.add(utterance, each)})
    tables.write(detections)
    return status, tables.status

"""Extract a shard: every clip of a media index becomes frames and a wav, and a row that says how it went."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import cv2
import pandas as pd

from avsieve.media.decode import Decoded, decode_clip
from avsieve.media.index import slices_of
from avsieve.media.wav import wav_bytes
from avsieve.prefetch import in_order
from avsieve.progress import progress
from avsieve.shards import ShardWriter
from avsieve.status import StatusTable


def extraction_status() -> StatusTable:
    """Return the empty status table of an extraction."""
    return StatusTable("extract_media", n_frames="int64", audio_s="float64", video_s="float64")


def add_sound(utterance: str, clip: Decoded, n_frames: int, wavs: ShardWriter, status: StatusTable) -> None:
    """Write the wav of a clip, if it has sound, and its row."""
    if clip.wave is not None:
        wavs.add(utterance, f"{utterance}.wav", wav_bytes(clip.wave))
    status.add(
        utterance,
        clip.code,
        clip.detail,
        n_frames=n_frames,
        audio_s=round(clip.audio_s, 6),
        video_s=round(clip.video_s, 6),
    )


def extract_shard(
    index: pd.DataFrame,
    roots: Mapping[str, Path],
    audio_roots: Mapping[str, Path] | None = None,
    *,
    frames_tar: str | Path,
    wav_tar: str | Path,
    interval_s: float,
    jpeg_quality: int,
    min_audio_s: float,
    want_video: bool = True,
    workers: int = 1,
) -> StatusTable:
    """Decode the clips of a media index and write their frames and wavs as shards.

    Parameters
    ----------
    index
        Media index, see `avsieve.media.index`.
    roots, audio_roots
        Folder per subset that its paths start from; that of the sound, where it lies apart.
    workers
        Clips that are decoded at a time; the decoder lets go of Python's lock.

    Returns
    -------
    StatusTable
        One row per row of ``index``, with ``n_frames``, ``audio_s`` and ``video_s``.
    """
    status = extraction_status()
    cv2.setNumThreads(1)
    work = [
        partial(
            decode_clip,
            media,
            sound,
            interval_s=interval_s,
            jpeg_quality=jpeg_quality,
            min_audio_s=min_audio_s,
            want_video=want_video,
        )
        for media, sound in slices_of(index, roots, audio_roots)
    ]
    with ShardWriter(frames_tar) as frames, ShardWriter(wav_tar) as wavs:
        decoded = progress(in_order(work, workers), "clips", total=len(work))
        for utterance, clip in zip(index["utterance"], decoded, strict=True):
            for name, jpeg in clip.frames.items():
                frames.add(utterance, f"{utterance}/{name}.jpg", jpeg)
            add_sound(utterance, clip, len(clip.frames), wavs, status)
    return status

"""Extract a shard: every clip of a media index becomes frames and a wav, and a row that says how it went."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.media.decode import Decoded, decode_clip
from avsieve.media.index import slices_of
from avsieve.media.journal import Journal, state_of
from avsieve.media.settings import Limits
from avsieve.media.workers import Workers, decoded_by
from avsieve.runtime.prefetch import in_order
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.status import StatusTable
from avsieve.storage.wav import wav_bytes


def extraction_status() -> StatusTable:
    """Return the empty status table of an extraction."""
    lengths = dict.fromkeys(("audio_s", "video_s", "audio_start_s"), "float64")
    return StatusTable("extract_media", n_frames="int64", **lengths)


def add_sound(utterance: str, clip: Decoded, n_frames: int, wavs: TarWriter, status: StatusTable) -> None:
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
        audio_start_s=round(clip.audio_start_s, 6),
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
    limits: Limits | None = None,
    workers: int = 1,
) -> StatusTable:
    """Decode the clips of a media index and write their frames and wavs as shards.

    A killed run is taken up behind the last clip it finished, and gives the bytes of a run that was not.

    Parameters
    ----------
    index
        Media index, see `avsieve.media.index`.
    roots, audio_roots
        Folder per subset that its paths start from; that of the sound, where it lies apart.
    limits
        How much a clip may ask of the machine; one that asks for more is a row with a reason code.
    workers
        Clips that are decoded at a time, each in a process.

    Returns
    -------
    StatusTable
        One row per row of ``index``, with ``n_frames``, ``audio_s``, ``video_s`` and ``audio_start_s``.
    """
    status = extraction_status()
    settings: dict[str, Any] = {
        "interval_s": interval_s, "jpeg_quality": jpeg_quality, "min_audio_s": min_audio_s, "want_video": want_video,
    }  # fmt: skip
    limits = limits or Limits()
    clips = slices_of(index, roots, audio_roots)
    journal_path = Path(frames_tar).with_name(Path(frames_tar).name + ".partial.jsonl")
    Path(frames_tar).parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(
        journal_path, [frames_tar, wav_tar], state_of(index, clips, {**settings, "limits": limits.model_dump()})
    )
    status.rows.extend(journal.done)
    first = len(journal.done)
    with Workers(workers, limits) as pool, journal:
        work = [partial(decoded_by, pool, decode_clip, *clip, **settings, limits=limits) for clip in clips[first:]]
        frames, wavs = journal.writers
        decoded = progress(in_order(work, workers), "clips", total=len(work))
        for utterance, clip in zip(index["utterance"][first:], decoded, strict=True):
            for name, jpeg in clip.frames.items():
                frames.add(utterance, f"{utterance}/{name}.jpg", jpeg)
            add_sound(utterance, clip, len(clip.frames), wavs, status)
            journal.finish(status.rows[-1])
    return status

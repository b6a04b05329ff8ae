"""Render the embedded corpus, a shard at a time, into a tar of mp4 files."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.media.file_identity import Mark
from avsieve.media.index import IndexedClip, Place, media_table
from avsieve.runtime.progress import progress
from avsieve.sources.synthetic.plan import corpus_of
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.status import StatusTable
from avsieve.synthetic.corpus import plan_clips
from avsieve.synthetic.render import render_clip

if TYPE_CHECKING:
    from avsieve.sources.synthetic.settings import Synthetic


def fetch(rows: pd.DataFrame, settings: Synthetic, *, tar: Path) -> tuple[pd.DataFrame, StatusTable]:
    """Render the clips of a shard.

    Parameters
    ----------
    rows
        The shard's part of the plan.
    tar
        Where to write the clips.

    Returns
    -------
    tuple
        The media index, whose ``path`` is the tar's name, and the status.
    """
    corpus = corpus_of(settings)
    wanted = set(rows["utterance"])
    clips = [c for c in plan_clips(corpus) if c.utterance(corpus.seed) in wanted]
    status = StatusTable("fetch_media")
    with tempfile.TemporaryDirectory() as folder, TarWriter(tar) as writer:
        path = Path(folder) / "clip.mp4"
        for clip in progress(clips, "clips rendered"):
            utterance = clip.utterance(corpus.seed)
            render_clip(corpus, clip, path)
            writer.add(utterance, f"{utterance}.mp4", path.read_bytes())
            status.add(utterance)
    with TarReader(tar) as reader:
        members = {member.utterance: member for member in reader.index.itertuples()}
    index = media_table(
        IndexedClip(
            row.utterance,
            row.subset,
            # The tar is the run's own: its time says nothing, and its bytes are those of the checksum or are not read.
            Place(tar.name, member.offset, member.size, marks=str(Mark(0, member.size, member.crc32))),
            duration_s=float(row.seconds),
        )
        for row in rows.itertuples()
        if (member := members[row.utterance])
    )
    return index, status

"""Which utterances archives hold, and where in them: their directories are read once, here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.archive.members import Member, find_members
from avsieve.sources.archive.names import Naming
from avsieve.sources.archive.parts import find_archives
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN
from avsieve.sources.rows import refuse_shared_speakers
from avsieve.sources.scan_report import log

if TYPE_CHECKING:
    from avsieve.sources.archive.contract import Archive


def places_to_text(clip: Member | None, sound: Member | None) -> str:
    """Return what the plan holds of an utterance: a line for the clip and one for sound that lies apart."""
    return "\n".join(m.to_text() if m else "" for m in (clip, sound))


def places_from_text(text: str) -> tuple[Member | None, Member | None]:
    """Read what `places_to_text` wrote."""
    clip, sound = (Member.from_text(line) if line else None for line in text.split("\n"))
    return clip, sound


def _members(key: str, patterns: list[str], layout: Layout) -> dict[str, Member]:
    naming = Naming(layout)
    members = find_members(find_archives(patterns), layout, naming)
    log(naming.findings(f"source.archive.{key}"))
    return members


def _rows(subset: str, video: list[str], audio: list[str], train_list: Path | None, layout: Layout) -> pd.DataFrame:
    prefix = "" if subset == TRAIN else "test_"
    clips, sounds = (_members(f"{prefix}{k}", p, layout) for k, p in (("video", video), ("audio", audio)))
    if train_list is not None:
        listed = read_corpus_list(train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    else:
        utterances = sorted(clips.keys() | sounds.keys(), key=lambda utterance: utterance.split("/"))
        seconds = [""] * len(utterances)
    paths = [places_to_text(clips.get(u), sounds.get(u)) for u in utterances]
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": paths, "seconds": seconds})


def plan(settings: Archive) -> pd.DataFrame:
    """Return the utterances of the list in its order, or of the archives where there is no list.

    ``path`` tells where the clip lies and, in a second line, its sound where that lies apart, so that no shard has to
    read the directory of an archive again.

    Raises
    ------
    AvsieveError
        If an archive is missing, incomplete or cannot be read in place, or a speaker is in training and test.
    """
    layout = Layout(settings.layout)
    train_list = None if settings.train_list is None else Path(settings.train_list)
    rows = _rows(TRAIN, settings.video, settings.audio, train_list, layout)
    if settings.test_video:
        test = _rows(TEST, settings.test_video, settings.test_audio, None, layout)
        rows = pd.concat([rows, test], ignore_index=True)
        refuse_shared_speakers(rows, "source.archive.video", "source.archive.test_video")
    return rows

"""Names of utterances below a folder ``speaker/video/utterance.<ending>``, for files that are no clips."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id


def scan_endings(root: Path, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the ids of the files with one of ``endings``, sorted, each once; hidden files are passed over."""
    for speaker in _folders(root):
        yield from (f"{speaker}/{rest}" for rest in _below(root / speaker, endings))


def _folders(path: Path) -> list[str]:
    return sorted(e.name for e in os.scandir(path) if not e.name.startswith(".") and e.is_dir())


def _below(speaker: Path, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield ``video/utterance`` of one speaker's folder, sorted."""
    for video in _folders(speaker):
        stems = {
            os.path.splitext(name)[0]  # noqa: PTH122 - a Path for each of a million names is slow
            for name in os.listdir(speaker / video)  # noqa: PTH208
            if name.lower().endswith(endings) and not name.startswith(".")
        }
        yield from (f"{video}/{stem}" for stem in sorted(stems))


def listed_or_found(
    key: str, root: Path, endings: tuple[str, ...], train_list: Path | None, subset: str
) -> pd.DataFrame:
    """Return the rows of a plan: the utterances of the list in its order, or all that the folder has.

    Raises
    ------
    AvsieveError
        If the folder does not exist or holds nothing, or a name cannot be an id.
    """
    if not root.is_dir():
        raise AvsieveError(f"source.{key}: {root} is no folder; give the folder that holds the speakers' folders")
    if train_list is not None:
        listed = read_corpus_list(train_list)
        utterances, seconds = listed["utterance"].tolist(), listed["seconds"].tolist()
    else:
        utterances = list(scan_endings(root, endings))
        seconds = [""] * len(utterances)
        if not utterances:
            raise AvsieveError(
                f"source.{key}: nothing under {root}; expected speaker/video/utterance with one of {', '.join(endings)}"
            )
        for utterance in utterances:
            if not is_valid_id(utterance):
                parse_id(utterance)  # raises, and says what is wrong
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": utterances, "seconds": seconds})


@dataclass(frozen=True)
class Counted:
    """How much a folder holds; estimated from the first speakers where counting would take too long."""

    speakers: int
    videos: int
    utterances: int
    is_whole: bool
    some: list[str]
    """Some of the utterances, evenly spaced over what was counted."""


def count_endings(root: Path, endings: tuple[str, ...], look_s: float = 2.0, some: int = 12) -> Counted:
    """Count the utterances below a folder for at most about ``look_s`` seconds, and estimate the rest."""
    begun = time.monotonic()
    speakers = _folders(root)
    counted = 0
    found: list[str] = []
    for speaker in speakers:
        if time.monotonic() - begun > look_s and counted:
            break
        found += [f"{speaker}/{rest}" for rest in _below(root / speaker, endings)]
        counted += 1
    times = len(speakers) / counted if counted else 1.0
    videos = len({u.rpartition("/")[0] for u in found})
    shown = found[:: max(1, len(found) // some)][:some]
    return Counted(len(speakers), round(videos * times), round(len(found) * times), counted == len(speakers), shown)


def told(counted: Counted, what: str) -> str:
    """Return a count in words."""
    about = "" if counted.is_whole else "about "
    return f"{about}{counted.utterances:,} {what} of {counted.speakers:,} speakers"

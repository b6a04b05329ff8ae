"""Names of utterances below a folder ``speaker/video/utterance.<ending>``, for files that are no clips."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id
from avsieve.lists import read_train_list


def scan_endings(root: Path, endings: tuple[str, ...]) -> Iterator[str]:
    """Yield the ids of the files with one of ``endings``, sorted, each once; hidden files are passed over."""

    def folders(path: str) -> list[str]:
        return sorted(e.name for e in os.scandir(path) if not e.name.startswith(".") and e.is_dir())

    for speaker in folders(str(root)):
        for video in folders(f"{root}/{speaker}"):
            stems = {
                os.path.splitext(name)[0]  # noqa: PTH122 - a Path for each of a million names is slow
                for name in os.listdir(f"{root}/{speaker}/{video}")  # noqa: PTH208
                if name.lower().endswith(endings) and not name.startswith(".")
            }
            yield from (f"{speaker}/{video}/{stem}" for stem in sorted(stems))


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
        listed = read_train_list(train_list)
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

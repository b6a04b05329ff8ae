"""Lists that others have published: AVCleanse's flags and Qin's noisy utterances, brought to one shape.

AVCleanse's ``train_all_clean.txt`` has six columns; which flag means clean is nowhere written, so it is checked: clean
is the majority and has the higher similarities. Qin's lists (arXiv:2110.06534) name only the noisy utterances, and
every video id in them has lost its first character: they are joined on the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import ListError
from avsieve.lists.layouts import read_corpus_list
from avsieve.lists.train_list import CLEAN_LAYOUT, TRAIN_LAYOUT, read_clean_list, utterance_of
from avsieve.storage.text_files import read_lines


def read_flags(
    path: str | Path,
    utterances: Sequence[str] | None = None,
    *,
    lists: str | None = None,
    strip_prefix: str | None = None,
) -> pd.Series:
    """Read any cleansed list as a Series of bool, True = clean, indexed by utterance.

    Parameters
    ----------
    path
        A six-column list, a list of the clean utterances alone (three columns, as `train_clean.txt`), or one of the
        noisy alone (one or two columns, as Qin's).
    utterances
        All utterances of the set; wanted for a list that names only some of them.
    lists
        ``clean`` or ``noisy``: which of them a list without flags names; told by its columns where it is not given.
    strip_prefix
        Beginning of the names that is no part of an id.

    Raises
    ------
    ListError
        If the flags contradict themselves, or names cannot be joined.
    """
    width = _width(path)
    if width == 0:
        raise ListError(f"{path}: no lines; expected a cleansed list")
    if width == len(CLEAN_LAYOUT):
        frame = read_clean_list(path, strip_prefix)
        check_polarity(frame, str(path))
        return pd.Series(frame["clean"].to_numpy(), index=frame["utterance"])
    lists = lists or ("clean" if width == len(TRAIN_LAYOUT) else "noisy")
    if utterances is None:
        raise ListError(
            f"{path}: {width} columns, so it names only the {lists}; give the full list of utterances as well "
            "(--train-list)"
        )
    if lists == "clean":
        named = set(read_corpus_list(path, strip_prefix)["utterance"])
        if unknown := named - set(utterances):
            raise ListError(
                f"{path}: {len(unknown)} of its {len(named)} utterances are not in the full list, as {min(unknown)}; "
                "give the list that it was made from"
            )
    else:
        named = set(join_noisy(path, utterances))
    flags = [(u in named) == (lists == "clean") for u in utterances]
    return pd.Series(flags, index=pd.Index(utterances, name="utterance"))


def _width(path: str | Path) -> int:
    """Return the number of columns of a list, by its first line."""
    return next((len(line.split()) for _, line in read_lines(path)), 0)


def check_polarity(frame: pd.DataFrame, name: str) -> None:
    """Refuse a list whose flag 1 is not clean: clean is the majority and has the higher similarities."""
    clean = frame["clean"].to_numpy()
    if clean.all() or not clean.any():
        return
    both = np.fmin(frame["audio_similarity"].to_numpy(), frame["visual_similarity"].to_numpy())
    high, low = np.nanmean(both[clean]), np.nanmean(both[~clean])
    if clean.mean() < 0.5 and low > high:
        raise ListError(
            f"{name}: flag 1 is on {clean.mean():.1%} of the lines and their mean similarity is {high:.3f}, "
            f"that of flag 0 is {low:.3f}; 1 must mean clean: invert the flags"
        )


def join_noisy(path: str | Path, utterances: Sequence[str]) -> list[str]:
    """Return the utterances that a list of noisy ones names, whether or not its video ids lack their first character.

    Raises
    ------
    ListError
        If a line names no utterance of the set, or several.
    """
    exact = set(utterances)
    shortened: dict[str, list[str]] = {}
    for u in utterances:
        speaker, video, number = u.split("/")
        shortened.setdefault(f"{speaker}/{video[1:]}/{number}", []).append(u)
    found = []
    for row, line in read_lines(path):
        key = _key(line)
        matches = [key] if key in exact else shortened.get(key, [])
        if len(matches) != 1:
            what = "no utterance" if not matches else f"{len(matches)} utterances ({', '.join(matches[:3])})"
            raise ListError(f"{path}, line {row}: {line.strip()!r} names {what} of the set; expected exactly one")
        found.append(matches[0])
    return found


def _key(line: str) -> str:
    """Return ``speaker/video/utterance`` from a line that has it with slashes, hyphens as Qin's do, and any suffix."""
    text = next((f for f in line.split() if f.count("/") >= 2), line.split()[0])
    stem = utterance_of(text)
    if stem.count("/") >= 2:
        return "/".join(stem.split("/")[-3:])
    first, _, rest = stem.partition("-")
    middle, _, last = rest.rpartition("-")
    return f"{first}/{middle}/{last}"

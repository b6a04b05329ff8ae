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
from avsieve.lists import read_clean_list


def read_flags(path: str | Path, utterances: Sequence[str] | None = None) -> pd.Series:
    """Read any cleansed list as a Series of bool, True = clean, indexed by utterance.

    Parameters
    ----------
    path
        A six-column list, or one of noisy utterances only (one a line).
    utterances
        All utterances of the set; wanted for a list that names only the noisy ones.

    Raises
    ------
    ListError
        If the flags contradict themselves, or names cannot be joined.
    """
    path = Path(path)
    if not path.exists():
        raise ListError(f"{path}: no such list")
    with path.open(encoding="utf-8") as handle:
        width = len(handle.readline().split())
    if width == 6:
        frame = read_clean_list(path)
        check_polarity(frame, str(path))
        return pd.Series(frame["clean"].to_numpy(), index=frame["utterance"])
    if utterances is None:
        raise ListError(
            f"{path}: {width} columns, so it names only the noisy; give the full list of utterances as well"
        )
    noisy = set(join_noisy(path, utterances))
    return pd.Series([u not in noisy for u in utterances], index=pd.Index(utterances, name="utterance"))


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
            f"that of flag 0 is {low:.3f}; 1 must mean clean: turn the flags round"
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
    for row, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
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
    stem = text.rsplit(".", 1)[0] if text.endswith((".wav", ".m4a", ".flac", ".mp4")) else text
    if stem.count("/") >= 2:
        return "/".join(stem.split("/")[-3:])
    first, _, rest = stem.partition("-")
    middle, _, last = rest.rpartition("-")
    return f"{first}/{middle}/{last}"
